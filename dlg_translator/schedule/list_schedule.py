"""List scheduling: nodes with processors, apps in order of urgency, each where it ends earliest.

This is HEFT (Topcuoglu, Hariri and Wu, 2002) on a graph whose data are nodes too: data take no
time and stand where they are made; data nobody makes stand where they are read first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlg_translator.schedule.dag import Dag, Ints, Numbers, Rows
from dlg_translator.schedule.order import checked_levels
from dlg_translator.schedule.paths import times_to_end

UNPLACED = -1


@dataclass(frozen=True, slots=True)
class Machines:
    """Nodes with `cores` processors each; an app takes its time divided by the node's speed."""

    speeds: tuple[float, ...]
    cores: int = 1
    bandwidth: float = 1.0
    """Volume that moves between two nodes in one unit of time."""

    def __len__(self) -> int:
        return len(self.speeds)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which node every row is on and when it runs there."""

    node_of: Rows
    start: Numbers
    finish: Numbers
    order: Ints
    """Rows as they were placed; apps of a node take its processors in this order."""

    @property
    def makespan(self) -> float:
        """When the last one ends."""
        return float(self.finish.max(initial=0))


def urgency_order(dag: Dag, machines: Machines) -> Ints:
    """Return the rows by falling distance to the end, each after those before it.

    Raises `CycleError` if there is a cycle.
    """
    level = checked_levels(dag)
    speed = sum(machines.speeds) / len(machines)
    # The average cost of an edge: it moves unless both its ends are on the same node.
    moving = (1 - 1 / len(machines)) / machines.bandwidth
    scaled = Dag(
        dag.n, dag.src, dag.dst, dag.node_weight / speed, dag.edge_weight, dag.is_app, dag.num_cpus
    )
    rank = times_to_end(scaled, dag.edge_weight * moving)
    # Rounding must not put a row before one it waits for.
    return np.lexsort((np.arange(dag.n), level, -np.round(rank, 9)))


class _Placing:
    """Where rows have been put so far, and when each processor is free again."""

    def __init__(self, dag: Dag, machines: Machines) -> None:
        self.machines = machines
        self.before_start, self.before = dag.before.lists()
        self.volume = (dag.edge_weight[dag.before.edge] / machines.bandwidth).tolist()
        self.weight = dag.node_weight.tolist()
        self.cpus = np.minimum(dag.num_cpus, machines.cores).tolist()
        self.is_app = dag.is_app.tolist()
        self.node = [UNPLACED] * dag.n
        self.start = [0.0] * dag.n
        self.finish = [0.0] * dag.n
        self.free = [[0.0] * machines.cores for _ in machines.speeds]

    def arrivals(self, row: int) -> list[float]:
        """Return when all that `row` waits for can be on each node."""
        anywhere, local = 0.0, dict[int, float]()
        second, first_node = 0.0, UNPLACED
        for place in range(self.before_start[row], self.before_start[row + 1]):
            previous = self.before[place]
            node, ready = self.node[previous], self.finish[previous]
            if node == UNPLACED:  # such data can stand anywhere, from the beginning
                continue
            arrival = ready + self.volume[place]
            local[node] = max(local.get(node, 0.0), ready)
            if node == first_node:
                anywhere = max(anywhere, arrival)
            elif arrival > anywhere:
                second, anywhere, first_node = anywhere, arrival, node
            elif arrival > second:
                second = arrival
        times = [anywhere] * len(self.machines)
        for node, ready in local.items():
            # On a node, what was made there need not move; all the rest must.
            times[node] = max(ready, second if node == first_node else anywhere)
        return times

    def place(self, row: int) -> None:
        """Put `row` where it ends earliest; data follow what makes them."""
        begin, end = self.before_start[row], self.before_start[row + 1]
        if self.is_app[row]:
            self._run(row)
        elif begin < end:
            self._settle(row, *_earliest(self.arrivals(row)))
        for place in range(begin, end):
            if self.node[self.before[place]] == UNPLACED:
                self.node[self.before[place]] = self.node[row]

    def _run(self, row: int) -> None:
        node, start = self._best_node(row, self.arrivals(row))
        self._settle(row, node, start, start + self.weight[row] / self.machines.speeds[node])
        cpus = self.cpus[row]
        if cpus > 0:
            free = self.free[node]
            self.free[node] = sorted(free[cpus:] + [self.finish[row]] * cpus)

    def _best_node(self, row: int, arrivals: Sequence[float]) -> tuple[int, float]:
        weight, cpus = self.weight[row], self.cpus[row]
        best, best_end, best_start = 0, float("inf"), 0.0
        for node, (arrival, speed) in enumerate(zip(arrivals, self.machines.speeds, strict=True)):
            free = self.free[node][cpus - 1] if cpus > 0 else 0.0
            start = max(arrival, free)
            if start + weight / speed < best_end:
                best, best_end, best_start = node, start + weight / speed, start
        return best, best_start

    def _settle(self, row: int, node: int, start: float, finish: float | None = None) -> None:
        self.node[row] = node
        self.start[row], self.finish[row] = start, start if finish is None else finish


def _earliest(times: list[float]) -> tuple[int, float]:
    best = min(times)
    return times.index(best), best


def schedule(dag: Dag, machines: Machines) -> Schedule:
    """Return who runs where and when. Raises `CycleError` if there is a cycle."""
    order = urgency_order(dag, machines)
    placing = _Placing(dag, machines)
    for row in order.tolist():
        placing.place(row)
    node_of = np.maximum(np.asarray(placing.node, np.int32), 0)  # data that nobody uses
    return Schedule(node_of, np.asarray(placing.start), np.asarray(placing.finish), order)
