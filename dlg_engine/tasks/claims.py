"""What a worker takes: several attempts at once, theirs by a lease, with all that belongs to them.

All functions are part of a transaction. A claim that was not begun can be given back, and is then
where it was in its queue.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, bindparam, select, update
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.lookups import look_up_tasks
from dlg_engine.tasks.queue_contract import Delivery
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.states import AttemptState, Event, step
from dlg_engine.tasks.task_objects import TaskExecutionAttempt

_attempt = schema.attempt
_numbers: BindParameter[Any] = bindparam("numbers", expanding=True)


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that is in the hands of a worker."""

    queue: str
    number: int
    token: str
    """Of the lease."""
    place: int | None
    """In a queue of the database."""
    attempt: TaskExecutionAttempt


_START = (
    update(_attempt)
    .where(_attempt.c.id.in_(_numbers), _attempt.c.state == AttemptState.QUEUED.value)
    .values(
        state=step(AttemptState.QUEUED, Event.START).value,
        worker=bindparam("new_worker"),
        token=bindparam("new_token"),
        lease_until=bindparam("until"),
        started=bindparam("now"),
        heartbeat=bindparam("now"),
    )
)
_STARTED = select(_attempt.c.id, _attempt.c.task_id).where(
    _attempt.c.id.in_(_numbers), _attempt.c.token == bindparam("mine")
)


_KEPT = (
    select(_attempt.c.id, _attempt.c.task_id, schema.task_type.c.name)
    .join(schema.task, schema.task.c.id == _attempt.c.task_id)
    .join(schema.task_type, schema.task_type.c.id == schema.task.c.type_id)
    .where(_attempt.c.state == AttemptState.RUNNING.value, _attempt.c.token == bindparam("mine"))
    .order_by(_attempt.c.id)
)


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes attempts, once."""

    worker: str
    lease_s: float
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    """Of the leases of what is taken now."""


def start(session: Session, attempts: Sequence[int], taker: Taker) -> None:
    """Give queued attempts to somebody for a time.

    One that is not there to be had, as it was delivered twice, cancelled or deleted, does not get
    the token.
    """
    now = clock.now()
    until = now + taker.lease_s
    who = {"new_worker": taker.worker, "new_token": taker.token, "until": until, "now": now}
    session.execute(_START, {"numbers": sorted(attempts), **who})


def kept(session: Session, taker: Taker) -> list[Claim]:
    """Return what was taken already, if the answer to the commit of that was lost."""
    rows = session.execute(_KEPT, {"mine": taker.token}).all()
    found = _looked_up(session, rows) if rows else {}
    return [Claim(row.name, row.id, taker.token, None, found[row.id]) for row in rows]


def claimed(session: Session, deliveries: Sequence[Delivery], taker: Taker) -> list[Claim]:
    """Start the attempts that were delivered, and return those that were to be had, in order."""
    if not deliveries:
        return []
    by_number = {delivery.item_id: delivery for delivery in deliveries}
    start(session, list(by_number), taker)
    rows = session.execute(_STARTED, {"numbers": sorted(by_number), "mine": taker.token}).all()
    found = _looked_up(session, rows)
    return [
        Claim(delivery.queue, number, taker.token, _place(delivery), found[number])
        for number, delivery in by_number.items()
        if number in found
    ]


def _place(delivery: Delivery) -> int | None:
    return delivery.tag if isinstance(delivery.tag, int) else None


def _looked_up(session: Session, rows: Sequence[Any]) -> dict[int, TaskExecutionAttempt]:
    tasks = look_up_tasks(session, sorted({row.task_id for row in rows}))
    found = {}
    for row in rows:
        task = tasks[row.task_id]
        # A copy: an attempt whose task has that very attempt could not be written as JSON.
        attempt = copy.copy(task.execution_attempts_incomplete[row.id])
        attempt.metadata = dict(attempt.metadata)
        attempt.output_files = dict(attempt.output_files)
        attempt.task_object = task
        found[row.id] = attempt
    return found


def put_back(session: Session, claims: Iterable[Claim], into_database: bool) -> list[Claim]:
    """Undo the start of claims; return those that were still in our hands."""
    by_number = {claim.number: claim for claim in claims}
    if not by_number:
        return []
    running = AttemptState.RUNNING
    tokens = {claim.token for claim in by_number.values()}
    query = select(_attempt.c.id).where(
        _attempt.c.id.in_(by_number),
        _attempt.c.token.in_(tokens),
        _attempt.c.state == running.value,
    )
    mine = sorted(session.scalars(query.with_for_update()))
    if not mine:
        return []
    values = {
        "state": step(running, Event.GIVE_BACK).value,
        "published": into_database,
        **dict.fromkeys(("worker", "token", "lease_until", "started", "heartbeat")),
    }
    session.execute(update(_attempt).where(_attempt.c.id.in_(mine)).values(values))
    found = [by_number[number] for number in mine]
    if into_database:
        places = [claim.place for claim in found]
        TaskQueueSQL.publish_within(session, [(c.queue, c.number) for c in found], places)
    return found
