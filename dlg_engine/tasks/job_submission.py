"""Jobs are put into the database of tasks: judged as a whole, and then in one transaction.

What only results can decide is not in the database before it is decided: `job_growth` registers
what follows. Each job has a namespace of its own, so that it can be submitted again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from dlg.apps.job_types import handler_of
from dlg.exceptions import UsageError
from dlg.jobs.errors import InvalidJobError, JobProblem
from dlg.jobs.parsing import parse_job
from dlg.jobs.plan import Plan, PlannedTask
from dlg.jobs.planning import plan_job
from dlg.jobs.reading import parse_document
from dlg.jobs.unfolding import Unfolding
from dlg.support import clock
from dlg.support.garbage import held_off
from dlg_engine.tasks import schema
from dlg_engine.tasks.bells import bell_of, ring_within
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.job_registering import (
    DESCRIPTION,
    OURS,
    PLAN,
    RESERVED,
    ROOT_TYPE,
    JobPlan,
    digest_of,
    register_steps,
)
from dlg_engine.tasks.progress import reset_tasks
from dlg_engine.tasks.registering import NewTask, place_of, register_tasks
from dlg_engine.tasks.statements import ids_of, repeated
from dlg_engine.tasks.states import TaskState
from dlg_engine.tasks.task_database import TaskDatabaseConnection

LONGEST_NAME = 240
"""Of what tables keep in columns of 255: names may get a number behind them."""
LONGEST_DIRECTORY = 512
LONGEST_NAMESPACE = 64

LOOK_S = 0.5
"""How long one waits for a job before one looks: its end alone makes nobody ring."""


@dataclass(frozen=True, slots=True)
class SubmittedJob:
    """A job in the database."""

    job_id: int
    """The number of the task that stands for it; all its tasks are below that."""
    job_name: str
    namespace: str
    """Where the names of its files are unique, and the folder of the store that has them."""
    tasks: int
    """How many tasks are registered."""
    undecided: int
    """How many steps more there may be, which results will decide."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How a job stands."""

    job_id: int
    states: dict[str, int]
    """How many of its tasks are in each state."""

    @property
    def state(self) -> TaskState:
        """Return that of the whole: active as long as something is still to come of it."""
        if self.states.get(TaskState.WAITING, 0) or self.states.get(TaskState.ACTIVE, 0):
            return TaskState.ACTIVE
        bad = self.states.get(TaskState.FAILED, 0) or self.states.get(TaskState.BLOCKED, 0)
        return TaskState.FAILED if bad else TaskState.DONE

    @property
    def is_over(self) -> bool:
        """Return whether nothing more will happen by itself."""
        return self.state is not TaskState.ACTIVE


def submit_job(
    tasks: TaskDatabaseConnection,
    document: Any,
    *,
    source: str = "job",
    namespace: str | None = None,
) -> SubmittedJob:
    """Put the job that a document describes into the database, all of it or nothing.

    `namespace` is where the names of its files are unique; None makes a new one. Raises
    `InvalidJobError` with all that is wrong with the job, `EntryExistsError` if the namespace has
    one of its files already, TaskSystemError for what is no namespace.
    """
    _check_namespace(namespace or "")
    text = json.dumps(document)
    with held_off():
        # As those who go on with it will read it.
        plan = plan_job(parse_job(parse_document(text, source), source))
        problems = list(_unfit(plan))
        known = tasks.task_type_list_from_db().task_list
        problems += _unknown_types(plan, known)
        if problems:
            raise InvalidJobError(problems, source)

        def register() -> SubmittedJob:
            with tasks.transaction() as session:
                return _register(session, plan, text, namespace)

        made = repeated(register)
    bell = bell_of(tasks.database)
    bell.ring()
    bell.close()
    return made


def _check_namespace(name: str) -> None:
    if len(name) > LONGEST_NAMESPACE:
        raise TaskSystemError(f"a namespace has up to {LONGEST_NAMESPACE} characters: {name!r}")
    place_of(name, "", "any")  # refuses what would leave the store


def _register(session: Session, plan: Plan, text: str, namespace: str | None) -> SubmittedJob:
    types = {step.type for step in plan.steps if isinstance(step, PlannedTask)}
    ids_of(session, schema.task_type, types | OURS)
    root = NewTask(
        task_type=ROOT_TYPE, job_name=plan.job_name, namespace=namespace or "", configured=False,
        metadata={DESCRIPTION: text, PLAN: digest_of(plan)},
    )  # fmt: skip
    (job_id,) = register_tasks(session, [root])
    space = namespace or f"job-{job_id}"
    # That a job is expanded is all there is to do for its own task.
    values = {"namespace": space, "state": TaskState.DONE.value}
    table = schema.task
    session.execute(update(table).where(table.c.id == job_id).values(values))
    unfolding = Unfolding(plan)
    nodes = unfolding.begin()
    register_steps(session, JobPlan(job_id, space, unfolding), nodes)
    ring_within(session)
    return SubmittedJob(job_id, plan.job_name, space, len(nodes), unfolding.undecided())


