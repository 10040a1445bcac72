"""Steps of a job become tasks of the database: with what they need, make, and are to do.

A step is registered once it is known that it is to be done, so decisions (branches, and loops that
go on while something holds) register what follows from them. A job has a namespace of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dlg.jobs.plan import Decision, Plan, PlannedTask, Region
from dlg.jobs.unfolding import Fate, Unfolding
from dlg_engine.tasks import schema
from dlg_engine.tasks.records import metadata_rows
from dlg_engine.tasks.registering import METADATA_COLUMNS, NewTask, Ref, place_of, register_tasks
from dlg_engine.tasks.statements import chunks, insert_rows

ROOT_TYPE = "execution_chain"
"""The type of the task that stands for a whole job."""
BRANCH_TYPE = "execution_conditional"
LOOP_TYPE = "execution_do_while_loop"
JOIN_TYPE = "execution_join"
"""The type of tasks that wait for a group of others, and put together what they have told."""
DESCRIPTION = "task_description"
PLAN = "job_plan"
"""Metadata of a job: what its plan must come to again."""
OURS = frozenset({ROOT_TYPE, BRANCH_TYPE, LOOP_TYPE, JOIN_TYPE})
RESERVED = frozenset({DESCRIPTION, PLAN})
Step = PlannedTask | Decision


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job in the database, with its plan."""

    job_id: int
    namespace: str
    unfolding: Unfolding

    @property
    def plan(self) -> Plan:
        """Return the plan."""
        return self.unfolding.plan


def digest_of(plan: Plan) -> str:
    """Return a hash of a plan, by which a release is found out that plans differently."""
    parts = hashlib.sha256()
    for step in plan.steps:
        parts.update(f"{step.key}\0{step.gate}\n".encode())
    return parts.hexdigest()


def register_steps(session: Session, job: JobPlan, nodes: Sequence[int]) -> list[int]:
    """Register steps and groups of a job, of which all that they need is known; return tasks."""
    batch = _Batch(session, job, nodes)
    numbers = register_tasks(session, [batch.task(node) for node in nodes])
    batch.tasks.update(zip(nodes, numbers, strict=True))
    rows = [(job.job_id, node, task, None) for node, task in zip(nodes, numbers, strict=True)]
    insert_rows(session, schema.job_step, ("job_id", "step", "task_id", "outcome"), rows)
    described = [
        (number, {DESCRIPTION: json.dumps(batch.description(node))})
        for node, number in zip(nodes, numbers, strict=True)
    ]
    texts = list(metadata_rows(session, described))
    insert_rows(session, schema.task_metadata, METADATA_COLUMNS, texts)
    return numbers


