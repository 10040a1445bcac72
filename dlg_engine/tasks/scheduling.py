"""Which attempts are made and when: of tasks that are ready, and of those that are to be repeated.

Each function is part of a transaction and looks only at rows that an index finds. Attempts get
into the queues of the database in the same transaction; for a broker they are marked as not
published, and whoever has committed publishes them (`unpublished`), or another after him.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import LeaseLostError
from dlg_engine.tasks.progress import is_due, is_ready, lock_attempt, move_attempt
from dlg_engine.tasks.selection import AttemptCriterion
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.statements import chunks, insert_numbered
from dlg_engine.tasks.states import HELD, AttemptState, Event, TaskState

MOST = 1000
"""How many tasks are scheduled in one transaction."""
_attempt, _task, _type = schema.attempt, schema.task, schema.task_type


def _to_schedule(condition: ColumnElement[bool]) -> Select[int, int]:
    query = select(_task.c.id, _task.c.type_id).where(condition)
    return query.limit(bindparam("most", type_=Integer)).with_for_update(skip_locked=True)


READY, AGAIN = _to_schedule(is_ready()), _to_schedule(is_due(bindparam("now")))
"""Two queries, of which each goes along one index."""
_numbers: BindParameter[Any] = bindparam("numbers", expanding=True)
_ACTIVE = (
    update(_task)
    .where(_task.c.id.in_(_numbers), _task.c.state != TaskState.DONE.value)
    .values(state=TaskState.ACTIVE.value, not_before=None)
)
_KINDS = select(_type.c.id, _type.c.name).where(_type.c.id.in_(_numbers))


@dataclass(frozen=True, slots=True)
class Published:
    """An attempt and the queue that it belongs to: that of the type of its task."""

    queue: str
    attempt_id: int


def schedule_due(
    session: Session, *, into_database: bool, most: int = MOST, again: bool = True
) -> list[Published]:
    """Make attempts of tasks that are ready; return them, oldest task first.

    With `again` also of those that are to be repeated and whose time has come.
    """
    rows = list(session.execute(READY, {"most": most}))
    if again:
        rows += session.execute(AGAIN, {"now": clock.now(), "most": most})
    return make_attempts(session, sorted((r.id, r.type_id) for r in rows), into_database)


def schedule_tasks(
    session: Session, criterion: AttemptCriterion, *, into_database: bool
) -> list[Published]:
    """Make attempts of all tasks that have all they need, and no attempt that `criterion` fits."""
    states = [TaskState.WAITING.value, TaskState.ACTIVE.value, TaskState.DONE.value]
    query = (
        select(_task.c.id, _task.c.type_id)
        .where(
            _task.c.configured.is_(True),
            _task.c.missing == 0,
            _task.c.state.in_([*states, TaskState.FAILED.value]),
            ~select(_attempt.c.id)
            .where(_attempt.c.task_id == _task.c.id, criterion.clause())
            .exists(),
        )
        .order_by(_task.c.id)
    )
    rows = session.execute(query.with_for_update()).all()
    return make_attempts(session, [(row.id, row.type_id) for row in rows], into_database)


def make_attempts(
    session: Session, tasks: Sequence[tuple[int, int]], into_database: bool
) -> list[Published]:
    """Make an attempt of each task, given with its type, and put it into its queue."""
    if not tasks:
        return []
    now = clock.now()
    columns = ("task_id", "state", "queued", "published", "error_fail")
    queued = AttemptState.QUEUED.value
    rows = [(task, queued, now, into_database, False) for task, _ in tasks]
    numbers = insert_numbered(session, _attempt, columns, rows)
    for chunk in chunks([task for task, _ in tasks]):
        session.execute(_ACTIVE, {"numbers": chunk})
    kinds = sorted({kind for _, kind in tasks})
    names = dict(session.execute(_KINDS, {"numbers": kinds}).all())
    made = [
        Published(names[kind], number) for (_, kind), number in zip(tasks, numbers, strict=True)
    ]
    if into_database:
        TaskQueueSQL.publish_within(session, [(each.queue, each.attempt_id) for each in made])
    return made


def unpublished(session: Session, most: int = MOST) -> list[Published]:
    """Return attempts that no queue has yet."""
    query = (
        select(_type.c.name, _attempt.c.id)
        .join(_task, _task.c.id == _attempt.c.task_id)
        .join(_type, _type.c.id == _task.c.type_id)
        .where(_attempt.c.published.is_(False), _attempt.c.state == AttemptState.QUEUED.value)
        .order_by(_attempt.c.id)
        .limit(most)
    )
    return [Published(name, number) for name, number in session.execute(query)]


def mark_published(session: Session, attempts: Iterable[int]) -> None:
    """Note that queues have these attempts; those that somebody has already need no note."""
    for chunk in chunks(attempts):
        waiting = (
            select(_attempt.c.id)
            .where(_attempt.c.id.in_(chunk), _attempt.c.state == AttemptState.QUEUED.value)
            .with_for_update(skip_locked=True)  # nobody waits for us who is about to start one
        )
        free = list(session.scalars(waiting))
        if free:
            session.execute(update(_attempt).where(_attempt.c.id.in_(free)).values(published=True))


def need_lease(session: Session, attempt_id: int, token: str) -> Any:
    """Return the row of an attempt; raise LeaseLostError if it is not in these hands any more."""
    row = lock_attempt(session, attempt_id)
    if row.token != token:
        raise LeaseLostError(f"attempt {attempt_id} was taken away: it is {row.state}")
    return row


def beat(session: Session, attempt_id: int, token: str, lease_s: float) -> None:
    """Extend a lease; raise LeaseLostError if it is lost."""
    now = clock.now()
    mine = (_attempt.c.id == attempt_id, _attempt.c.token == token)
    values = {"heartbeat": now, "lease_until": now + lease_s}
    done: Any = session.execute(update(_attempt).where(*mine).values(values))
    if not done.rowcount:
        need_lease(session, attempt_id, token)


def take_over(session: Session) -> list[int]:
    """End the attempts whose leases are over; return their numbers."""
    query = (
        select(_attempt.c.id)
        .where(
            _attempt.c.state.in_([state.value for state in HELD]),
            _attempt.c.lease_until < clock.now(),
        )
        .limit(MOST)
    )
    lost = list(session.scalars(query.with_for_update(skip_locked=True)))
    for number in lost:
        move_attempt(
            session, number, Event.LOSE, ended=clock.now(), error_text="its worker was lost"
        )
    return lost


def next_date(session: Session) -> float | None:
    """Return when a lease ends or an attempt is due next; None if nothing is waited for."""
    held = [state.value for state in HELD]
    lease = select(func.min(_attempt.c.lease_until)).where(_attempt.c.state.in_(held))
    again = select(func.min(_task.c.not_before)).where(
        _task.c.state == TaskState.ACTIVE.value, _task.c.missing == 0
    )
    dates = [date for query in (lease, again) if (date := session.scalar(query)) is not None]
    return min(dates, default=None)
