"""Tasks as rows of lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import MOST, looking, of_tasks, with_types
from dlg_engine.tasks.states import TaskState

_attempt, _task, _type = schema.attempt, schema.task, schema.task_type


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


def fetch_tasks(  # noqa: PLR0913  each is a filter
    job_name: str | None = None,
    task_type: str | None = None,
    state: TaskState | None = None,
    *,
    after: int = 0,
    most: int = MOST,
    namespace: str | None = None,
    database: Database | None = None,
) -> tuple[TaskRow, ...]:
    """Return tasks by number, at most so many and those that come after the task `after`."""
    query = task_query().where(_task.c.id > after, *of_tasks(job_name, task_type, namespace))
    if state is not None:
        query = query.where(_task.c.state == state.value)
    with looking(database) as session:
        rows = session.execute(query.order_by(_task.c.id).limit(most)).all()
    return tuple(TaskRow(*row) for row in rows)
