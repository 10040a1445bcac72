"""Play a division through: events in time, processors taken and given back.

The order in which the apps of a node may take its processors is given; the times are found here,
independently of whoever made the schedule.
"""

from __future__ import annotations

import heapq

import numpy as np

from dlg_translator.schedule.dag import Dag, Ints, Numbers, Rows
from dlg_translator.schedule.list_schedule import Machines
from dlg_translator.schedule.order import checked_levels


class _Play:
    def __init__(self, dag: Dag, node_of: Rows, order: Ints, machines: Machines) -> None:
        self.after_start, self.after = dag.after.lists()
        moved = node_of[dag.src] != node_of[dag.dst]
        cost = np.where(moved, dag.edge_weight / machines.bandwidth, 0.0)
        self.delay: list[float] = cost[dag.after.edge].tolist()
        self.node: list[int] = node_of.tolist()
        self.length: list[float] = (
            dag.node_weight / np.asarray(machines.speeds)[node_of]
        ).tolist()
        self.needs: list[int] = np.minimum(dag.num_cpus, machines.cores).tolist()
        self.missing: list[int] = np.diff(dag.before.start).tolist()
        self.ready = [0.0] * dag.n
        self.finish = [0.0] * dag.n
        self.cores = [[0.0] * machines.cores for _ in machines.speeds]
        self.queues: list[list[int]] = [[] for _ in machines.speeds]
        for row in order.tolist()[::-1]:
            if self.needs[row] > 0:
                self.queues[self.node[row]].append(row)
        self.ended: list[tuple[float, int]] = []

    def run(self) -> None:
        for row, missing in enumerate(list(self.missing)):
            if not missing and not self.needs[row]:
                self._start(row, 0.0)
        for node in range(len(self.queues)):
            self._start_queued(node)
        while self.ended:
            _, row = heapq.heappop(self.ended)
            for place in range(self.after_start[row], self.after_start[row + 1]):
                self._arrived(self.after[place], self.finish[row] + self.delay[place])

    def _arrived(self, row: int, time: float) -> None:
        self.ready[row] = max(self.ready[row], time)
        self.missing[row] -= 1
        if self.missing[row]:
            return
        if self.needs[row]:
            self._start_queued(self.node[row])
        else:
            self._start(row, self.ready[row])

    def _start_queued(self, node: int) -> None:
        queue = self.queues[node]
        while queue and not self.missing[queue[-1]]:
            row = queue.pop()
            cores, needs = self.cores[node], self.needs[row]
            start = max(self.ready[row], cores[needs - 1])
            self._start(row, start)
            self.cores[node] = sorted(cores[needs:] + [self.finish[row]] * needs)

    def _start(self, row: int, time: float) -> None:
        self.finish[row] = time + self.length[row]
        heapq.heappush(self.ended, (self.finish[row], row))


def simulate(dag: Dag, node_of: Rows, order: Ints, machines: Machines) -> Numbers:
    """Return when each row ends. Raises `CycleError` if there is a cycle."""
    checked_levels(dag)
    play = _Play(dag, node_of, order, machines)
    play.run()
    return np.asarray(play.finish)
