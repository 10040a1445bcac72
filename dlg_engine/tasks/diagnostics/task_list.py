"""Lists of jobs and of tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import MOST, looking, of_tasks, with_types
from dlg_engine.tasks.states import TaskState

_attempt, _task, _type = schema.attempt, schema.task, schema.task_type


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """How many tasks of a job stand how."""

    job_name: str | None
    """None for tasks that belong to no job."""
    created: float
    """When the first of its tasks was registered."""
    waiting: int = 0
    active: int = 0
    done: int = 0
    failed: int = 0
    blocked: int = 0

    @property
    def total(self) -> int:
        """Return how many tasks it has."""
        return sum(getattr(self, state.value) for state in TaskState)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task in a list."""

    task_id: int
    parent_id: int | None
    job_name: str | None
    task_type: str
    task_name: str | None
    state: str
    created: float
    attempts: int
    tries: int
    """How many attempts it may have."""
    missing: int
    """How many of the things it needs are not there."""
    not_before: float | None
    """When it will be tried again."""


def fetch_jobs(*, database: Database | None = None) -> tuple[JobSummary, ...]:
    """Return all jobs, newest first."""
    query = select(
        _task.c.job_name, _task.c.state, func.count(), func.min(_task.c.created)
    ).group_by(_task.c.job_name, _task.c.state)
    counts: dict[str | None, dict[str, int]] = {}
    begun: dict[str | None, float] = {}
    with looking(database) as session:
        for name, state, number, created in session.execute(query):
            counts.setdefault(name, {})[state] = int(number)
            begun[name] = min(created, begun.get(name, created))
    made = [
        JobSummary(job_name=name, created=begun[name], **states) for name, states in counts.items()
    ]
    return tuple(sorted(made, key=lambda job: job.created, reverse=True))


def task_query() -> Select[Any]:
    """Return a query for the columns of `TaskRow`, in their order."""
    number = (
        select(func.count()).where(_attempt.c.task_id == _task.c.id).scalar_subquery()
    )  # an index has it
    return with_types(
        select(
            _task.c.id, _task.c.parent_id, _task.c.job_name, _type.c.name, _task.c.task_name,
            _task.c.state, _task.c.created, number, _task.c.tries, _task.c.missing,
            _task.c.not_before,
        ).select_from(_task)
    )  # fmt: skip


def fetch_tasks(
    job_name: str | None = None,
    task_type: str | None = None,
    state: TaskState | None = None,
    *,
    after: int = 0,
    most: int = MOST,
    database: Database | None = None,
) -> tuple[TaskRow, ...]:
    """Return tasks by number, at most so many and those that come after the task `after`."""
    query = task_query().where(_task.c.id > after, *of_tasks(job_name, task_type))
    if state is not None:
        query = query.where(_task.c.state == state.value)
    with looking(database) as session:
        rows = session.execute(query.order_by(_task.c.id).limit(most)).all()
    return tuple(TaskRow(*row) for row in rows)