class _Batch:
    """What is registered at once, and what is known of what was before."""

    def __init__(self, session: Session, job: JobPlan, nodes: Sequence[int]) -> None:
        self._session, self._job = session, job
        self._plan, self._unfolding = job.plan, job.unfolding
        self._count = len(self._plan.steps)
        self._places = {node: place for place, node in enumerate(nodes)}
        self.tasks = self._known_tasks(nodes)
        self._products = self._known_products(nodes)

    def task(self, node: int) -> NewTask:
        """Return a node as a task to be registered."""
        step = self._step(node)
        before = [self._ref(one) for one in dict.fromkeys(self._before(node))]
        if isinstance(step, PlannedTask):
            return NewTask(
                task_type=step.type, job_name=step.job_name, task_name=step.name or None,
                working_directory=step.working_directory.strip("/"),
                namespace=self._job.namespace, parent=self._job.job_id,
                inputs=dict(self._inputs(step)), input_metadata=before,
                outputs=self._outputs(step), metadata=step.metadata, tries=step.retries + 1,
            )  # fmt: skip
        kind, name = JOIN_TYPE, None
        if step is not None:
            kind, name = LOOP_TYPE if step.repeats else BRANCH_TYPE, step.name
        return NewTask(
            task_type=kind, job_name=self._plan.job_name, task_name=name or None,
            namespace=self._job.namespace, parent=self._job.job_id, input_metadata=before,
            metadata={} if step is None else step.metadata,
        )  # fmt: skip

    def description(self, node: int) -> dict[str, Any]:
        """Return what a worker has to know of a registered node."""
        step = self._step(node)
        if step is None:
            return self._join(self._region(node))
        known: dict[str, Any] = {"key": step.key, "step": node, "name": step.name}
        if self._plan.seed:
            known["seed"] = self._plan.seed
        if step.requires:
            known["requires"] = {
                name: self.tasks[self._unfolding.node_of(one)]
                for name, one in step.requires.items()
            }
            groups = [name for name, one in step.requires.items() if isinstance(one, Region)]
            known |= {"groups": groups} if groups else {}
        if isinstance(step, Decision):
            kind = LOOP_TYPE if step.repeats else BRANCH_TYPE
            return {"task": kind, **known, "criterion": step.criterion, "limit": step.limit}
        known = {"task": step.type, **known, "settings": step.settings}
        if step.qc_criterion is not None:
            known["qc_criterion"] = step.qc_criterion
        if step.late:
            known["late"] = [[list(one.path), one.expression] for one in step.late]
        if step.gathered:
            names = {name: list(self._gathered(step, name)) for name in step.gathered}
            known["gathered"] = {
                name: [each for each, _ in found] for name, found in names.items()
            }
            known["last"] = sorted(step.last)
        return known

    def _join(self, region: Region) -> dict[str, Any]:
        about: dict[str, Any] = {"task": JOIN_TYPE, "key": f"join of {region.key}"}
        if region in self._unfolding.told:
            about["told"] = [
                self.tasks[one]
                for one in self._unfolding.steps_in(region)
                if isinstance(self._plan.steps[one], PlannedTask)
            ]
        return about

    # -- what a node needs ----------------------------------------------------------------

    def _step(self, node: int) -> Step | None:
        """Return the step that a node is; None for a group."""
        return self._plan.steps[node] if node < self._count else None

    def _region(self, node: int) -> Region:
        return self._unfolding.joins[node - self._count]

    def _before(self, node: int) -> Iterator[int]:
        """Yield what must be over, besides those that make its files."""
        step = self._step(node)
        if step is None:
            yield from self._unfolding.steps_in(self._region(node))
            return
        for one in (*step.requires.values(), *step.waits):
            yield self._unfolding.node_of(one)
        if isinstance(step, PlannedTask):
            yield from (one for one in step.ends if self._unfolding.fate(one) is Fate.LIVE)

    def _ref(self, node: int) -> int | Ref:
        return Ref(self._places[node]) if node in self._places else self.tasks[node]

    def _inputs(self, step: PlannedTask) -> Iterator[tuple[str, int | tuple[Ref, str]]]:
        for name, product in step.inputs.items():
            yield name, self._product(product)
        for name in step.gathered:
            for each, product in self._gathered(step, name):
                yield each, self._product(product)

    def _gathered(self, step: PlannedTask, name: str) -> Iterator[tuple[str, int]]:
        """Yield the products that are there of a list, with what each is called as an input."""
        for number, product in enumerate(step.gathered[name]):
            if self._unfolding.maker_of(product) is not None:
                yield f"{name}[{number}]", product

    def _product(self, product: int) -> int | tuple[Ref, str]:
        maker = self._unfolding.maker_of(product)
        if maker not in self._places:
            return self._products[product]
        step = self._plan.steps[maker]
        assert isinstance(step, PlannedTask)  # noqa: S101  who makes a product is a task
        name = next(name for name, made in step.outputs.items() if made == product)
        return Ref(self._places[maker]), name

    def _outputs(self, step: PlannedTask) -> dict[str, str]:
        folder = step.working_directory.strip("/")
        skip = len(folder) + 1 if folder else 0
        return {
            name: self._plan.products[product].path[skip:]
            for name, product in step.outputs.items()
        }

    # -- what is known --------------------------------------------------------------------

    def _known_tasks(self, nodes: Sequence[int]) -> dict[int, int]:
        wanted = {one for node in nodes for one in self._before(node)} - self._places.keys()
        table = schema.job_step
        found: dict[int, int] = {}
        for chunk in chunks(sorted(wanted)):
            query = select(table.c.step, table.c.task_id)
            query = query.where(table.c.job_id == self._job.job_id, table.c.step.in_(chunk))
            found.update(self._session.execute(query).all())
        return found

    def _known_products(self, nodes: Iterable[int]) -> dict[int, int]:
        wanted: dict[str, int] = {}
        for product in {one for node in nodes for one in _read_by(self._step(node))}:
            maker = self._unfolding.maker_of(product)
            if maker is not None and maker not in self._places:
                directory, _, name = self._plan.products[product].path.rpartition("/")
                wanted[place_of(self._job.namespace, directory, name)] = product
        table = schema.product
        found: dict[int, int] = {}
        for chunk in chunks(wanted):
            query = select(table.c.place, table.c.id).where(table.c.place.in_(chunk))
            found.update((wanted[place], number) for place, number in self._session.execute(query))
        return found


def _read_by(step: Step | None) -> Iterator[int]:
    """Yield the products that a step reads."""
    if isinstance(step, PlannedTask):
        yield from step.inputs.values()
        for many in step.gathered.values():
            yield from many
