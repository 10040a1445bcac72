"""Which part of a divided graph each drop is in, as `node` and `island` in the dropspecs say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dlg.graph.drawing.sketch import Box, Part
from dlg.graph.physical import PhysicalGraph

Rows = npt.NDArray[np.int64]

_NUMBERED = re.compile(r"#\d+")
NOWHERE = "no node"


def parts_in(graph: PhysicalGraph) -> tuple[Rows, list[Part]]:
    """Return for each drop the place of its part in the list of parts, which is the second.

    There is a part for each node. Parts that are not mapped yet, `#0`, `#1` and so on, keep their
    numbers; nodes are counted from 1 in the order of their names, so that node1 is 1 where it can
    be. A graph that nobody has divided has no parts.
    """
    nodes = [str(spec.get("node") or "") for spec in graph.specs]
    names = list(dict.fromkeys(nodes))
    if names == [""]:
        return np.empty(0, np.int64), []
    numbered = all(map(_NUMBERED.fullmatch, names))
    names.sort(key=_number if numbered else _natural)
    place = {name: k for k, name in enumerate(names)}
    part_of = np.fromiter((place[node] for node in nodes), np.int64, len(nodes))
    drops = np.bincount(part_of, minlength=len(names)).tolist()
    labels = _labels(graph, nodes, names)
    numbers = map(_number, names) if numbered else range(1, len(names) + 1)
    parts = zip(numbers, labels, drops, strict=True)
    return part_of, [Part(number=n, label=label, drops=count) for n, label, count in parts]


def _number(name: str) -> int:
    return int(name[1:])


def _natural(name: str) -> tuple[bool, list[tuple[int, str]]]:
    """Return a key that sorts node2 before node10, and what has no node last."""
    pieces = re.findall(r"\d+|\D+", name)
    return not name, [(int(p), "") if p.isdecimal() else (-1, p) for p in pieces]


def _labels(graph: PhysicalGraph, nodes: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return what parts are called: the node, and its island where there are several."""
    islands = [str(spec.get("island") or "") for spec in graph.specs]
    island_of = dict(zip(nodes, islands, strict=True))
    several = len(set(islands) - {""}) > 1
    return [
        (name or NOWHERE) + (f" in {island_of[name]}" if several and island_of[name] else "")
        for name in names
    ]


def with_shares(
    boxes: Iterable[Box], group_of: Rows, part_of: Rows, parts: Sequence[Part]
) -> list[Box]:
    """Return `boxes` with the parts their drops are in; box k stands for the drops of group k."""
    found, counts = np.unique(group_of * len(parts) + part_of, return_counts=True)
    given = list(boxes)
    shares: list[list[tuple[int, int]]] = [[] for _ in given]
    for key, count in zip(found.tolist(), counts.tolist(), strict=True):
        shares[key // len(parts)].append((key % len(parts), count))
    return [_sharing(box, share, parts) for box, share in zip(given, shares, strict=True)]


def _sharing(box: Box, share: Sequence[tuple[int, int]], parts: Sequence[Part]) -> Box:
    told = (
        f"{f'{drops:,} in ' if box.count > 1 else ''}part {parts[k].number}, {parts[k].label}"
        for k, drops in share
    )
    numbers = tuple((parts[k].number, drops) for k, drops in share)
    return replace(box, shares=numbers, facts=(*box.facts, *told))
