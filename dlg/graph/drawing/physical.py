"""A sketch of a physical graph: every drop of a small one, drops of a kind together in a big one.

Drops that come from one node of a logical graph (`lg_key`) are of a kind; where there is no such
key, those of one class whose names differ only in numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from dlg.graph.drawing.parts import parts_in, with_shares
from dlg.graph.drawing.sketch import Box, Kind, Line, LineKind, Sketch
from dlg.graph.physical import DropKind, LinkTable, PhysicalGraph

FEW = 300
"""Up to how many drops each is drawn by itself."""

_NUMBERS = re.compile(r"\d+")
_KINDS = {
    DropKind.DATA: Kind.DATA,
    DropKind.APP: Kind.APP,
    DropKind.CONTAINER: Kind.CONTAINER,
}
_BRANCHES = ("Branch",)


Groups = tuple[np.ndarray[tuple[int], np.dtype[np.int64]], list[tuple[int, int]]]
"""For each drop its box, and for each box its first drop and how many it has."""


def sketch_physical(
    graph: PhysicalGraph,
    *,
    collapse: bool | None = None,
    groups: Groups | None = None,
    with_parts: bool = False,
) -> Sketch:
    """Return the drops and links of `graph`; `collapse` draws drops of a kind as one.

    If it is None, that depends on how many drops there are. `groups` is for callers that know
    already which drops are of a kind; the ids of the boxes are the numbers of the groups. With
    parts, boxes say which parts of a divided graph their drops are in.
    """
    group_of, members = groups or groups_of(graph, collapse=collapse)
    collapse = len(members) < len(graph)
    size = f"{len(graph):,} drops"
    note = f"{size}, those of one kind drawn as one: {len(members):,} boxes" if collapse else size
    boxes = [_box(graph, k, row, count) for k, (row, count) in enumerate(members)]
    part_of, parts = parts_in(graph) if with_parts else (np.empty(0, np.int64), [])
    if parts:
        note += f", {len(parts):,} parts" if len(parts) > 1 else ", 1 part"
        boxes = with_shares(boxes, group_of, part_of, parts)
    lines = _lines(graph, group_of)
    return Sketch(title=graph.source, note=note, boxes=boxes, lines=lines, parts=parts)


def groups_of(graph: PhysicalGraph, *, collapse: bool | None = None) -> Groups:
    """Return which drops are drawn as one box, as `sketch_physical` does by itself."""
    if collapse is None:
        collapse = len(graph) > FEW
    return _groups(graph) if collapse else _singles(graph)


def _singles(graph: PhysicalGraph) -> Groups:
    n = len(graph)
    return np.arange(n, dtype=np.int64), [(row, 1) for row in range(n)]


def _groups(graph: PhysicalGraph) -> Groups:
    number: dict[tuple[int, str], int] = {}
    members: list[list[int]] = []
    group_of = np.empty(len(graph), dtype=np.int64)
    for row, spec in enumerate(graph.specs):
        name = spec.get("lg_key") or _NUMBERS.sub("#", str(spec.get("name") or graph.oids[row]))
        key = graph.class_ids[row], str(name)
        found = number.setdefault(key, len(members))
        if found == len(members):
            members.append([row, 0])
        members[found][1] += 1
        group_of[row] = found
    return group_of, [(row, count) for row, count in members]


def _box(graph: PhysicalGraph, k: int, row: int, count: int) -> Box:
    spec = graph.specs[row]
    class_name = graph.class_names[graph.class_ids[row]]
    short = class_name.rpartition(".")[2]
    kind = _KINDS[DropKind(graph.kinds[row])]
    if kind is Kind.APP and short.startswith(_BRANCHES):
        kind = Kind.CONTROL
    facts = [f"oid {graph.oids[row]}" + (f" and {count - 1:,} more" if count > 1 else "")]
    facts.append(class_name)
    own = ("node", "island", "filepath") if count == 1 else ("filepath",)
    facts += [f"{key} {spec[key]}" for key in own if spec.get(key)]
    label = str(spec.get("name") or graph.oids[row])
    return Box(
        id=str(k),
        label=_NUMBERS.sub("*", label) if count > 1 and not spec.get("lg_key") else label,
        detail=short,
        kind=kind,
        count=count,
        facts=tuple(facts),
    )


def _lines(
    graph: PhysicalGraph, group_of: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> list[Line]:
    lines: list[Line] = []
    tables: Sequence[tuple[LinkTable, LineKind]] = (
        (graph.links.consumers, LineKind.PLAIN),
        (graph.links.outputs, LineKind.PLAIN),
        (graph.links.streaming_consumers, LineKind.STREAMING),
        (graph.links.children, LineKind.HOLDS),
    )
    for table, kind in tables:
        if not len(table):
            continue
        ends = np.stack([group_of[table.src], group_of[table.dst]], axis=1)
        pairs, counts = np.unique(ends, axis=0, return_counts=True)
        lines += [
            Line(src=str(a), dst=str(b), kind=kind, count=count)
            for (a, b), count in zip(pairs.tolist(), counts.tolist(), strict=True)
        ]
    return lines
