"""What a page draws of the graph of a session: drops, or groups of them, with their places.

A group is the drops of one node of the logical graph. Small graphs are drawn drop by drop, big
ones group by group, and one group of a big graph can be opened. The answer is made of columns of
numbers, as a page that shows a hundred thousand drops has no time for objects.

Pure: a graph in, what is answered out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from dlg.exceptions import UsageError
from dlg.graph.drawing.physical import groups_of, sketch_physical
from dlg.graph.drawing.sketch import Line, LineKind
from dlg.graph.folded import Cells, lay_out_folded
from dlg.graph.layout import Edges, Floats, Ints, Nodes, Spacing, lay_out
from dlg.graph.physical import PhysicalGraph

FEW_DROPS = 2_000
"""Up to how many drops each is drawn by itself, where nobody says otherwise."""
MOST_DETAILED = 300
"""Up to how many nodes are drawn with their names beside them."""
WIDEST_LAYER = 24
"""From how many nodes in a layer on a drawing is folded."""
MOST_LINKED = 2_000
"""Up to how many drops of an opened group have their own links drawn."""
ROOM = (112.0, 88.0)
"""What a node with its name takes."""
SPACING = Spacing(between_layers=22.0, between_nodes=4.0, widest_gap=110.0)
SMALL = Cells()


class By(StrEnum):
    """What is drawn as one node."""

    AUTO = "auto"
    GROUPS = "groups"
    DROPS = "drops"


@dataclass(frozen=True, slots=True)
class Places:
    """Where nodes are, and how much room each has."""

    x: Floats
    y: Floats
    room: tuple[float, float]


@dataclass(slots=True)
class Drawable:
    """A graph made ready to be drawn in several ways."""

    graph: PhysicalGraph
    group_of: Ints = field(init=False)
    groups: list[dict[str, Any]] = field(init=False)
    group_links: Ints = field(init=False)
    """For each pair of linked groups: from, to, and how many links."""

    def __post_init__(self) -> None:
        self.group_of, members = groups_of(self.graph, collapse=True)
        sketch = sketch_physical(self.graph, groups=(self.group_of, members))
        self.groups = [
            {
                "id": int(box.id),
                "name": box.label,
                "kind": str(box.kind),
                "category": box.detail,
                "size": box.count,
            }
            for box in sketch.boxes
        ]
        links = [(*_ends(line), line.count) for line in sketch.lines]
        self.group_links = _merged(np.asarray(links, dtype=np.int64).reshape(-1, 3))

    def view(self, by: By = By.AUTO, group: int | None = None) -> dict[str, Any]:
        """Return what is drawn, with `group` opened; raise UsageError if there is none such."""
        if group is not None:
            if not 0 <= group < len(self.groups):
                raise UsageError(f"there is no group {group}; there are {len(self.groups)}")
            drawn = self._opened(group)
        elif by is By.DROPS or (by is By.AUTO and len(self.graph) <= FEW_DROPS):
            drawn = self._drops()
        else:
            drawn = self._groups()
        return {
            "drops": len(self.graph),
            "groups": self.groups,
            "group_of": self.group_of,
            **drawn,
        }

    # -- three ways to draw it -------------------------------------------------------------

    def _drops(self) -> dict[str, Any]:
        links = links_of(self.graph)
        count = len(self.graph)
        rows = np.arange(count)
        places = arranged(count, links)
        return _drawn(By.DROPS, rows, places, links, self._labels(range(count)))

    def _groups(self) -> dict[str, Any]:
        count = len(self.groups)
        places = arranged(count, self.group_links[:, :2])
        names = [str(group["name"]) for group in self.groups]
        return _drawn(By.GROUPS, -1 - np.arange(count), places, self.group_links, names)

    def _opened(self, group: int) -> dict[str, Any]:
        """Return the drops of a group, and the groups before and after it at their sides."""
        members = np.flatnonzero(self.group_of == group)
        links = links_of(self.graph)
        own = self.group_of[links] == group
        inner = np.searchsorted(members, links[own.all(axis=1)])
        inside = arranged(len(members), inner, square=True)
        before = self._neighbours(links[own[:, 1] & ~own[:, 0]][:, 0])
        after = self._neighbours(links[own[:, 0] & ~own[:, 1]][:, 1])
        after = after[~np.isin(after, before)]  # in a loop a group may be on both sides
        places = _with_sides(inside, len(before), len(after))
        groups = np.concatenate([before, after])
        rows = np.concatenate([members, -1 - groups])
        outer = self._outer_links(links[own.any(axis=1) & ~own.all(axis=1)], members, groups)
        edges = np.concatenate([np.column_stack([inner, np.ones(len(inner), np.int64)]), outer])
        names = [str(self.groups[k]["name"]) for k in groups.tolist()]
        drawn = _drawn(By.DROPS, rows, places, edges, [*self._labels(members.tolist()), *names])
        width, height = places.room
        x, y = places.x[: len(members)], places.y[: len(members)]
        frame = x.min() - width, y.min() - height, x.max() + width, y.max() + height
        return {**drawn, "opened": group, "frame": [round(float(side), 1) for side in frame]}

    def _neighbours(self, rows: Ints) -> Ints:
        return np.unique(self.group_of[rows])

    def _outer_links(self, links: Ints, members: Ints, groups: Ints) -> Ints:
        """Return the links between the drops of an opened group and the groups around it.

        Of a group of very many drops only that there are links is drawn, to the drop in front.
        """
        place = np.zeros(len(self.groups), dtype=np.int64)
        place[groups] = len(members) + np.arange(len(groups))
        inside = np.isin(links, members)
        ends = np.where(inside, np.searchsorted(members, links), place[self.group_of[links]])
        if len(members) > MOST_LINKED:
            ends = np.where(inside, 0, ends)
        return _merged(np.column_stack([ends, np.ones(len(ends), dtype=np.int64)]))

    def _labels(self, rows: Sequence[int] | range) -> list[str]:
        specs, oids = self.graph.specs, self.graph.oids
        return [str(specs[row].get("name") or oids[row]) for row in rows]


def links_of(graph: PhysicalGraph) -> Ints:
    """Return all pairs of linked rows, each once, in the direction in which work flows."""
    links, holds = graph.links, graph.links.children
    tables = (links.consumers, links.streaming_consumers, links.outputs)
    pairs = [np.column_stack([table.src, table.dst]) for table in tables]
    # A container is complete when what it holds is.
    pairs.append(np.column_stack([holds.dst, holds.src]))
    found = np.concatenate(pairs).astype(np.int64)
    return np.unique(found, axis=0) if len(found) else found.reshape(-1, 2)


def _ends(line: Line) -> tuple[int, int]:
    ends = int(line.src), int(line.dst)
    return ends[::-1] if line.kind is LineKind.HOLDS else ends


def arranged(count: int, links: Ints, *, square: bool = False) -> Places:
    """Return places for nodes: with room for names if there are few, else small and folded."""
    if square and not len(links) and count > WIDEST_LAYER:
        return _grid(count)
    if count <= MOST_DETAILED:
        sizes = Nodes(np.full(count, ROOM[0]), np.full(count, ROOM[1]))
        found = lay_out(sizes, Edges.between(links[:, 0], links[:, 1]), SPACING)
        if not count or np.bincount(found.layer).max() <= WIDEST_LAYER:
            return Places(found.x, found.y, ROOM)
    folded = lay_out_folded(count, links[:, 0], links[:, 1], SMALL)
    return Places(folded.x, folded.y, (SMALL.width, SMALL.height))


def _grid(count: int) -> Places:
    """Return places in rows and columns, as many of each as make it a little wider than high."""
    rows = max(1, round((count / 1.6 * SMALL.width / SMALL.height) ** 0.5))
    place = np.arange(count)
    x, y = (place // rows + 0.5) * SMALL.width, (place % rows + 0.5) * SMALL.height
    return Places(x, y, (SMALL.width, SMALL.height))


def _with_sides(inside: Places, before: int, after: int) -> Places:
    """Return the places of the inside, and of what stands in a column on either side of it."""
    width = float(inside.x.max() - inside.x.min())
    height = float(inside.y.max() - inside.y.min())
    # In front of a big block the groups beside it would be too small to be seen.
    stretch = max(1.0, height / 600.0)
    away = (inside.room[0] + ROOM[0]) * stretch
    middle = float(inside.y.min()) + height / 2
    xs, ys = [inside.x], [inside.y]
    for count, x in ((before, inside.x.min() - away), (after, inside.x.min() + width + away)):
        xs.append(np.full(count, float(x), dtype=np.float64))
        steps = np.arange(count, dtype=np.float64) - (count - 1) / 2
        ys.append(middle + steps * ROOM[1] * stretch)
    return Places(np.concatenate(xs), np.concatenate(ys), inside.room)


def _merged(links: Ints) -> Ints:
    """Return the links with those between the same two nodes added up; none to itself."""
    links = links[links[:, 0] != links[:, 1]]
    if not len(links):
        return links
    pairs, where = np.unique(links[:, :2], axis=0, return_inverse=True)
    weights = np.bincount(where.reshape(-1), links[:, 2])
    return np.column_stack([pairs, weights.astype(np.int64)])


def _drawn(
    by: By, rows: Ints, places: Places, edges: Ints, labels: Sequence[str]
) -> dict[str, Any]:
    return {
        "by": str(by),
        "rows": rows,
        "x": np.round(places.x, 1),
        "y": np.round(places.y, 1),
        "room": places.room,
        "edges": edges,
        "labels": labels,
    }
