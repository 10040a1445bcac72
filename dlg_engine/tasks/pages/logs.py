"""Messages of attempts, the newest first, by level, task and text.

Only so many messages are looked at for one answer, whatever is looked for: where few fit, a page
may be empty and say from where to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema

MOST_SEEN = 50_000
"""How many messages one looks at for a page."""
_log, _attempt, _task = schema.log_message, schema.attempt, schema.task


@dataclass(frozen=True, slots=True)
class Message:
    """A message of an attempt, or of none."""

    id: int
    time: float
    level: int
    attempt: int | None
    task: int | None
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some messages, the newest first."""

    messages: Sequence[Message]
    next: int | None
    """Messages with lower numbers have not been looked at; None if there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which messages are looked for."""

    level: int = 0
    """The lowest level, as the module `logging` numbers them."""
    task: int | None = None
    attempt: int | None = None
    text: str = ""


def messages(session: Session, sought: Sought, limit: int, before: int | None = None) -> LogPage:
    """Return messages with lower numbers than `before`."""
    top = before if before is not None else (session.scalar(select(func.max(_log.c.id))) or 0) + 1
    bottom = 0
    query = (
        select(_log, _attempt.c.task_id, _task.c.task_name)
        .outerjoin(_attempt, _attempt.c.id == _log.c.attempt_id)
        .outerjoin(_task, _task.c.id == _attempt.c.task_id)
        .where(_log.c.id < top)
    )
    if sought.attempt is not None:
        query = query.where(_log.c.attempt_id == sought.attempt)
    elif sought.task is not None:
        of = select(_attempt.c.id).where(_attempt.c.task_id == sought.task)
        query = query.where(_log.c.attempt_id.in_(of))
    else:
        bottom = max(0, top - MOST_SEEN)
        query = query.where(_log.c.id >= bottom)
    if sought.level:
        query = query.where(_log.c.severity >= sought.level)
    if sought.text:
        query = query.where(_log.c.message.icontains(sought.text, autoescape=True))
    rows = session.execute(query.order_by(_log.c.id.desc()).limit(limit + 1)).all()
    found = [
        Message(
            row.id, row.time, row.severity, row.attempt_id, row.task_id, row.task_name or "",
            row.message,
        )
        for row in rows[:limit]
    ]  # fmt: skip
    if len(rows) > limit:
        return LogPage(found, found[-1].id)
    return LogPage(found, bottom if bottom > 1 else None)
