"""Where to draw the nodes of a graph: in layers from left to right, with links that bend little.

The method is the usual one of four steps: links that close a cycle are turned round; a node's
layer is the longest path that leads to it; within layers nodes are ordered by the mean place of
their neighbours, back and forth, until links cross seldom; and coordinates pull every node to its
neighbours as far as its own layer has room. A link over several layers gets a bend in each.

Pure: numbers in, numbers out. All steps but the first two are numpy over whole layers or the whole
graph, so ten thousand nodes take some hundredths of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dlg.graph.layout_order import Order, order_layers
from dlg.graph.walk import levels, rows_on_cycles

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MAX_BENDS = 4
"""Bends a node: when all links need more than that, the longest get none and go straight."""
PULLS = (40, 300)
"""How often nodes are pulled towards their neighbours: at least, and at most."""
PULLED = 300_000
"""How many nodes are pulled in all, which keeps big graphs quick and small ones neat."""
STIFFNESS = (1.0, 2.0, 8.0)
"""How strongly a link is kept straight, by how many of its two ends are bends."""
LEAN = 2.0
"""Up to how much a link may lean before it counts as steep."""
BEND_ROOM = 0.35
"""How much room a bend takes, as a share of what is kept between nodes."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """Room kept free, in the unit of the sizes."""

    between_layers: float = 48.0
    between_nodes: float = 18.0
    widest_gap: float = 220.0
    """To how much the room between two layers grows where links climb steeply."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """What is to be placed: the sizes of the nodes."""

    widths: Floats
    heights: Floats
    pinned: Ints | None = None
    """For each node -1 to have it in the first layer, 1 in the last, 0 where it belongs."""

    def __len__(self) -> int:
        return len(self.widths)


@dataclass(frozen=True, slots=True)
class Edges:
    """The links between nodes, and how far from the middle of a node each begins and ends."""

    src: Ints
    dst: Ints
    leaves_at: Floats
    enters_at: Floats

    @classmethod
    def between(cls, src: npt.ArrayLike, dst: npt.ArrayLike) -> Edges:
        """Return links from middle to middle."""
        a, b = np.asarray(src, dtype=np.int64), np.asarray(dst, dtype=np.int64)
        return cls(a, b, np.zeros(len(a)), np.zeros(len(a)))

    def __len__(self) -> int:
        return len(self.src)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: centres of nodes, and the bends of each link in drawing order."""

    x: Floats
    y: Floats
    layer: Ints
    width: float
    height: float
    backward: Bools
    """Links that lead against the direction of the drawing."""
    bend_start: Ints
    """The bends of link k are those from `bend_start[k]` to before `bend_start[k + 1]`."""
    bend_left: Floats
    bend_right: Floats
    """A bend goes through its whole layer, from its left border to its right one."""
    bend_y: Floats


def lay_out(nodes: Nodes, edges: Edges, spacing: Spacing | None = None) -> Layout:
    """Return a drawing of the graph from left to right; the upper left corner is (0, 0)."""
    spacing = spacing or Spacing()
    n = len(nodes)
    layer, turned = layers_of(n, edges.src, edges.dst)
    if nodes.pinned is not None:
        layer = _pin(layer, nodes.pinned)
    down = np.where(turned, edges.dst, edges.src), np.where(turned, edges.src, edges.dst)
    bends = _Bends.of(layer, *down)
    all_layers = np.concatenate([layer, bends.layer])
    first, second, origin = bends.segments(*down, n)
    leave, enter = _ends(edges, turned, origin)
    tilt = _tilt(nodes, leave, first), _tilt(nodes, enter, second)
    order = order_layers(all_layers, first, second, tilt, bends.near)
    heights = np.concatenate([nodes.heights, np.zeros(len(bends.layer))])
    y = _place(order, heights, _Springs.of(first, second, leave - enter, n), n, spacing)
    left, right, total = _columns(nodes, layer, (all_layers[first], y[second] - y[first]), spacing)
    top = float((y - heights / 2).min()) if len(y) else 0.0
    y -= top
    return Layout(
        x=(left[layer] + right[layer]) / 2,
        y=y[:n],
        layer=layer,
        width=total,
        height=float((y + heights / 2).max()) if len(y) else 0.0,
        backward=turned,
        bend_start=bends.start,
        bend_left=left[bends.layer],
        bend_right=right[bends.layer],
        bend_y=y[n:],
    )


# -- layers ------------------------------------------------------------------------------------


