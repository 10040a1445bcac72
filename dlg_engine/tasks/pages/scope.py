"""Which tasks are meant, and how each of them stands in one word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, literal, select

from dlg_engine.tasks import schema
from dlg_engine.tasks.states import AttemptState, TaskState

_task, _attempt = schema.task, schema.attempt

VERDICTS = (
    "passed", "rejected", "failed", "blocked", "judging", "running", "queued", "waiting",
)  # fmt: skip
"""How a task stands: by its own state and, where that is not all, by its attempts."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The tasks of a job, or all."""

    job: str | None = None
    """The name of a job, "" for tasks that belong to none; None for all tasks."""
    namespace: str | None = None
    """A job may be submitted again under its name: each time in a namespace of its own."""

    def clauses(self) -> list[ColumnElement[bool]]:
        """Return the conditions on tasks."""
        found: list[ColumnElement[bool]] = []
        if self.job is not None:
            name = _task.c.job_name
            found.append(name == self.job if self.job else name.is_(None))
        if self.namespace is not None:
            found.append(_task.c.namespace == self.namespace)
        return found

    @property
    def everything(self) -> bool:
        """Whether all tasks are meant."""
        return self.job is None and self.namespace is None


def newest_first(query: Select[Any], scope: Scope) -> Select[Any]:
    """Return a query on attempts, with their tasks, that begins with the newest attempt.

    Of a job the database may look for its tasks first. For all MariaDB would too, and sort.
    """
    query = query.where(*scope.clauses()).order_by(_attempt.c.id.desc())
    if not scope.everything:
        return query
    for dialect in ("mysql", "mariadb"):
        query = query.prefix_with("STRAIGHT_JOIN", dialect=dialect)
    return query


def verdict() -> ColumnElement[str]:
    """Return, as a part of a query on tasks, one of `VERDICTS` for each."""
    state = _task.c.state
    failed, active = state == TaskState.FAILED.value, state == TaskState.ACTIVE.value
    found: ColumnElement[str] = case(
        (state == TaskState.DONE.value, literal("passed")),
        (failed & _has(AttemptState.REJECTED), literal("rejected")),
        (active & _has(AttemptState.JUDGING), literal("judging")),
        (active & _has(AttemptState.RUNNING), literal("running")),
        (active, literal("queued")),
        else_=state,  # failed, blocked, waiting
    )
    return found


def _has(state: AttemptState) -> ColumnElement[bool]:
    of: Any = select(_attempt.c.id).where(
        _attempt.c.task_id == _task.c.id, _attempt.c.state == state.value
    )
    found: ColumnElement[bool] = of.correlate(_task).exists()
    return found
