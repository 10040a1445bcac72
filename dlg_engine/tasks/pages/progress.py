"""How far everything is: by type of task, and attempt by attempt now and just before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.pages.scope import Scope, newest_first
from dlg_engine.tasks.states import HELD, UNFINISHED, AttemptState

RECENT = 500
"""Among so many of the newest attempts those are looked for that ended last."""
_task, _type, _attempt = schema.task, schema.task_type, schema.attempt


@dataclass(frozen=True, slots=True)
class TypeProgress:
    """The tasks of one type."""

    type: str
    tasks: int
    states: Mapping[str, int]
    attempts: Mapping[str, int]
    """Those that are not over, by state."""
    stalled: int
    """Attempts whose workers were not heard of in time."""


@dataclass(frozen=True, slots=True)
class Underway:
    """An attempt as it is seen among others."""

    id: int
    task: int
    name: str
    type: str
    job: str
    state: str
    worker: str
    queued: float | None
    started: float | None
    ended: float | None
    stalled: bool


@dataclass(frozen=True, slots=True)
class Now:
    """What is under way, and what was just before."""

    running: Sequence[Underway]
    queued: int
    recent: Sequence[Underway]
    cut: bool
    """Whether more are running than are told."""


def totals(session: Session) -> dict[str, int]:
    """Return how many tasks there are, by state."""
    query = select(_task.c.state, func.count()).group_by(_task.c.state)
    return dict(session.execute(query).all())


def by_type(session: Session, scope: Scope) -> list[TypeProgress]:
    """Return the types that have tasks, in the order of their names."""
    query = select(_type.c.name, _task.c.state, func.count()).join(
        _type, _type.c.id == _task.c.type_id
    )
    query = query.where(*scope.clauses()).group_by(_type.c.name, _task.c.state)
    states: dict[str, dict[str, int]] = {}
    for name, state, count in session.execute(query):
        states.setdefault(name, {})[state] = count
    attempts = _open_attempts(session, scope)
    stalled = _stalled(session, scope)
    return [
        TypeProgress(
            name, sum(found.values()), found, attempts.get(name, {}), stalled.get(name, 0)
        )
        for name, found in sorted(states.items())
    ]


def _open_attempts(session: Session, scope: Scope) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    query = _joined(select(_type.c.name, _attempt.c.state, func.count()))
    query = query.where(_attempt.c.state.in_([one.value for one in UNFINISHED]), *scope.clauses())
    for name, state, count in session.execute(query.group_by(_type.c.name, _attempt.c.state)):
        found.setdefault(name, {})[state] = count
    return found


def _stalled(session: Session, scope: Scope) -> dict[str, int]:
    query = _joined(select(_type.c.name, func.count())).where(
        _attempt.c.state.in_([one.value for one in HELD]),
        _attempt.c.lease_until < clock.now(),
        *scope.clauses(),
    )
    return dict(session.execute(query.group_by(_type.c.name)).all())


def _joined(query: Select[Any]) -> Select[Any]:
    return (
        query.select_from(_attempt)
        .join(_task, _task.c.id == _attempt.c.task_id)
        .join(_type, _type.c.id == _task.c.type_id)
    )


def now(session: Session, scope: Scope, limit: int, recent: int = 20) -> Now:
    """Return what runs, the longest first, and what ended last."""
    columns = (
        _attempt, _task.c.task_name, _task.c.job_name, _type.c.name.label("type_name"),
    )  # fmt: skip
    held = _attempt.c.state.in_([one.value for one in HELD])
    running = _joined(select(*columns)).where(held, *scope.clauses())
    rows = session.execute(running.order_by(_attempt.c.started).limit(limit + 1)).all()
    waiting = _joined(select(func.count())).where(
        _attempt.c.state == AttemptState.QUEUED.value, *scope.clauses()
    )
    over = _joined(select(*columns)).where(_attempt.c.ended.is_not(None))
    last = session.execute(newest_first(over, scope).limit(RECENT)).all()
    last = sorted(last, key=lambda row: row.ended, reverse=True)[:recent]
    return Now(
        [_underway(row) for row in rows[:limit]],
        session.scalar(waiting) or 0,
        [_underway(row) for row in last],
        len(rows) > limit,
    )


def _underway(row: Any) -> Underway:
    late = row.lease_until is not None and row.lease_until < clock.now()
    return Underway(
        row.id, row.task_id, row.task_name or "", row.type_name, row.job_name or "", row.state,
        row.worker or "", row.queued, row.started, row.ended, late,
    )  # fmt: skip
