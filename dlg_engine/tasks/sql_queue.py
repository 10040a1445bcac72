"""Queues in the database of tasks itself: no other server is needed.

A number is taken in one step, whoever else takes some at the same time: rows that another one is
about to take are skipped where the database locks rows, and in SQLite a transaction has the whole
database. It is the taker's for the time of a lease.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Executable,
    Integer,
    Select,
    String,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg.support.database import Database
from dlg_engine.tasks.bells import Bell, bell_of, ring_within
from dlg_engine.tasks.queue_contract import LEASE_S, Delivery, TaskQueue
from dlg_engine.tasks.schema import queue_item
from dlg_engine.tasks.statements import dialect_of

FREE = 0.0
"""The end of the lease of what nobody has."""


class TaskQueueSQL(TaskQueue):
    """Queues in a database, which stays open when they are closed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bell: Bell = bell_of(database)
        self._held: list[Delivery] = []

    def close(self) -> None:
        """Give back what was not acknowledged."""
        for delivery in self._held.copy():
            self.give_back(delivery)
        self._bell.close()

    def queue_declare(self, queue_name: str) -> None:
        """Do nothing: a queue is there when something is in it."""

    def queue_publish(self, queue_name: str, item_id: int) -> None:
        """Put a number at the end of a queue."""
        self.queue_publish_many([(queue_name, item_id)])

    def queue_publish_many(self, items: Sequence[tuple[str, int]]) -> None:
        """Put numbers at the ends of queues, all or none."""
        self.patience.repeated(lambda: self._publish_many(items))
        self.ring()

    def _publish_many(self, items: Sequence[tuple[str, int]]) -> None:
        with self._database.transaction() as session:
            self.publish_within(session, items)

    @staticmethod
    def publish_within(
        session: Session, items: Sequence[tuple[str, int]], places: Sequence[int | None] = ()
    ) -> None:
        """Put numbers into queues as part of a transaction; `ring` when it is over.

        `places` are those from which they were taken: they are there again, not at the end.
        """
        now = clock.now()
        rows = [
            {
                "queue": queue,
                "item_id": item,
                "published": now,
                "lease_until": FREE,
                "deliveries": 0,
            }
            for queue, item in items
        ]
        for row, place in zip(rows, places, strict=False):
            row["id"] = place
        if rows:
            session.execute(insert(queue_item), rows)
            ring_within(session)

    def ring(self) -> None:
        """Wake those who wait, if the database has not done so by itself."""
        self._bell.ring()

    def queue_length(self, queue_name: str) -> int:
        """Return how many numbers wait in a queue."""
        with self._database.reading() as session:
            query = select(func.count()).where(*_free(queue_name))
            return int(session.scalar(query) or 0)

    def queue_fetch_list(self, queue_name: str) -> list[int]:
        """Return the numbers that wait in a queue, which stay there."""
        with self._database.reading() as session:
            query = select(queue_item.c.item_id).where(*_free(queue_name))
            return list(session.scalars(query.order_by(queue_item.c.id)))

    def claim(
        self, queue_names: Sequence[str], worker: str, lease_s: float = LEASE_S
    ) -> Delivery | None:
        """Take the next number, for so many seconds."""
        # What is taken by a commit whose answer is lost is free again when the lease is over.
        found = self.patience.repeated(lambda: self._claim(queue_names, worker, lease_s))
        if found is not None:
            self._held.append(found)
        return found

    def _claim(self, queue_names: Sequence[str], worker: str, lease_s: float) -> Delivery | None:
        with self._database.transaction() as session:
            row = next_of(session, queue_names)
            if row is None:
                return None
            token = secrets.token_hex(16)
            values = {
                "worker": worker,
                "token": token,
                "lease_until": clock.now() + lease_s,
                "deliveries": row.deliveries + 1,
            }
            session.execute(update(queue_item).where(queue_item.c.id == row.id).values(values))
        return Delivery(row.queue, row.item_id, (row.id, token))

    @staticmethod
    def take_within(session: Session, queue_names: Sequence[str], most: int) -> list[Delivery]:
        """Take the next numbers as part of a transaction: they are acknowledged by its commit.

        Of the last ones half are left to others. The tag of each is its place, for
        `publish_within`.
        """
        query = _TAKEN[dialect_of(session)]
        for name in queue_names:
            # The row behind them shows whether there is more.
            values = {"name": name, "now": clock.now(), "most": most + 1}
            rows = session.execute(query, values).all()
            if not rows:
                continue
            more = len(rows) > 1
            taken = rows[:most] if len(rows) > most else rows[: (len(rows) + 1) // 2]
            session.execute(_REMOVE, {"places": sorted(row.id for row in taken)})
            return [Delivery(row.queue, row.item_id, row.id, more) for row in taken]
        return []

    def acknowledge(self, delivery: Delivery) -> None:
        """Remove it, unless the lease is over and somebody else has it."""
        self._held.remove(delivery)
        self._patiently(delete(queue_item).where(*_mine(delivery)))

    def _patiently(self, statement: Executable) -> None:
        self.patience.repeated(lambda: self._change(statement))

    def _change(self, statement: Executable) -> None:
        with self._database.transaction() as session:
            session.execute(statement)
            ring_within(session)

    def give_back(self, delivery: Delivery) -> None:
        """Let somebody else have it."""
        self._held.remove(delivery)
        values = {"lease_until": FREE, "token": None, "worker": None}
        self._patiently(update(queue_item).where(*_mine(delivery)).values(values))
        self.ring()

    def wait(self, queue_names: Sequence[str], timeout_s: float) -> None:
        """Return when somebody has published something, or after so many seconds."""
        if not self.patience.repeated(lambda: self._has(queue_names)):
            self.patience.repeated(lambda: self._bell.wait(timeout_s))

    def _has(self, queue_names: Sequence[str]) -> bool:
        self._bell.listen()
        self._bell.heard()  # what rings from now on is after the look that follows
        with self._database.reading() as session:
            return next_of(session, queue_names, lock=False) is not None


def _free(queue_name: str) -> tuple[Any, ...]:
    return queue_item.c.queue == queue_name, queue_item.c.lease_until == FREE


def _mine(delivery: Delivery) -> tuple[Any, ...]:
    number, token = delivery.tag
    return queue_item.c.id == number, queue_item.c.token == token


def next_of(session: Session, queue_names: Sequence[str], *, lock: bool = True) -> Any:
    """Return the row that is next: the oldest that is free, or else one whose lease is over."""
    query = (_TAKEN if lock else _NEXT)[dialect_of(session)]
    for name in queue_names:
        values = {"name": name, "now": clock.now(), "most": 1}
        row = session.execute(query, values).one_or_none()
        if row is not None:
            return row
    return None


def _next(kind: str, lock: bool) -> Select[Any]:
    """Return the query for the next rows of a queue, in the order of the index."""
    name, now = bindparam("name", type_=String), bindparam("now", type_=Double)
    table = queue_item.c
    if kind == "postgresql":
        # A planner that knows nothing of the table yet takes equality for rare, and sorts all.
        first: ColumnElement[Any] = tuple_(table.queue, table.lease_until) >= tuple_(name, FREE)
        last: ColumnElement[Any] = tuple_(table.queue, table.lease_until) < tuple_(name, now)
    else:
        first, last = table.queue == name, table.lease_until < now
    query = select(queue_item).where(first, last)
    order = (table.lease_until, table.id)
    query = query.order_by(*((table.queue, *order) if kind == "postgresql" else order))
    query = query.limit(bindparam("most", type_=Integer))
    return query.with_for_update(skip_locked=True) if lock else query


_NEXT = {kind: _next(kind, lock=False) for kind in ("sqlite", "mysql", "postgresql")}
_TAKEN = {kind: _next(kind, lock=True) for kind in ("sqlite", "mysql", "postgresql")}
_REMOVE = delete(queue_item).where(queue_item.c.id.in_(bindparam("places", expanding=True)))
