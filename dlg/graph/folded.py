"""Where to draw the nodes of a big graph: in layers, each folded into as many columns as it needs.

A graph of thousands of drops is seldom deep; most of it is a few layers with thousands of nodes
each, which as one column each would make a drawing like a thread. Here every layer becomes a block
of columns, all equally high, so that the whole fits a screen. Blocks of the same size have their
nodes in the same places: the links of parallel pipelines run level.

Pure: numbers in, numbers out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dlg.graph.layout import Bools, Floats, Ints, layers_of
from dlg.graph.layout_order import order_layers


@dataclass(frozen=True, slots=True)
class Cells:
    """The room each node gets, and the shape of the whole."""

    width: float = 26.0
    height: float = 16.0
    gap: float = 64.0
    """What is kept free between layers."""
    aspect: float = 1.8
    """How much wider than high the drawing may get by folding."""


@dataclass(frozen=True, slots=True)
class Folded:
    """The middles of all nodes; the upper left corner of the drawing is (0, 0)."""

    x: Floats
    y: Floats
    backward: Bools
    """Links that lead against the direction of the drawing, as they close a cycle."""


def lay_out_folded(
    n: int, src: npt.ArrayLike, dst: npt.ArrayLike, cells: Cells | None = None
) -> Folded:
    """Return places for `n` nodes, of which no two share a cell and links lead to the right."""
    cells = cells or Cells()
    first, second = np.asarray(src, dtype=np.int64), np.asarray(dst, dtype=np.int64)
    layer, turned = layers_of(n, first, second)
    if not n:
        return Folded(np.zeros(0), np.zeros(0), turned)
    down = np.where(turned, second, first), np.where(turned, first, second)
    proper = down[0] != down[1]
    flat = np.zeros(int(proper.sum()))
    order = order_layers(
        layer, down[0][proper], down[1][proper], (flat, flat), np.zeros(0, dtype=np.int64)
    )
    counts = np.diff(order.start)
    rows = rows_for(counts, cells)
    place = np.arange(n) - order.start[order.layer_of_place]
    columns = -(-counts // rows)
    left = np.concatenate([[0.0], np.cumsum(columns * cells.width + cells.gap)[:-1]])
    # Layers of one column stand in the middle; in wider ones only the last column may be short.
    above = (rows - np.minimum(counts, rows)) / 2
    x, y = np.empty(n), np.empty(n)
    which = order.layer_of_place
    x[order.nodes] = left[which] + (place // rows + 0.5) * cells.width
    y[order.nodes] = (above[which] + place % rows + 0.5) * cells.height
    return Folded(x, y, turned)


def rows_for(counts: Ints, cells: Cells) -> int:
    """Return how high columns are: the least height with which the drawing is not too wide."""
    low, high = 1, int(counts.max())
    while low < high:
        rows = (low + high) // 2
        width = float((-(-counts // rows)).sum()) * cells.width + cells.gap * (len(counts) - 1)
        if width <= cells.aspect * rows * cells.height:
            high = rows
        else:
            low = rows + 1
    return low
