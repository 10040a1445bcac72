"""Names in a job, and what they stand for: entries of the same list, or of lists around it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlg.jobs.model import Gathering
from dlg.jobs.plan import Decision, Plan, PlannedTask, Region


class Scope:
    """The named entries of one list, in one iteration."""

    __slots__ = ("around", "entries")

    def __init__(self, around: Scope | None) -> None:
        self.around = around
        self.entries: dict[str, int | Region] = {}

    def add(self, name: str, entry: int | Region) -> bool:
        """Give an entry a name; return False if it is taken."""
        return self.entries.setdefault(name, entry) is entry

    def find(self, name: str) -> int | Region | None:
        """Return what a name stands for here."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.entries.get(name)
            if found is not None:
                return found
            scope = scope.around
        return None

    def known(self) -> list[str]:
        """Return all names that stand for something here."""
        found: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            found += scope.entries
            scope = scope.around
        return found


@dataclass(slots=True)
class Named:
    """What one step names, to be found once all steps are there."""

    step: int
    scope: Scope
    requires: Mapping[str, str]
    """Names by whose results it is evaluated, with where that is said."""
    waits: Mapping[str, str]
    within: range
    """The steps of the entry that says so, for which it cannot wait itself."""
    files: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    """What its inputs are, each with where that is said."""


class Finder:
    """Writes into the steps of a plan what they name."""

    def __init__(
        self, plan: Plan, paths: Mapping[str, int], say: Callable[[str, str], None]
    ) -> None:
        self.plan, self.paths, self.say = plan, paths, say
        self._told: set[tuple[str, str]] = set()

    def settle(self, named: Named) -> None:
        """Find everything that a step names."""
        step = self.plan.steps[named.step]
        for name, where in named.requires.items():
            found = self._entry(named, name, where)
            if found is not None:
                step.requires[name] = found
        for name, where in named.waits.items():
            found = self._entry(named, name, where)
            if found is not None:
                step.waits.append(found)
        if isinstance(step, PlannedTask):
            for semantic, (where, one) in named.files.items():
                self._file(named, step, semantic, where, one)

    def _entry(self, named: Named, name: str, where: str) -> int | Region | None:
        found = named.scope.find(name)
        if found is None:
            self._unknown(where, name, named.scope.known(), "entry")
            return None
        inside = found == named.step or found in named.within
        if isinstance(found, Region):
            inside = found.start <= named.step < found.end
        if inside:
            self._once(where, f"{name!r} would wait for itself")
            return None
        return found

    def _file(self, named: Named, step: PlannedTask, semantic: str, where: str, one: Any) -> None:
        if isinstance(one, Gathering):
            step.gathered[semantic] = self._gathered(named, step, where, one)
            if one.last:
                step.last |= {semantic}
            return
        if not one:
            return  # what is wrong with it has been told
        number = self.paths.get(one)
        if number is None:
            folder = step.working_directory
            known = [path for path in self.paths if path.startswith(folder)]
            self._unknown(where, one, known, "product")
        elif named.step in self.plan.products[number].makers:
            self._once(where, f"the task would make {one!r} of itself")
        else:
            step.inputs[semantic] = number

    def _gathered(
        self, named: Named, gatherer: PlannedTask, where: str, one: Gathering
    ) -> list[int]:
        region = self._entry(named, str(one.source), where)
        if region is None:
            return []
        first = region.start if isinstance(region, Region) else region
        steps = (
            self.plan.steps[region.start : region.end]
            if isinstance(region, Region)
            else [self.plan.steps[region]]
        )
        found = [
            step.outputs[one.output]
            for step in steps
            if isinstance(step, PlannedTask) and one.output in step.outputs
        ]
        gatherer.ends += [
            number
            for number, step in enumerate(steps, first)
            if isinstance(step, Decision) and step.limit
        ]
        if not found and steps:
            tasks = [step for step in steps if isinstance(step, PlannedTask)]
            made = {name for task in tasks for name in task.outputs}
            self._unknown(where, str(one.output), sorted(made), f"product in {one.source!r}")
        return list(dict.fromkeys(found))

    def _unknown(self, where: str, name: str, known: list[str], what: str) -> None:
        if (where, name) in self._told:
            return  # the same in another iteration
        near = difflib.get_close_matches(name, known[:2000], 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        self._once(where, f"there is no {what} {name!r}{hint}", name)

    def _once(self, where: str, message: str, name: str = "") -> None:
        if (where, name or message) not in self._told:
            self._told.add((where, name or message))
            self.say(where, message)
