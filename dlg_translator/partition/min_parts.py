"""The fewest parts with which the graph can be done before a deadline."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dlg.exceptions import UsageError
from dlg_translator.partition.contract import Division, check_positive
from dlg_translator.schedule.dag import Dag
from dlg_translator.schedule.list_schedule import Machines, Schedule, schedule
from dlg_translator.schedule.paths import completion
from dlg_translator.schedule.quality import without_empty


class DeadlineError(UsageError):
    """A deadline cannot be met; `best` is the earliest end that was found."""

    def __init__(self, deadline: float, best: float, why: str) -> None:
        super().__init__(f"the deadline {deadline:g} cannot be met: {why}")
        self.deadline, self.best = deadline, best


@dataclass(frozen=True, kw_only=True)
class MinParts:
    """Schedule on more and more nodes of `max_cpu` processors until the deadline is met."""

    name: ClassVar[str] = "min_parts"
    deadline: float
    """When everything must be done, in the unit of execution times."""
    max_cpu: int = 8
    """Processors of a part."""

    def __post_init__(self) -> None:
        check_positive(self, deadline=self.deadline, max_cpu=self.max_cpu)

    def divide(self, dag: Dag, parts: int | None) -> Division:
        """Return the fewest parts found, at most `parts`, or raise `DeadlineError`."""
        longest = completion(dag)
        if longest > self.deadline:
            raise DeadlineError(self.deadline, longest, f"the longest path takes {longest:g}")
        work = float((dag.node_weight * np.minimum(dag.num_cpus, self.max_cpu)).sum())
        fewest = max(math.ceil(work / (self.deadline * self.max_cpu)), 1)
        most = max(parts or int(dag.is_app.sum()), 1)
        found = _first_in_time(lambda count: self._on(dag, count), fewest, most, self.deadline)
        if found.makespan > self.deadline:
            why = f"on {most} parts of {self.max_cpu} processors it takes {found.makespan:g}"
            raise DeadlineError(self.deadline, found.makespan, why)
        return Division(without_empty(found.node_of)[0])

    def _on(self, dag: Dag, parts: int) -> Schedule:
        return schedule(dag, Machines((1.0,) * parts, self.max_cpu))


def _first_in_time(
    attempt: Callable[[int], Schedule], fewest: int, most: int, deadline: float
) -> Schedule:
    """Return the schedule on the fewest parts that is in time, or the best that was tried.

    The number is doubled until it is enough and then narrowed down. More parts may make a greedy
    schedule longer, but seldom and by little, so this finds the fewest or nearly so.
    """
    low, count = fewest, min(fewest, most)
    best = attempt(count)
    while best.makespan > deadline and count < most:
        low, count = count + 1, min(2 * count, most)
        best = min(best, attempt(count), key=lambda s: s.makespan)
    while low < count and best.makespan <= deadline:
        middle = (low + count) // 2
        trial = attempt(middle)
        if trial.makespan <= deadline:
            best, count = trial, middle
        else:
            low = middle + 1
    return best
