"""How much runs at the same time when everything starts as early as it can."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dlg_translator.schedule.dag import Dag, Ints, Numbers, derived, sums
from dlg_translator.schedule.order import checked_levels
from dlg_translator.schedule.paths import earliest_starts


@dataclass(frozen=True, slots=True)
class Usage:
    """Processors in use over time: `used[k]` from `times[k]` until `times[k + 1]`."""

    times: Numbers
    used: Numbers

    @property
    def peak(self) -> int:
        """The most that are in use at any time."""
        return int(self.used.max(initial=0))

    @property
    def peak_time(self) -> float:
        """When the peak is reached first."""
        return float(self.times[int(self.used.argmax())]) if len(self.used) else 0.0


def durations(dag: Dag) -> Numbers:
    """Return how long each app runs; those said to take no time take as long as the shortest.

    Otherwise a graph without any times would seem to use no processor at all.
    """
    known = dag.node_weight[dag.node_weight > 0]
    shortest = known.min() if len(known) else 1
    return np.where(dag.is_app & (dag.node_weight <= 0), shortest, dag.node_weight)


@dataclass(frozen=True, slots=True)
class Runs:
    """When each app runs if it starts as early as it can."""

    rows: Ints
    start: Numbers
    finish: Numbers


@derived
def earliest_runs(dag: Dag) -> Runs:
    """Return when each app runs, all for some time. Raises `CycleError` if there is a cycle."""
    length = durations(dag)
    lasting = dag if (length == dag.node_weight).all() else replace(dag, node_weight=length)
    rows = np.flatnonzero(dag.is_app)
    start = earliest_starts(lasting)[rows]
    return Runs(rows, start, start + length[rows])


def usage(dag: Dag) -> Usage:
    """Return the processors in use over time. Raises `CycleError` if there is a cycle."""
    runs = earliest_runs(dag)
    return usage_of(runs.start, runs.finish, dag.num_cpus[runs.rows])


def usage_of(start: Numbers, finish: Numbers, amount: Numbers) -> Usage:
    """Return how much is in use over time by what needs `amount` from `start` to `finish`."""
    times, at = np.unique(np.concatenate([start, finish]), return_inverse=True)
    change = sums(at, np.concatenate([amount, -amount]), len(times))
    return Usage(times, np.cumsum(change))


def level_widths(dag: Dag) -> Numbers:
    """Return the processors that the apps of each level need together."""
    return sums(checked_levels(dag), dag.num_cpus, 1) if dag.n else np.zeros(1, np.int64)