def layers_of(n: int, src: Ints, dst: Ints) -> tuple[Ints, Bools]:
    """Return the layer of each node, and which links had to be turned to break cycles."""
    proper = src != dst
    src, dst = src[proper], dst[proper]
    after, before = _neighbours(n, src, dst), _neighbours(n, dst, src)
    turned = np.zeros(len(proper), dtype=np.bool_)
    if rows_on_cycles(after, before):
        closing = _closing_links(after, [v for v in range(n) if not before[v]])
        pairs = zip(src.tolist(), dst.tolist(), strict=True)
        back = np.fromiter((pair in closing for pair in pairs), dtype=np.bool_, count=len(src))
        turned[np.flatnonzero(proper)[back]] = True
        src, dst = np.where(back, dst, src), np.where(back, src, dst)
        after, before = _neighbours(n, src, dst), _neighbours(n, dst, src)
    layer = np.asarray(levels(after, before), dtype=np.int64)
    if len(src):
        _pull_roots(layer, src, dst)
    return layer, turned


def _neighbours(n: int, src: Ints, dst: Ints) -> list[list[int]]:
    after: list[list[int]] = [[] for _ in range(n)]
    for a, b in zip(src.tolist(), dst.tolist(), strict=True):
        after[a].append(b)
    return after


def _pull_roots(layer: Ints, src: Ints, dst: Ints) -> None:
    """Bring roots as near as can be to what follows from them; `layer` is changed in place."""
    far = np.iinfo(np.int64).max
    nearest = np.full(len(layer), far)
    np.minimum.at(nearest, src, layer[dst])
    roots = nearest < far
    roots[dst] = False
    layer[roots] = nearest[roots] - 1


def _closing_links(after: list[list[int]], roots: list[int]) -> set[tuple[int, int]]:
    """Return the links that lead back to a node of the path being walked, depth first."""
    state = bytearray(len(after))  # 0 not seen, 1 on the path, 2 done
    closing: set[tuple[int, int]] = set()
    for root in [*roots, *range(len(after))]:
        if state[root]:
            continue
        state[root] = 1
        path = [(root, iter(after[root]))]
        while path:
            here, rest = path[-1]
            target = next(rest, None)
            if target is None:
                state[here] = 2
                path.pop()
            elif state[target] == 0:
                state[target] = 1
                path.append((target, iter(after[target])))
            elif state[target] == 1:
                closing.add((here, target))
    return closing


def _pin(layer: Ints, pinned: Ints) -> Ints:
    """Return the layers with a first and a last one added for the nodes pinned there."""
    free = layer[pinned == 0]
    if len(free):
        free = free - free.min()
    first = 1 if (pinned < 0).any() else 0
    moved = np.zeros(len(layer), dtype=np.int64)
    moved[pinned == 0] = free + first
    moved[pinned > 0] = first + (int(free.max()) + 1 if len(free) else 0)
    return moved


# -- bends -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Bends:
    """The bends of all links, one link after the other."""

    start: Ints
    layer: Ints
    near: Ints
    """For each bend the node its link comes from, where it is put at first."""

    @classmethod
    def of(cls, layer: Ints, src: Ints, dst: Ints) -> _Bends:
        """Return the bends; the longest links get none if there would be too many."""
        count = np.maximum(layer[dst] - layer[src] - 1, 0)
        if count.sum() > MAX_BENDS * max(len(layer), 100):
            shortest = np.argsort(count, kind="stable")
            fits = np.cumsum(count[shortest]) <= MAX_BENDS * max(len(layer), 100)
            count[shortest[~fits]] = 0
        start = np.concatenate([[0], np.cumsum(count)])
        link = np.repeat(np.arange(len(src)), count)
        step = np.arange(start[-1]) - start[link]
        return cls(start, layer[src[link]] + 1 + step, src[link])

    def segments(self, src: Ints, dst: Ints, n: int) -> tuple[Ints, Ints, Ints]:
        """Return the parts of all links between neighbouring layers, and the link of each."""
        count = np.diff(self.start)
        link = np.repeat(np.arange(len(src)), count + 1)
        first_of = self.start[:-1] + np.arange(len(src))
        step = np.arange(len(link)) - first_of[link]
        bend = n + self.start[link] + step
        first = np.where(step == 0, src[link], bend - 1)
        second = np.where(step == count[link], dst[link], bend)
        proper = first != second
        return first[proper], second[proper], link[proper]


