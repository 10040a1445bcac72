"""In which order the nodes of a layer are drawn, so that few links cross.

The first order is that of a walk, depth first, which is right already for trees and parallel
pipelines. Then layers are sorted by the mean place of their neighbours in the layer before, and on
the way back in the layer after; the best order met is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SWEEPS = 8
"""How often to sort all layers forth and back."""
MANY_LAYERS = 150
"""From how many layers on all are sorted at once instead of one after the other."""
COUNTED = 200_000
"""Crossings are counted when the places of neighbouring layers make at most so many pairs."""


@dataclass(frozen=True, slots=True)
class Order:
    """Nodes by layer, and within a layer from top to bottom."""

    nodes: Ints
    start: Ints
    """Layer k has the places from `start[k]` to before `start[k + 1]`."""
    layer_of_place: Ints


@dataclass(frozen=True, slots=True)
class _Parts:
    """Parts of links from a layer to the next one, sorted by one of their ends."""

    near: Ints
    """The end that is sorted by, in layer order."""
    far: Ints
    tilt: Floats
    """Where on the far node the link ends, from -0.5 to 0.5."""
    start: Ints
    """Where the parts of each layer begin."""


def order_layers(
    layer: Ints, first: Ints, second: Ints, tilt: tuple[Floats, Floats], near: Ints
) -> Order:
    """Return the order of all nodes; the last of them are bends, placed at first near `near`."""
    n = len(layer) - len(near)
    count = int(layer.max()) + 1 if len(layer) else 0
    walk = _walk(n, first, second, near)
    nodes = np.lexsort((walk, layer))
    start = np.searchsorted(layer[nodes], np.arange(count + 1))
    found = Order(nodes, start, layer[nodes])
    adjacent = layer[second] - layer[first] == 1  # not so where a long link goes straight
    first, second = first[adjacent], second[adjacent]
    if not len(first):
        return found
    tilt = tilt[0][adjacent], tilt[1][adjacent]
    forth = _parts(layer, second, first, tilt[0], count)
    back = _parts(layer, first, second, tilt[1], count)
    return _sweep(found, layer, forth, back)


def _walk(n: int, first: Ints, second: Ints, near: Ints) -> Floats:
    """Return for each node when a walk, depth first, meets it; bends come with their origin."""
    after: list[list[int]] = [[] for _ in range(n)]
    ends = np.concatenate([np.arange(n), near])
    is_root = np.ones(n, dtype=np.bool_)
    is_root[second[second < n]] = False
    for a, b in zip(ends[first].tolist(), second.tolist(), strict=True):
        if b < n:
            after[a].append(b)
    met = np.zeros(n)
    seen = bytearray(n)
    time = 0
    for root in [*np.flatnonzero(is_root).tolist(), *range(n)]:
        stack = [root]
        while stack:
            here = stack.pop()
            if seen[here]:
                continue
            seen[here] = 1
            met[here] = time
            time += 1
            stack.extend(reversed(after[here]))
    return np.concatenate([met, met[near] + 0.5])


def _parts(layer: Ints, near: Ints, far: Ints, tilt: Floats, count: int) -> _Parts:
    by_layer = np.argsort(layer[near], kind="stable")
    start = np.searchsorted(layer[near][by_layer], np.arange(count + 1))
    return _Parts(near[by_layer], far[by_layer], tilt[by_layer], start)


def _sweep(found: Order, layer: Ints, forth: _Parts, back: _Parts) -> Order:
    """Return a better order: sort forth and back, and keep the best."""
    nodes, start = found.nodes.copy(), found.start
    place = np.empty(len(nodes))
    place[nodes] = np.arange(len(nodes)) - start[layer[nodes]]
    sizes = np.diff(start)
    pairs = int((sizes[:-1] * sizes[1:]).sum())
    counted = pairs <= COUNTED and len(sizes) <= MANY_LAYERS
    best, fewest = nodes.copy(), _crossings(forth, place, sizes) if counted else 0
    for _ in range(SWEEPS):
        if counted and not fewest:
            break
        for parts, forward in ((forth, True), (back, False)):
            if len(sizes) > MANY_LAYERS:
                _sort_all(nodes, place, layer, parts, start)
            else:
                _sort_each(nodes, place, parts, start, forward=forward)
            crossings = _crossings(forth, place, sizes) if counted else 0
            if not counted or crossings < fewest:
                best, fewest = nodes.copy(), crossings
    return Order(best, start, found.layer_of_place)


def _sort_each(nodes: Ints, place: Floats, parts: _Parts, start: Ints, *, forward: bool) -> None:
    """Sort one layer after the other by the mean place of the neighbours, in place."""
    bounds, part_bounds = start.tolist(), parts.start.tolist()
    layers = range(len(bounds) - 1)
    for k in layers if forward else reversed(layers):
        low, high = bounds[k], bounds[k + 1]
        begin, end = part_bounds[k], part_bounds[k + 1]
        if high - low < 2 or begin == end:  # noqa: PLR2004
            continue
        own = nodes[low:high]
        local = place[parts.near[begin:end]].astype(np.int64)
        far = place[parts.far[begin:end]] + parts.tilt[begin:end]
        degree = np.bincount(local, minlength=high - low)
        total = np.bincount(local, far, minlength=high - low)
        far_size = bounds[k] - bounds[k - 1] if forward else bounds[k + 2] - bounds[k + 1]
        scale = far_size / (high - low)
        stay = np.arange(high - low) * scale
        mean = np.where(degree > 0, total / np.maximum(degree, 1), stay)
        nodes[low:high] = own = own[np.argsort(mean, kind="stable")]
        place[own] = np.arange(high - low)


def _sort_all(nodes: Ints, place: Floats, layer: Ints, parts: _Parts, start: Ints) -> None:
    """Sort all layers at once, each by its neighbours as they were, in place."""
    n = len(nodes)
    size = np.diff(start)[layer]
    share = (place + 0.5) / size
    degree = np.bincount(parts.near, minlength=n)
    far = share[parts.far] + parts.tilt / size[parts.far]
    total = np.bincount(parts.near, far, minlength=n)
    mean = np.where(degree > 0, total / np.maximum(degree, 1), share)
    nodes[:] = nodes[np.lexsort((mean[nodes], layer[nodes]))]
    place[nodes] = np.arange(n) - start[layer[nodes]]


def _crossings(parts: _Parts, place: Floats, sizes: Ints) -> int:
    """Return how many pairs of links cross, by counting links below and to the left of each."""
    total = 0
    bounds = parts.start.tolist()
    rows, columns = place[parts.far].astype(np.int64), place[parts.near].astype(np.int64)
    for k in range(1, len(sizes)):
        begin, end = bounds[k], bounds[k + 1]
        if end - begin < 2:  # noqa: PLR2004
            continue
        links = np.zeros((int(sizes[k - 1]) + 1, int(sizes[k]) + 1))
        np.add.at(links, (rows[begin:end] + 1, columns[begin:end] + 1), 1)
        before = links.cumsum(axis=0).cumsum(axis=1)
        above_right = before[:-1, -1:] - before[:-1, 1:]
        total += int((links[1:, 1:] * above_right).sum())
    return total
