"""What people see of a logical graph before it is unrolled: sizes, problems, what can be set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlg.graph.documents import decode
from dlg.graph.problems import errors
from dlg.http.errors import told
from dlg_translator.formats.graph_config import config_name
from dlg_translator.formats.loading import read_drawn
from dlg_translator.formats.parameters import fill
from dlg_translator.model.logical import EmbeddedApp, Field, LogicalGraph, Node
from dlg_translator.model.names import COPIES, DROP_CLASS, GATHER_WIDTH, GROUP_KEY, ITERATIONS

NUMBERS = frozenset({*COPIES, *GATHER_WIDTH, *ITERATIONS, *GROUP_KEY, "m", "k", "n"})
"""Fields that say how big the graph gets, which people set most often."""
_HIDDEN = frozenset({*DROP_CLASS, "x", "y", "group_start", "group_end"})
_LAYOUT = ("Comment", "Description")
MOST_SHOWN = 3000


def describe_graph(
    graph: LogicalGraph, applied: LogicalGraph, content: bytes, key: str
) -> dict[str, Any]:
    """Return what is told about a graph.

    `graph` is the graph as drawn, whose global variables are still nodes; `applied` the same with
    its configuration, and with all problems.
    """
    constructs = sum(node.is_group for node in graph.nodes.values())
    parameters = list(_parameters(graph, applied))
    return {
        "id": key,
        "name": applied.name,
        "nodes": len(graph.nodes) - constructs,
        "constructs": constructs,
        "links": len(graph.links),
        "sound": not errors(applied.problems),
        "problems": told(applied.problems),
        "configurations": [
            {"id": cid, "name": config_name(value) or cid}
            for cid, value in graph.configurations.items()
            if isinstance(value, Mapping)
        ],
        "active_config": graph.active_config,
        "placeholders": _placeholders(content),
        "parameters": parameters[:MOST_SHOWN],
        "more_parameters": max(len(parameters) - MOST_SHOWN, 0),
    }


def drawn(content: bytes, name: str) -> LogicalGraph:
    """Return a graph as it stands in the file."""
    return read_drawn(content, name=name)


def _placeholders(content: bytes) -> list[str]:
    """Return the `~name`s in the text that wait for a value.

    In a graph that is sound JSON without them, a tilde is most likely a tilde: those inside
    strings count only if they are the whole string or in braces.
    """
    text = content.decode("utf-8-sig", errors="replace")
    if "~" not in text:
        return []
    return [
        name for name in fill(text, {}).unfilled if f"~{{{name}}}" in text or f'"~{name}"' in text
    ]


def _parameters(graph: LogicalGraph, applied: LogicalGraph) -> Iterator[dict[str, Any]]:
    for node in graph.nodes.values():
        if node.category in _LAYOUT:
            continue
        now = applied.nodes.get(node.id, node)
        yield from _of_owner(node, node, node.fields, now.fields)
        for app, app_now in zip(node.apps(), now.apps(), strict=False):
            yield from _of_owner(node, app, app.fields, app_now.fields)


def _of_owner(
    node: Node, owner: Node | EmbeddedApp, fields: list[Field], now: list[Field]
) -> Iterator[dict[str, Any]]:
    values = {field.id or field.name: field.effective for field in now}
    for field in fields:
        if not field.name or field.name in _HIDDEN or field.usage != "NoPort":
            continue
        if field.raw.get("readonly") is True and field.name not in NUMBERS:
            continue
        key = field.id or field.name
        options = field.raw.get("options")
        yield {
            "key": f"{node.id}.{key}",
            "owner": owner.name or node.name,
            "owner_id": node.id,
            "category": owner.category,
            "name": field.name,
            "type": field.type,
            "value": values.get(key, field.effective),
            "options": [str(o) for o in options] if isinstance(options, list) else [],
            "help": str(field.raw.get("description") or ""),
            "main": field.name in NUMBERS or node.category_type == "Global",
        }


def is_object(content: bytes) -> bool:
    """Return whether `content` is a JSON object rather than a list of dropspecs."""
    return isinstance(decode(content, "the graph"), Mapping)
