"""Which node comes when: levels, an order of all rows, and one cycle where there is no order.

The level of a row is the number of edges of the longest path to it. Wide graphs are levelled a
whole front at a time by numpy; where fronts stay narrow (long chains) a call for each of them
would cost more than a loop over the rows, so the rest is done row by row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlg_translator.schedule.dag import CycleError, Dag, Ints, Rows, derived, sorted_places

NARROW_ROWS = 32
PATIENCE = 100
"""So many narrow fronts are done by numpy before going row by row."""
UNREACHED = -1


@derived
def levels(dag: Dag) -> Rows:
    """Return the level of each row; -1 for those on a cycle or behind one."""
    level = np.full(dag.n, UNREACHED, np.int32)
    waiting = np.diff(dag.before.start)
    front = np.flatnonzero(waiting == 0)
    depth = narrow = 0
    while len(front) and narrow < PATIENCE:
        level[front] = depth
        narrow += len(front) < NARROW_ROWS
        reached, times = np.unique(dag.after.other[dag.after.edges_of(front)], return_counts=True)
        waiting[reached] -= times
        front = reached[waiting[reached] == 0]
        depth += 1
    if len(front):
        _row_by_row(dag, level, waiting, front.tolist())
    return level


def _row_by_row(dag: Dag, level: Rows, waiting: Ints, front: list[int]) -> None:
    start, other = dag.after.lists()
    left = waiting.tolist()
    depth = int(level.max(initial=UNREACHED)) + 1
    order: list[int] = []
    ends: list[int] = []
    while front:
        order += front
        ends.append(len(order))
        following = []
        for row in front:
            for place in range(start[row], start[row + 1]):
                target = other[place]
                left[target] -= 1
                if not left[target]:
                    following.append(target)
        front = following
    sizes = np.diff(ends, prepend=0)
    level[order] = np.repeat(np.arange(depth, depth + len(ends)), sizes)


def checked_levels(dag: Dag) -> Rows:
    """Return the levels; raise `CycleError` if there is a cycle."""
    level = levels(dag)
    if dag.n and int(level.min()) == UNREACHED:
        raise CycleError(find_cycle(dag))
    return level


def is_acyclic(dag: Dag) -> bool:
    """Return whether the rows can be put in order."""
    return int(levels(dag).min(initial=0)) != UNREACHED


def topological_order(dag: Dag) -> Ints:
    """Return all rows, each after those before it; raise `CycleError` if there is a cycle."""
    return np.argsort(checked_levels(dag), kind="stable")


def find_cycle(dag: Dag) -> list[int]:
    """Return the rows of one cycle in the direction of its edges; empty if there is none."""
    stuck = levels(dag) == UNREACHED
    if not stuck.any():
        return []
    # Every stuck row waits for a stuck one, so walking backwards must come round.
    inside = stuck[dag.src] & stuck[dag.dst]
    previous = np.full(dag.n, UNREACHED, np.int64)
    previous[dag.dst[inside]] = dag.src[inside]
    row, seen = int(np.flatnonzero(stuck)[0]), dict[int, int]()
    while row not in seen:
        seen[row] = len(seen)
        row = int(previous[row])
    return list(seen)[seen[row] :][::-1]


@dataclass(frozen=True, slots=True)
class Waves:
    """Edges in the order in which a value can be carried along them, all of a level at once."""

    edges: Ints
    """The edges by the level, then the row, they lead to."""
    bounds: Ints
    """Wave k is `edges[bounds[k]:bounds[k + 1]]`."""
    firsts: Ints
    """Where in `edges` the edges of another row begin."""
    first_bounds: Ints
    """Which of `firsts` are in wave k, like `bounds`."""

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def narrow(self) -> bool:
        """Whether one edge at a time is faster than one wave at a time."""
        return len(self.edges) < 150 * len(self)  # the factor is measured


@derived
def waves(dag: Dag) -> Waves:
    """Return the waves of a graph; raise `CycleError` if there is a cycle."""
    level = checked_levels(dag)
    depth = int(level.max(initial=0))
    target = dag.dst
    packed = level[target].astype(np.int64) * dag.n + target
    edges = sorted_places(packed)
    sorted_rows = packed[edges]
    firsts = np.flatnonzero(np.diff(sorted_rows, prepend=-1))
    marks = np.arange(1, depth + 2, dtype=np.int64) * max(dag.n, 1)
    bounds = np.searchsorted(sorted_rows, marks)
    return Waves(edges, bounds, firsts, np.searchsorted(firsts, bounds))
