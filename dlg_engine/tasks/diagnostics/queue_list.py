"""What is in the queues, and what they have given up."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select

from dlg.support import clock
from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.errors_list import message_of
from dlg_engine.tasks.diagnostics.looking import MOST, looking, of_tasks, with_tasks, with_types
from dlg_engine.tasks.states import AttemptState, TaskState

_item, _attempt, _task, _type = (
    schema.queue_item,
    schema.attempt,
    schema.task,
    schema.task_type,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A queue: that of a type of tasks."""

    queue: str
    waiting: int = 0
    """Attempts that are in the queue, as far as the database knows."""
    unpublished: int = 0
    """Of them those that a broker has not got yet."""
    running: int = 0
    stalled: int = 0
    """Of them those whose workers have not been heard of for too long."""
    dead: int = 0
    """Tasks that have failed for good."""
    oldest: float | None = None
    """When the attempt was queued that waits longest."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A task that has failed for good: it is in no queue any more."""

    task_id: int
    task_type: str
    job_name: str | None
    task_name: str | None
    attempts: int
    last_attempt: int | None
    ended: float | None
    message: str


def fetch_queues(*, database: Database | None = None) -> tuple[QueueRow, ...]:
    """Return all queues by name, those too that are empty."""
    rows: dict[str, dict[str, int | float | None]] = {}
    unpublished = func.sum(case((_attempt.c.published.is_(False), 1), else_=0))
    old = func.sum(case((_attempt.c.lease_until < clock.now(), 1), else_=0))
    under_way = (AttemptState.QUEUED.value, AttemptState.RUNNING.value)
    counts = (
        with_tasks(
            select(
                _type.c.name, _attempt.c.state, func.count(), func.min(_attempt.c.queued),
                unpublished, old,
            )
        )
        .where(_attempt.c.state.in_(under_way))
        .group_by(_type.c.name, _attempt.c.state)
    )  # fmt: skip
    dead = with_types(select(_type.c.name, func.count()).select_from(_task)).where(
        _task.c.state == TaskState.FAILED.value
    )
    with looking(database) as session:
        rows = {name: {} for name in session.scalars(select(_type.c.name))}
        for name, state, number, oldest, hidden, stalled in session.execute(counts):
            if state == AttemptState.RUNNING.value:
                rows[name] |= {"running": int(number), "stalled": int(stalled or 0)}
            else:
                rows[name] |= {
                    "waiting": int(number), "unpublished": int(hidden or 0), "oldest": oldest,
                }  # fmt: skip
        for name, number in session.execute(dead.group_by(_type.c.name)):
            rows[name]["dead"] = int(number)
    return tuple(QueueRow(queue=name, **rows[name]) for name in sorted(rows))  # type: ignore[arg-type]


def fetch_dead_letters(
    job_name: str | None = None,
    task_type: str | None = None,
    *,
    most: int = MOST,
    namespace: str | None = None,
    database: Database | None = None,
) -> tuple[DeadLetter, ...]:
    """Return tasks that have failed for good with what was wrong at last, newest first."""
    of_task = _attempt.c.task_id == _task.c.id
    last = select(func.max(_attempt.c.id)).where(of_task).scalar_subquery()
    number = select(func.count()).where(of_task).scalar_subquery()
    failed = (
        with_types(
            select(
                _task.c.id, _type.c.name.label("kind"), _task.c.job_name, _task.c.task_name,
                number.label("attempts"), last.label("last"),
            ).select_from(_task)
        )
        .where(_task.c.state == TaskState.FAILED.value, *of_tasks(job_name, task_type, namespace))
        .order_by(_task.c.id.desc())
        .limit(most)
        .subquery()
    )  # fmt: skip
    query = (
        select(failed, _attempt.c.ended, _attempt.c.error_text, _attempt.c.state)
        .outerjoin(_attempt, _attempt.c.id == failed.c.last)
        .order_by(failed.c.id.desc())
    )
    with looking(database) as session:
        rows = session.execute(query).all()
    return tuple(
        DeadLetter(
            row.id, row.kind, row.job_name, row.task_name, row.attempts, row.last, row.ended,
            message_of(row.error_text, row.state or ""),
        )
        for row in rows
    )  # fmt: skip
