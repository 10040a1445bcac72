"""Jobs: a physical graph of the tasks of one, with the files that go between them.

    [task] -> file -> [task] -> record -> [decision] -> gate -> [task]

Tasks are apps, their products are files. What only results can decide is in the graph as well:
both ways of a branch, and as many iterations of a loop as there may be, each behind a gate. What
is behind a gate that stays closed is skipped, so that everything that is true of graphs (nodes,
retries, resuming, reuse) is true of jobs. Engines that let a graph grow while it runs are given
that form of it instead (`GrowingJob`), which has no gates: it has what is to be done.

Who waits for a group of tasks has a join before it, so that links are as many as tasks, and not
as pairs of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from dlg.apps.job_types import OURS, path_of
from dlg.exceptions import InvalidGraphException
from dlg.graph.problems import Problem
from dlg.jobs.errors import InvalidJobError
from dlg.jobs.parsing import parse_job
from dlg.jobs.plan import Decision, Plan, PlannedTask, Region
from dlg.jobs.planning import plan_job
from dlg.jobs.reading import YAML, read_document
from dlg.jobs.unfolding import Fate, Unfolding
from dlg.support.garbage import held_off

TASK_APP = "dlg.apps.job_task.JobTaskApp"
DECISION_APP = "dlg.apps.job_task.JobDecisionApp"
JOIN_APP = "dlg.apps.job_task.JobJoinApp"
FILE = "dlg.data.file.FileDROP"
MEMORY = "dlg.data.memory.InMemoryDROP"
START = "start of the job"

Spec = dict[str, Any]


class JobGraph(NamedTuple):
    """A job as a physical graph."""

    specs: list[Spec]
    """The whole, with all that may come to be."""
    growing: Callable[[], GrowingJob] | None
    """Makes the form of it that grows while it runs; None if nothing is decided in it."""


def job_specs(source: str | Path) -> list[Spec]:
    """Return the dropspecs of the physical graph of the job in a file.

    Raises `JobError` if it is no job, and `InvalidGraphException` with all that is wrong with it.
    """
    return specs_of(read_document(source), str(source))


def specs_of(document: Any, source: str = "job") -> list[Spec]:
    """Return the dropspecs of the physical graph of a job."""
    return graph_of(document, source).specs


def graph_of(document: Any, source: str = "job") -> JobGraph:
    """Return the physical graph of a job."""
    try:
        with held_off():
            plan = plan_job(parse_job(document, source))
            grows = any(step.gate for step in plan.steps)
            return JobGraph(plan_specs(plan), partial(GrowingJob, plan) if grows else None)
    except InvalidJobError as error:
        raise InvalidGraphException(
            str(error),
            [Problem(code="job", message=p.message, pointer=p.pointer) for p in error.problems],
            source,
        ) from error


def is_job_file(path: str | Path, head: bytes) -> bool:
    """Return whether a file is meant as a job: YAML, or JSON with a list of tasks at the top.

    `head` is how it begins.
    """
    if Path(path).suffix.lower() in YAML:
        return True
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{" or b'"nodeDataArray"' in head:
        return False
    return b'"task_list"' in head


def plan_specs(plan: Plan) -> list[Spec]:
    """Return the dropspecs of the physical graph of a plan."""
    building = _Building(plan)
    for number in range(len(plan.steps)):
        building.add_step(number)
    building.add_products(range(len(plan.products)))
    for number in sorted(building.records):
        building.add_record(number)
    for region in building.joins:
        building.add_join(region)
    building.add_start()
    return building.specs


class GrowingJob:
    """A job in the graph of which is only what is known to be done: see `dlg.graph.growing`."""

    def __init__(self, plan: Plan) -> None:
        self._unfolding = Unfolding(plan)
        self._building = _Building(plan, self._unfolding)
        self._numbers = {
            step.key: number
            for number, step in enumerate(plan.steps)
            if isinstance(step, Decision)
        }

    def begin(self) -> list[Spec]:
        """Return the drops to begin with."""
        found = self._grown(self._unfolding.begin())
        self._building.add_start()
        return [*found, *self._building.taken()]

    def decide(self, decision: str, taken: bool) -> list[Spec]:
        """Return the drops that follow from a decision."""
        return self._grown(self._unfolding.decide(self._numbers[decision], taken))

    def _grown(self, nodes: list[int]) -> list[Spec]:
        building, plan = self._building, self._unfolding.plan
        for node in nodes:
            if node >= len(plan.steps):
                building.add_join(self._unfolding.joins[node - len(plan.steps)])
                continue
            building.add_step(node)
            step = plan.steps[node]
            if isinstance(step, PlannedTask):
                building.add_products(step.outputs.values())
            if node in building.records:
                building.add_record(node)
        return building.taken()


class _Building:
    """A graph in the making: all of it, or as much as is known of one that grows."""

    def __init__(self, plan: Plan, unfolding: Unfolding | None = None) -> None:
        self.plan, self.unfolding = plan, unfolding
        self.specs: list[Spec] = []
        self.records: set[int] = set()
        """The tasks whose results, or whose end, somebody needs."""
        self.gates: dict[int, set[bool]] = {}
        self.joins: dict[Region, bool] = {}
        """The groups somebody waits for, and whether what their tasks told is wanted."""
        self._find_records()

    def taken(self) -> list[Spec]:
        """Return what has been added since the last time."""
        found, self.specs = self.specs, []
        return found

    def _find_records(self) -> None:
        """Find out what more than files somebody needs of the steps."""
        for step in self.plan.steps:
            for one in step.requires.values():
                self._need(one, collect=True)
            for one in step.waits:
                self._need(one, collect=False)
            if isinstance(step, PlannedTask):
                self.records.update(step.ends)
            if step.gate is not None:
                self.gates.setdefault(step.gate.decision, set()).add(step.gate.taken)
        for region in self.joins:
            self.records.update(range(region.start, region.end))

    def _need(self, one: int | Region, *, collect: bool) -> None:
        if isinstance(one, Region):
            self.joins[one] = self.joins.get(one, False) or collect
        else:
            self.records.add(one)

    # -- what is in the graph -------------------------------------------------------------

    def add_step(self, number: int) -> None:
        """Add a task or decision as an app."""
        step = self.plan.steps[number]
        if isinstance(step, PlannedTask):
            self._add_task(number, step)
        else:
            self._add_decision(number, step)

    def _add_task(self, number: int, step: PlannedTask) -> None:
        inputs = [{self._product(one): f"input:{name}"} for name, one in step.inputs.items()]
        inputs += [
            {self._product(one): f"all:{name}"} for name, many in step.gathered.items()
            for one in many if self._is_made(one)
        ]  # fmt: skip
        outputs = [{self._product(one): f"output:{name}"} for name, one in step.outputs.items()]
        if number in self.records:
            outputs.append({self._record(number): "record"})
        more: Spec = {}
        if step.gathered:
            # Of many inputs some may have been skipped; the app sees to the others itself.
            more = {"gathered": list(step.gathered), "last": sorted(step.last), "block_skip": True}
            inputs.append({START: "wait"})
            inputs += [{self._record(one): "over"} for one in step.ends if self._is_done(one)]
        if step.type not in OURS:
            more["func_name"] = path_of(step.type)  # so that its code is sent to nodes
        if step.qc_criterion is not None:
            more["qc_criterion"] = step.qc_criterion
        if step.late:
            more["late"] = [[list(one.path), one.expression] for one in step.late]
        self.specs.append(
            {
                "oid": step.key, "name": step.name or step.key, "categoryType": "Application",
                "dropclass": TASK_APP, "task": step.type, "task_name": step.name,
                "job_name": step.job_name, "key": step.key, "settings": step.settings,
                "metadata": step.metadata, "seed": self.plan.seed, "n_tries": step.retries + 1,
                "inputs": [*inputs, *self._before(step)], "outputs": outputs, **more,
            }
        )  # fmt: skip

    def _add_decision(self, number: int, step: Decision) -> None:
        # With the ways to go on that somebody goes; in a graph that grows there are no gates.
        ways = set() if self.unfolding else self.gates.get(number, set())
        outputs = [{self._gate(number, way): "then" if way else "else"} for way in sorted(ways)]
        for way in ways:
            self._data(self._gate(number, way))
        if number in self.records:
            outputs.append({self._record(number): "over"})
        self.specs.append(
            {
                "oid": step.key, "name": step.key, "categoryType": "Application",
                "dropclass": DECISION_APP, "criterion": step.criterion, "key": step.key,
                "limit": step.limit, "metadata": step.metadata, "seed": self.plan.seed,
                "inputs": self._before(step), "outputs": outputs,
            }
        )  # fmt: skip

    def add_products(self, numbers: Iterable[int]) -> None:
        """Add files."""
        for product in (self.plan.products[number] for number in numbers):
            spec: Spec = {
                "oid": _path(product.path), "name": product.path, "categoryType": "Data",
                "dropclass": FILE, "filepath": product.path, "persist": True,
            }  # fmt: skip
            if len(product.makers) > 1:
                spec["block_skip"] = True  # made in one branch or the other
            self.specs.append(spec)

    def add_record(self, number: int) -> None:
        """Add what a task tells, or that a decision has been taken."""
        self._data(self._record(number))

    def add_join(self, region: Region) -> None:
        """Add an app that waits for a group."""
        inputs: list[Any] = [
            {self._record(number): "record" if self._is_task(number) else "wait"}
            for number in range(region.start, region.end) if self._is_done(number)
        ]  # fmt: skip
        over = _over(region)
        self.specs.append(
            {
                "oid": f"join of {region.key}", "name": f"join of {region.key}",
                "categoryType": "Application", "dropclass": JOIN_APP,
                "collect": self.joins[region], "block_skip": True,
                "inputs": [*inputs, {START: "wait"}], "outputs": [over],
            }
        )  # fmt: skip
        self._data(over)

    def add_start(self) -> None:
        """Add the start of the job, if somebody needs it."""
        if self.joins or any(task.gathered for task in self.plan.tasks):
            self._data(START)

    # -- names ----------------------------------------------------------------------------

    def _is_done(self, number: int) -> bool:
        """Return whether a step is in the graph, as far as that is known."""
        return self.unfolding is None or self.unfolding.fate(number) is Fate.LIVE

    def _is_made(self, product: int) -> bool:
        return self.unfolding is None or self.unfolding.maker_of(product) is not None

    def _data(self, oid: str) -> None:
        spec = {"oid": oid, "name": oid, "categoryType": "Data", "dropclass": MEMORY}
        # Who comes to a graph that grows may want what others have done with.
        self.specs.append(spec if self.unfolding is None else {**spec, "expireAfterUse": False})

    def _before(self, step: PlannedTask | Decision) -> list[Mapping[str, str]]:
        """Return what a step needs besides files."""
        found = [
            {self._end_of(one): f"metadata:{name}"} for name, one in step.requires.items()
        ]  # fmt: skip
        taken = {oid for link in found for oid in link}
        waits = dict.fromkeys(self._end_of(one) for one in step.waits)
        found += [{oid: "wait"} for oid in waits if oid not in taken]
        if step.gate is not None and self.unfolding is None:
            found.append({self._gate(*step.gate): "gate"})
        return list(found)

    def _end_of(self, one: int | Region) -> str:
        return _over(one) if isinstance(one, Region) else self._record(one)

    def _is_task(self, number: int) -> bool:
        return isinstance(self.plan.steps[number], PlannedTask)

    def _record(self, number: int) -> str:
        return f"record of {self.plan.steps[number].key}"

    def _gate(self, decision: int, taken: bool) -> str:
        return f"{self.plan.steps[decision].key} ({'then' if taken else 'else'})"

    def _product(self, number: int) -> str:
        return _path(self.plan.products[number].path)


def _path(path: str) -> str:
    return f"file {path}"


def _over(region: Region) -> str:
    return f"end of {region.key}"
