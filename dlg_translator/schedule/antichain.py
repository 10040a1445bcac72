"""The most processors that could ever be in use together: the maximum weighted antichain.

By Dilworth's theorem it is what is left when as many apps as possible hand their processors on to
an app that comes after them, which is a maximum flow. The network follows the edges of the graph
itself, so that the transitive closure is never made. For big graphs that takes too long; there the
widest level, or the busiest moment if that is more, is given: real antichains, hence bounds from
below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from dlg_translator.schedule.dag import Dag, Ints
from dlg_translator.schedule.flow import UNLIMITED, Network
from dlg_translator.schedule.order import checked_levels
from dlg_translator.schedule.parallelism import earliest_runs, level_widths, usage

EXACT_UP_TO = 2_000
"""Nodes and edges of the biggest graph for which the flow is computed."""

Method = Literal["dilworth", "widest level", "busiest moment"]


@dataclass(frozen=True, slots=True)
class Antichain:
    """Apps none of which waits for another, and the processors they need together."""

    weight: int
    rows: Ints
    method: Method

    @property
    def exact(self) -> bool:
        """Whether there is surely none of more weight."""
        return self.method == "dilworth"


def antichain(dag: Dag, exact_up_to: int = EXACT_UP_TO) -> Antichain:
    """Return the heaviest antichain, or a heavy one if the graph is too big for the exact answer.

    Raises `CycleError` if there is a cycle.
    """
    checked_levels(dag)
    if dag.n + len(dag.src) <= exact_up_to:
        return _by_flow(dag)
    by_level, by_time = _widest_level(dag), _busiest_moment(dag)
    return by_level if by_level.weight >= by_time.weight else by_time


def _by_flow(dag: Dag) -> Antichain:
    # Row r is two places: 2r, where flow from before arrives, and 2r + 1, where it goes on.
    source, sink = 2 * dag.n, 2 * dag.n + 1
    network = Network(2 * dag.n + 2, source, sink)
    weight = dag.num_cpus.tolist()
    for row, cpus in enumerate(weight):
        network.add(2 * row, 2 * row + 1, UNLIMITED)
        if cpus > 0:
            network.add(source, 2 * row + 1, cpus)
            network.add(2 * row, sink, cpus)
    for row, target in zip(dag.src.tolist(), dag.dst.tolist(), strict=True):
        network.add(2 * row + 1, 2 * target, UNLIMITED)
    handed_on = network.maximum()
    near = network.reachable()
    rows = [r for r in range(dag.n) if near[2 * r + 1] and not near[2 * r] and weight[r] > 0]
    return Antichain(sum(weight) - handed_on, np.asarray(rows, np.int64), "dilworth")


def _widest_level(dag: Dag) -> Antichain:
    widths = level_widths(dag)
    widest = int(widths.argmax())
    rows = np.flatnonzero((checked_levels(dag) == widest) & (dag.num_cpus > 0))
    return Antichain(int(widths[widest]), rows, "widest level")


def _busiest_moment(dag: Dag) -> Antichain:
    busy, runs = usage(dag), earliest_runs(dag)
    # Every app lasts for some time, so those that run at one moment cannot follow each other.
    now = (runs.start <= busy.peak_time) & (runs.finish > busy.peak_time)
    return Antichain(busy.peak, runs.rows[now & (dag.num_cpus[runs.rows] > 0)], "busiest moment")