def _unfit(plan: Plan) -> Iterator[JobProblem]:
    """Yield what the tables cannot keep."""
    for product in plan.products:
        if len(product.path.rpartition("/")[0]) > LONGEST_DIRECTORY:
            pointer = plan.steps[product.makers[0]].pointer
            yield JobProblem(pointer, f"a directory has up to {LONGEST_DIRECTORY} characters")
    yield from _unfit_names([plan.job_name], "/job_name")
    checked: set[int] = set()
    for step in plan.steps:
        names: list[str] = []
        if isinstance(step, PlannedTask):
            names = [step.job_name, *step.inputs, *step.gathered, *step.outputs]
            lists = tuple(f"{name}[" for name in step.gathered)
            for name in (one for one in step.inputs if lists and one.startswith(lists)):
                yield JobProblem(step.pointer, f"{name!r} is what one of a list is called")
        if id(step.metadata) not in checked:  # that of a list of tasks is one object
            checked.add(id(step.metadata))
            names += step.metadata
            for name in RESERVED & step.metadata.keys():
                yield JobProblem(
                    step.pointer, f"metadata {name!r} is what the database has itself"
                )
        yield from _unfit_names(names, step.pointer)


def _unfit_names(names: Iterable[str], pointer: str) -> Iterator[JobProblem]:
    for name in names:
        if len(name) > LONGEST_NAME:
            yield JobProblem(pointer, f"a name has up to {LONGEST_NAME} characters")
        if "\0" in name:
            yield JobProblem(pointer, f"{name!r} is no name: it has a NUL in it")


def _unknown_types(plan: Plan, known: Iterable[str]) -> Iterator[JobProblem]:
    """Yield which types nobody knows: neither the database, nor is there a module for it here."""
    seen = set(known)
    for step in plan.steps:
        if isinstance(step, PlannedTask) and step.type not in seen:
            seen.add(step.type)
            try:
                handler_of(step.type)
            except UsageError as error:
                yield JobProblem(f"{step.pointer}/task", str(error))


def job_progress(tasks: TaskDatabaseConnection, job_id: int) -> JobProgress:
    """Return how a job stands; raise NoSuchEntryError if there is no such job."""
    table, kind = schema.task, schema.task_type
    with tasks.database.reading() as session:
        query = select(table.c.id).join(kind, kind.c.id == table.c.type_id)
        if session.scalar(query.where(table.c.id == job_id, kind.c.name == ROOT_TYPE)) is None:
            raise NoSuchEntryError("job", job_id)
        states = select(table.c.state, func.count()).where(table.c.parent_id == job_id)
        found: dict[str, int] = dict(session.execute(states.group_by(table.c.state)).all())
    return JobProgress(job_id, found)


def wait_for_job(
    tasks: TaskDatabaseConnection, job_id: int, timeout_s: float = math.inf
) -> JobProgress:
    """Return how a job stands when nothing more will come of it, or after so many seconds."""
    until = clock.monotonic() + timeout_s
    bell = bell_of(tasks.database)
    try:
        while True:
            bell.listen()
            bell.heard()
            found = job_progress(tasks, job_id)
            left = until - clock.monotonic()
            if found.is_over or left <= 0:
                return found
            bell.wait(min(left, LOOK_S))
    finally:
        bell.close()


def reopen_job(tasks: TaskDatabaseConnection, job_id: int, tries: int = 1) -> int:
    """Give tasks of a job that have failed so many more attempts; return how many tasks.

    Those that were blocked by them wait again.
    """
    job_progress(tasks, job_id)
    table = schema.task

    def reopen() -> int:
        with tasks.transaction() as session:
            failed = select(table.c.id).where(
                table.c.parent_id == job_id, table.c.state == TaskState.FAILED.value
            )
            numbers = list(session.scalars(failed.order_by(table.c.id)))
            reset_tasks(session, numbers, tries)
            ring_within(session)
            return len(numbers)

    found = repeated(reopen)
    bell = bell_of(tasks.database)
    bell.ring()
    bell.close()
    return found
