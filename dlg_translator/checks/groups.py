"""Constructs: what stands in them, and numbers that must fit each other."""

from __future__ import annotations

import math

from dlg_translator.checks.kinds import Place, Report
from dlg_translator.model import names
from dlg_translator.model.logical import LogicalGraph, Node
from dlg_translator.model.values import IllTypedError, integer

NOTES = frozenset({"Comment", "Description"})
_UNSET = frozenset({"", "None", "0"})
_MULTIPLIERS = {"Scatter": names.COPIES, "Loop": names.ITERATIONS}


def place(node: Node) -> Place:
    """Return where `node` is."""
    return Place(node.pointer, node.name, node.id)


def enclosing(graph: LogicalGraph, node: Node) -> list[Node]:
    """Return the constructs around `node`, the innermost first."""
    around = []
    parent = node.parent
    while parent is not None:
        holder = graph.nodes[parent]
        around.append(holder)
        parent = holder.parent
    return around


def multiplicity(node: Node) -> int:
    """Return how many copies `node` makes of what is in it; 1 where it does not say."""
    stated = node.value(*_MULTIPLIERS.get(node.category, ()), default=1)
    try:
        return max(1, integer(stated))
    except IllTypedError:
        return 1


def check_group_keys(graph: LogicalGraph, report: Report) -> None:
    """Find group keys that name no scatter."""
    scatters = [n for n in graph.nodes.values() if n.category == "Scatter"]
    known = {n.id for n in scatters} | {n.name for n in scatters}
    for node in graph.nodes.values():
        if node.category != "GroupBy":
            continue
        field = node.field(*names.GROUP_KEY)
        stated = "" if field is None else str(field.effective)
        for key in (part.strip() for part in stated.split(",")):
            if field is not None and key not in _UNSET and key not in known:
                where = Place(field.pointer, node.name, node.id)
                report.add("group-key", f"there is no scatter {key!r}", where)


def check_widths(graph: LogicalGraph, report: Report) -> None:
    """Find gathers whose inputs cannot be dealt out evenly.

    Inputs out of other gathers and groupings are left to the unroller, which knows how many those
    give.
    """
    for link in graph.links:
        gather, source = graph.nodes[link.dst], graph.nodes[link.src]
        if gather.category != "Gather" or source.is_group:
            continue
        shared = {gather.id} | {n.id for n in enclosing(graph, gather)}
        inner = [n for n in enclosing(graph, source) if n.id not in shared]
        if any(n.category in {"Gather", "GroupBy"} for n in inner):
            continue
        total = math.prod(multiplicity(n) for n in inner)
        try:
            width = integer(gather.value(*names.GATHER_WIDTH, default=1) or 1)
        except IllTypedError:
            continue
        if width > 0 and total % width:
            what = f"{total} inputs from {source.name!r} do not divide by its width {width}"
            report.add("width-does-not-divide", what, place(gather))


def check_contents(graph: LogicalGraph, report: Report) -> None:
    """Find notes in constructs, and constructs with nothing in them."""
    filled = {n.parent for n in graph.nodes.values() if n.category not in NOTES}
    for node in graph.nodes.values():
        if node.category in NOTES and node.parent is not None:
            holder = graph.nodes[node.parent]
            what = f"a {node.category} stands inside {holder.name!r}"
            report.add("comment-inside-construct", what, place(node))
        is_empty = node.is_group and node.id not in filled and node.category != "Service"
        if is_empty and all(app.is_placeholder for app in node.apps()):
            report.add("empty-construct", f"nothing is in this {node.category}", place(node))
