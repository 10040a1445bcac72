"""When attempts ran, worker by worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.pages.scope import Scope, newest_first
from dlg_engine.tasks.states import HELD

_task, _type, _attempt = schema.task, schema.task_type, schema.attempt


@dataclass(frozen=True, slots=True)
class Span:
    """One attempt between its beginning and its end."""

    attempt: int
    task: int
    worker: int
    """Which of the workers."""
    type: int
    """Which of the types."""
    started: float
    ended: float | None
    state: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The newest attempts that have begun."""

    workers: Sequence[str]
    types: Sequence[str]
    spans: Sequence[Span]
    next: int | None
    """Attempts with lower numbers are older; None if there are none."""


def timeline(
    session: Session, scope: Scope, limit: int, before: int | None = None
) -> Timeline:  # fmt: skip
    """Return attempts with lower numbers than `before`."""
    query = (
        select(_attempt, _type.c.name.label("type_name"))
        .join(_task, _task.c.id == _attempt.c.task_id)
        .join(_type, _type.c.id == _task.c.type_id)
        .where(_attempt.c.started.is_not(None))
    )
    if before is not None:
        query = query.where(_attempt.c.id < before)
    rows = session.execute(newest_first(query, scope).limit(limit + 1)).all()
    more, rows = len(rows) > limit, rows[:limit]
    workers = sorted({row.worker or "" for row in rows})
    types = sorted({row.type_name for row in rows})
    who = {name: place for place, name in enumerate(workers)}
    what = {name: place for place, name in enumerate(types)}
    spans = [
        Span(
            row.id, row.task_id, who[row.worker or ""], what[row.type_name], row.started,
            _end(row), row.state,
        )
        for row in rows
    ]  # fmt: skip
    return Timeline(workers, types, spans, rows[-1].id if more else None)


def _end(row: Any) -> float | None:
    """Return when an attempt ended; of one that is over and does not say so, its last sign."""
    if row.ended is not None or row.state in HELD:
        return None if row.ended is None else float(row.ended)
    return float(row.heartbeat or row.started)
