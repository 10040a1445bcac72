"""A plan in the making: the steps so far, the places in the job, and what has been found wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dlg.jobs.errors import JobError, JobProblem
from dlg.jobs.expressions import RAW, Surroundings, evaluate, is_expression
from dlg.jobs.finding import Named, Scope
from dlg.jobs.language import parse
from dlg.jobs.limits import STEPS_A_TASK, Meter
from dlg.jobs.plan import Decision, Gate, Late, Plan, PlannedTask

MAX_STEPS = 1_000_000
MAX_PROBLEMS = 100


class TooMuchError(Exception):
    """Enough is wrong, or the job is too large to go on; the problems tell."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the unrolled job the walk is, and what holds there."""

    key: str
    scope: Scope
    around: Surroundings
    gate: Gate | None
    job_name: str
    working_directory: str

    def inside(self, key: str, **changed: Any) -> Place:
        """Return the place of what is inside this one; changes to metadata are added to it."""
        added = changed.pop("metadata", None)
        around = self.around
        if added:
            around = around.inside({**around.metadata, **added})
        gate = changed.pop("gate", self.gate)
        return Place(
            key, Scope(self.scope), around, gate,
            changed.get("job_name", self.job_name),
            changed.get("working_directory", self.working_directory),
        )  # fmt: skip


@dataclass(slots=True)
class Draft:
    """A plan in the making."""

    plan: Plan
    problems: list[JobProblem] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    """What the steps name, to be found when all are there."""
    paths: dict[str, int] = field(default_factory=dict)
    """The number of each product by its path."""
    keys: set[str] = field(default_factory=set)
    meter: Meter = field(default_factory=Meter)

    def say(self, pointer: str, message: str) -> None:
        """Note a problem; raise `TooMuchError` when there are plenty."""
        self.problems.append(JobProblem(pointer, message))
        if len(self.problems) >= MAX_PROBLEMS:
            raise TooMuchError

    def stop(self, pointer: str) -> None:
        """Note that the job takes too long to be worked out, and raise `TooMuchError`."""
        self.say(pointer, "all that is in this job takes too long to be worked out")
        raise TooMuchError

    def add(self, step: PlannedTask | Decision) -> int:
        """Add a step; return its number. Too many are refused."""
        if len(self.plan.steps) >= MAX_STEPS:
            self.say(step.pointer, f"the job comes to more than {MAX_STEPS} tasks")
            raise TooMuchError
        if step.key in self.keys:  # a name may look as one that was made up
            step.key = f"{step.key}~{len(self.plan.steps)}"
        self.keys.add(step.key)
        self.meter.left += STEPS_A_TASK
        self.plan.steps.append(step)
        return len(self.plan.steps) - 1

    def known(self, value: Any, around: Surroundings, key: str, where: str) -> Any:
        """Return a value that must be known before anything runs."""
        if not isinstance(value, str):
            return value
        reason = "this must be known before the job runs: no requested_metadata"
        try:
            if not is_expression(value):
                return value.strip()
            if not parse(value).late:
                return evaluate(value, around, f"{key}:{where}")
        except JobError as error:
            reason = str(error)
        self.say(where, reason)
        return ""

    def settled(
        self, value: Any, place: Place, where: str, path: tuple[str | int, ...], late: list[Late]
    ) -> Any:
        """Return a setting with what is known of it; note in `late` what is not."""
        self.meter.left -= 4  # about what it takes, in steps of an expression
        if self.meter.left < 0:
            self.stop(where)
        if isinstance(value, Mapping):
            return {
                self.known(key, place.around, place.key, where): item
                if key in RAW
                else self.settled(item, place, f"{where}/{key}", (*path, key), late)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [
                self.settled(item, place, f"{where}/{number}", (*path, number), late)
                for number, item in enumerate(value)
            ]
        if is_late(value):
            late.append(Late(path, value))
            return None
        return self.known(value, place.around, place.key, where)


def is_late(value: Any) -> bool:
    """Return whether a value is an expression that needs results."""
    return is_expression(value) and parse(value).late
