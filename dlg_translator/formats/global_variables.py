"""Global variables: `{name}` in the text of any field means what a global node says.

A field that is nothing but `{name}` takes the value in the type of the global; inside longer text
the value is written out. Braces around other names are left alone: they mean something to shells
and to Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dlg_translator.checks.kinds import Place, Report
from dlg_translator.model import categories
from dlg_translator.model.logical import Field, LogicalGraph, Node
from dlg_translator.model.values import IllTypedError, cast


def is_global(node: Node) -> bool:
    """Whether `node` declares global variables."""
    return node.category == "GlobalVariable" or node.category_type == categories.GLOBAL


def apply_globals(graph: LogicalGraph, report: Report) -> None:
    """Put the values of global variables where they are named, and remove their nodes."""
    nodes = [n for n in graph.nodes.values() if is_global(n)]
    if not nodes:
        return
    values = _values(nodes, report)
    for node in nodes:
        del graph.nodes[node.id]
    _drop_links(graph, {n.id for n in nodes}, report)
    if not values:
        return
    pattern = re.compile(r"\{(" + "|".join(map(re.escape, values)) + r")\}")
    for node in graph.nodes.values():
        for field in node.all_fields():
            _substitute(field, pattern, values)


def _values(nodes: list[Node], report: Report) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for node in nodes:
        for field in node.fields:
            place = Place(field.pointer, field.name, node.id)
            if not field.name:
                continue
            if field.name in values:
                report.add("duplicate-global", f"{field.name!r} has a value already", place)
                continue
            try:
                values[field.name] = cast(field.effective, field.type)
            except IllTypedError as error:
                report.add("ill-typed-value", f"{field.name}: {error}", place)
    return values


def _drop_links(graph: LogicalGraph, gone: set[str], report: Report) -> None:
    kept = []
    for link in graph.links:
        if link.src in gone or link.dst in gone:
            report.add("linked-global", "it ends at a global variable", Place(link.pointer))
        else:
            kept.append(link)
    graph.links = kept


def _substitute(field: Field, pattern: re.Pattern[str], values: Mapping[str, Any]) -> None:
    if not isinstance(field.effective, str):
        return
    whole = pattern.fullmatch(field.effective.strip())
    if whole:
        field.set(values[whole[1]])
        return
    replaced = pattern.sub(lambda m: str(values[m[1]]), field.effective)
    if replaced != field.effective:
        field.set(replaced)
