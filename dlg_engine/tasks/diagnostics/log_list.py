"""Messages that attempts have left."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import looking

_log, _attempt, _task = schema.log_message, schema.attempt, schema.task
MOST_MESSAGES = 200


@dataclass(frozen=True, slots=True)
class LogRow:
    """A message."""

    log_id: int
    time: float
    severity: int
    """A number of Python's logging: 20 is INFO, 40 is ERROR."""
    message: str
    attempt_id: int | None
    task_id: int | None


def fetch_logs(  # noqa: PLR0913  each is a filter
    *,
    task_id: int | None = None,
    attempt_id: int | None = None,
    job_name: str | None = None,
    severity: int = 0,
    before: int | None = None,
    most: int = MOST_MESSAGES,
    database: Database | None = None,
) -> tuple[LogRow, ...]:
    """Return the newest messages of at least a severity, the oldest of them first.

    `before` is the number of a message: only older ones are returned.
    """
    query = (
        select(
            _log.c.id, _log.c.time, _log.c.severity, _log.c.message, _log.c.attempt_id,
            _attempt.c.task_id,
        )
        .outerjoin(_attempt, _attempt.c.id == _log.c.attempt_id)
        .where(_log.c.severity >= severity)
        .order_by(_log.c.id.desc())
        .limit(most)
    )  # fmt: skip
    if attempt_id is not None:
        query = query.where(_log.c.attempt_id == attempt_id)
    if task_id is not None:
        query = query.where(_attempt.c.task_id == task_id)
    if job_name is not None:
        query = query.join(_task, _task.c.id == _attempt.c.task_id)
        query = query.where(_task.c.job_name == job_name)
    if before is not None:
        query = query.where(_log.c.id < before)
    with looking(database) as session:
        rows = session.execute(query).all()
    return tuple(LogRow(*row) for row in reversed(rows))