def _ends(edges: Edges, turned: Bools, link: Ints) -> tuple[Floats, Floats]:
    """Return how far from the middle of its ends each part of a link begins and ends."""
    leave = np.where(turned, edges.enters_at, edges.leaves_at)
    enter = np.where(turned, edges.leaves_at, edges.enters_at)
    is_first = np.ones(len(link), dtype=np.bool_)
    is_first[1:] = link[1:] != link[:-1]
    is_last = np.ones(len(link), dtype=np.bool_)
    is_last[:-1] = is_first[1:]
    return np.where(is_first, leave[link], 0.0), np.where(is_last, enter[link], 0.0)


def _tilt(nodes: Nodes, offset: Floats, end: Ints) -> Floats:
    """Return where on a node a link ends, from -0.5 (top) to 0.5; 0 at bends."""
    real = end < len(nodes)
    tilt = np.zeros(len(end))
    tilt[real] = offset[real] / np.maximum(nodes.heights[end[real]], 1e-9)
    return np.clip(tilt, -0.5, 0.5)


# -- coordinates -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Springs:
    """What pulls nodes and bends: each part of a link wants to be level."""

    first: Ints
    second: Ints
    drop: Floats
    """How much lower the middle of `second` is than that of `first` when the part is level."""
    force: Floats

    @classmethod
    def of(cls, first: Ints, second: Ints, drop: Floats, n: int) -> _Springs:
        """Return the springs; parts between bends are stiffer, so that long links are straight."""
        ends = (first >= n).astype(np.int64) + (second >= n)
        return cls(first, second, drop, np.asarray(STIFFNESS)[ends])

    def wanted(self, y: Floats, *, level: bool) -> Floats:
        """Return where each node would be best, given where its neighbours are.

        With `level` a few steep links are better than many that lean a little.
        """
        n = len(y)
        goal, source = y[self.first] + self.drop, y[self.second] - self.drop
        force = self.force
        if level:
            force = force / (np.abs(goal - y[self.second]) + LEAN)
        pull = np.bincount(self.second, force * goal, n) + np.bincount(
            self.first, force * source, n
        )
        total = np.bincount(self.second, force, n) + np.bincount(self.first, force, n)
        return np.where(total > 0, pull / np.maximum(total, 1e-9), y)


def _place(order: Order, heights: Floats, springs: _Springs, n: int, spacing: Spacing) -> Floats:
    """Return heights at which all is in order, keeps its distance, and is near its neighbours."""
    by_place, layer = order.nodes, order.layer_of_place
    if not len(by_place):
        return np.zeros(0)
    room = np.where(by_place < n, spacing.between_nodes, spacing.between_nodes * BEND_ROOM)
    half = heights[by_place] / 2 + room / 2
    offset = np.cumsum(half) + np.concatenate([[0.0], np.cumsum(half)[:-1]])
    offset -= offset[order.start[layer]]
    apart = 4.0 * (float(half.sum()) + 1.0)
    last = order.start[layer + 1] - 1
    y = np.empty(len(by_place))
    y[by_place] = offset - offset[last] / 2
    parity = np.empty(len(by_place), dtype=np.bool_)
    parity[by_place] = layer % 2 == 0
    pulls = int(np.clip(PULLED // len(y), *PULLS))
    for pull in range(pulls):
        free = springs.wanted(y, level=pull > pulls // 4)[by_place] - offset + layer * apart
        above = np.maximum.accumulate(free)
        below = np.minimum.accumulate(free[::-1])[::-1]
        better = np.empty_like(y)
        better[by_place] = (above + below) / 2 + offset - layer * apart
        # Layers in turn: two neighbours that move at once would only change places for ever.
        y = np.where(parity == (pull % 2 == 1), better, y)
    return y


def _columns(
    nodes: Nodes, layer: Ints, climbs: tuple[Ints, Floats], spacing: Spacing
) -> tuple[Floats, Floats, float]:
    """Return the left and right border of each layer, and the width of all."""
    count = int(layer.max()) + 1 if len(layer) else 0
    widths = np.zeros(count)
    np.maximum.at(widths, layer, nodes.widths)
    steepest = np.zeros(count)
    np.maximum.at(steepest, climbs[0], np.abs(climbs[1]))
    gaps = np.clip(steepest * 0.22, spacing.between_layers, spacing.widest_gap)
    right = np.cumsum(widths + gaps) - gaps
    return right - widths, right, float(right[-1]) if count else 0.0
