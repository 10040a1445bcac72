"""A job becomes a plan: loops are unrolled, names and files found, and everything is judged.

Two passes. The first walks through the job with the metadata of each place and makes the steps;
the second finds what each step names, as that may stand behind it. All problems are collected,
with the place in the document that they come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlg.jobs import model
from dlg.jobs.circles import find_circle
from dlg.jobs.counting import least_tasks
from dlg.jobs.drafting import MAX_STEPS, Draft, Place, TooMuchError, is_late
from dlg.jobs.errors import InvalidJobError, JobError
from dlg.jobs.expressions import Surroundings, evaluate, is_expression
from dlg.jobs.finding import Finder, Named, Scope
from dlg.jobs.names import check_name
from dlg.jobs.plan import Decision, Gate, Plan, Region
from dlg.jobs.planned_tasks import plan_task
from dlg.jobs.ranges import values_of


def plan_job(job: model.Job) -> Plan:
    """Return what a job comes to; raise `InvalidJobError` with all that is wrong with it."""
    draft = Draft(Plan(job.job_name, job.seed, source=job.source))
    planner = _Planner(job, draft)
    try:
        planner.walk()
        planner.finish()
    except TooMuchError:
        pass
    if draft.problems:
        raise InvalidJobError(draft.problems, job.source)
    return draft.plan


@dataclass(frozen=True, slots=True)
class _Planner:
    job: model.Job
    draft: Draft

    def walk(self) -> None:
        """Make all steps."""
        around = Surroundings(seed=self.job.seed, meter=self.draft.meter)
        names = {
            key: self.draft.known(getattr(self.job, key), around, "", f"/{key}")
            for key in ("job_name", "working_directory")
        }
        self.draft.plan.job_name = names["job_name"]
        if least_tasks(self.job.body) > MAX_STEPS:  # told at once, and not after making so many
            self.draft.say("", f"the job comes to more than {MAX_STEPS} tasks")
            return
        top = Place("", Scope(None), around, None, **names)
        self._chain(self.job.body, top)

    def finish(self) -> None:
        """Find what the steps name, and see that nothing waits for itself."""
        finder = Finder(self.draft.plan, self.draft.paths, self.draft.say)
        for one in self.draft.named:
            finder.settle(one)
        if not self.draft.problems and (circle := find_circle(self.draft.plan)):
            first = self.draft.plan.steps[circle[0]]
            words = " needs ".join(repr(self.draft.plan.steps[number].key) for number in circle)
            self.draft.say(first.pointer, f"tasks need each other in a circle: {words}")

    # -- entries --------------------------------------------------------------------------

    def _chain(self, chain: model.Chain, place: Place) -> None:
        """Make the steps of a chain, whose scope is that of `place`."""
        if chain.metadata:
            added = {
                key: self.draft.known(
                    value, place.around, place.key, f"{chain.pointer}/metadata/{key}"
                )
                for key, value in chain.metadata.items()
            }
            changed = place.around.inside({**place.around.metadata, **added})
            place = Place(
                place.key, place.scope, changed, place.gate, place.job_name,
                place.working_directory,
            )  # fmt: skip
        before: int | Region | None = None
        for number, entry in enumerate(chain.entries):
            try:
                made = self._entry(entry, place, number, before if chain.in_order else None)
            except JobError as error:
                self.draft.say(entry.pointer, str(error))
                continue
            before = made

    def _entry(
        self, entry: model.Entry, place: Place, number: int, before: int | Region | None
    ) -> int | Region:
        name = self._name(entry, place)
        label = name or f"{_kind(entry)}-{number}"
        key = f"{place.key}/{label}" if place.key else label
        start = len(self.draft.plan.steps)
        inner = place.inside(key, **self._places(entry, place))
        if isinstance(entry, model.Task):
            made: int | Region = plan_task(self.draft, entry, inner, name)
        else:
            self._group(entry, inner)
            made = Region(key, start, len(self.draft.plan.steps))
        if name and not place.scope.add(name, made):
            self.draft.say(f"{entry.pointer}/name", f"there is another {name!r} in this list")
        self._needs(entry, place, range(start, len(self.draft.plan.steps)), before)
        return made

    def _name(self, entry: model.Entry, place: Place) -> str:
        """Return the name of an entry; empty if it has none."""
        if entry.name is None:
            return ""
        name = self.draft.known(entry.name, place.around, place.key, f"{entry.pointer}/name")
        if reason := check_name(name):
            self.draft.say(f"{entry.pointer}/name", reason)
            return ""
        return str(name)

    def _places(self, entry: model.Entry, place: Place) -> dict[str, str]:
        """Return the job name and directory that an entry says, if it does."""
        return {
            key: self.draft.known(value, place.around, place.key, f"{entry.pointer}/{key}")
            for key in ("job_name", "working_directory")
            if (value := getattr(entry, key)) is not None
        }

    def _needs(
        self, entry: model.Entry, place: Place, steps: range, before: int | Region | None
    ) -> None:
        """Note what an entry needs: a task or its decision itself, what is a group all of it."""
        if not (entry.requires or entry.wait_for or before is not None):
            return
        requires, waits = (
            {
                self.draft.known(name, place.around, place.key, entry.pointer): entry.pointer
                for name in names
            }
            for names in (entry.requires, entry.wait_for)
        )
        if requires and isinstance(entry, model.Chain | model.ForLoop | model.Repeat):
            self.draft.say(
                f"{entry.pointer}/requires_metadata_from",
                "a list of tasks cannot use results itself; the tasks in it can",
            )
        for number in steps:
            step = self.draft.plan.steps[number]
            if before is not None:
                step.waits.append(before)
            own = isinstance(entry, model.Task) or (
                isinstance(entry, model.Conditional) and number == steps.start
                and isinstance(step, Decision)
            )  # fmt: skip
            self.draft.named.append(
                Named(number, place.scope, requires if own else {}, waits, within=steps)
            )

    def _group(self, entry: model.Entry, place: Place) -> None:
        if isinstance(entry, model.Chain):
            self._chain(entry, place)
        elif isinstance(entry, model.ForLoop):
            self._for_loop(entry, place)
        elif isinstance(entry, model.Conditional):
            self._conditional(entry, place)
        elif isinstance(entry, model.Repeat):
            self._repeat(entry, place)

    def _for_loop(self, loop: model.ForLoop, place: Place) -> None:
        where = f"{loop.pointer}/{loop.kind}"
        try:
            values = values_of(loop.kind, loop.values, place.around, place.key)
        except JobError as error:
            self.draft.say(where, str(error))
            return
        name, index = loop.parameter, f"{loop.parameter}_index"
        for number, value in enumerate(values):
            added = {name: value, index: number}
            self._chain(loop.body, place.inside(f"{place.key}[{number}]", metadata=added))

    def _conditional(self, branch: model.Conditional, place: Place) -> None:
        if not is_late(branch.criterion):
            found = evaluate(branch.criterion, place.around, place.key)
            self._chain(branch.then if found else branch.otherwise, place)
            return
        number = self._decide(branch, branch.criterion, place, place.key)
        for taken, body in ((True, branch.then), (False, branch.otherwise)):
            word = "then" if taken else "else"
            self._chain(body, place.inside(f"{place.key}/{word}", gate=Gate(number, taken)))

    def _repeat(self, loop: model.Repeat, place: Place) -> None:
        index, late = f"{loop.iteration_name}_index", is_late(loop.criterion)
        gate = place.gate
        for number in range(1, loop.max_iterations + 1):
            key = f"{place.key}[{number}]"
            inner = place.inside(key, metadata={index: number}, gate=gate)
            self._chain(loop.body, inner)
            if not late:
                if not evaluate(loop.criterion, inner.around, inner.key):
                    return
                continue
            decision = self._decide(loop, loop.criterion, inner, f"{key}/again")
            if number == loop.max_iterations:
                step = self.draft.plan.steps[decision]
                assert isinstance(step, Decision)  # noqa: S101  made just before
                step.limit = number
            gate = Gate(decision, taken=True)
            children = {
                self.draft.known(name, inner.around, key, loop.pointer):
                f"{loop.pointer}/requires_metadata_from_child" for name in loop.from_child
            }  # fmt: skip
            self.draft.named.append(Named(decision, inner.scope, children, {}, range(0)))
        if not late:
            reason = f"it would still go on after {loop.max_iterations} iterations"
            self.draft.say(f"{loop.pointer}/repeat_criterion", reason)

    def _decide(self, entry: model.Entry, criterion: Any, place: Place, key: str) -> int:
        return self.draft.add(
            Decision(
                key=key, pointer=entry.pointer, metadata=place.around.metadata, gate=place.gate,
                criterion=criterion, repeats=isinstance(entry, model.Repeat),
            )
        )  # fmt: skip


def _kind(entry: model.Entry) -> str:
    if isinstance(entry, model.Task):
        return str(entry.type).strip()[:40] if not is_expression(entry.type) else "task"
    words = {model.Chain: "chain", model.ForLoop: "loop", model.Conditional: "branch"}
    return words.get(type(entry), "repeat")
