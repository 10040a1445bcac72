"""What each node is to be: its category and its class."""

from __future__ import annotations

from difflib import get_close_matches

from dlg.graph.categories import CLASSES, COMING
from dlg_translator.checks.groups import place
from dlg_translator.checks.kinds import Report
from dlg_translator.model import categories, names
from dlg_translator.model.logical import LogicalGraph, Node

_DROPS = frozenset({categories.DATA, categories.APPLICATION})


def check_anything(graph: LogicalGraph, report: Report) -> None:
    """Find graphs of which nothing would come."""
    if report.problems:
        return  # it may be empty because of these
    if all(node.category_type == categories.OTHER for node in graph.nodes.values()):
        report.add("empty-graph", "there is nothing in it that could run")


def check_categories(graph: LogicalGraph, report: Report) -> None:
    """Find nodes of a category that nothing is known of."""
    for node in graph.nodes.values():
        if node.category in categories.TYPES or node.category_type == categories.OTHER:
            continue
        what = f"{node.category!r} ({node.category_type}) is no category"
        if _class_of(node):
            report.add("uncommon-category", what, place(node))
        else:
            report.add("unknown-category", what, place(node))


def check_classes(graph: LogicalGraph, report: Report) -> None:
    """Find drops whose class is not given, and classes that are no dotted path."""
    for node in graph.nodes.values():
        if node.category_type not in _DROPS or node.category not in categories.TYPES:
            continue
        stated = _class_of(node)
        if not stated:
            fallback = categories.default_class(node.category, node.category_type)
            if not fallback or fallback == categories.DEFAULT_APP_CLASS:
                what = "it names no class" + (f"; {fallback} is run" if fallback else "")
                report.add("no-class", what, place(node))
        else:
            _check_class(stated, node, report)


def _check_class(stated: str, node: Node, report: Report) -> None:
    """Find classes that cannot be; those of other packages may be installed where it runs."""
    if "." not in stated and stated not in categories.TYPES:
        report.add("unknown-class", f"{stated!r} is no class", place(node))
    elif stated.startswith("dlg.") and stated not in CLASSES and stated not in COMING:
        close = get_close_matches(stated, CLASSES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else ""
        report.add("unknown-class", f"{stated!r} is none of our classes", place(node), hint)


def _class_of(node: Node) -> str:
    return str(node.value(*names.DROP_CLASS, default="") or "")
