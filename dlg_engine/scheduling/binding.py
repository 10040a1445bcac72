"""Which database the helpers work in, and in which transaction.

An object that belongs to an open session brings its transaction along: the caller commits. Else a
helper works in a transaction of its own, in the database that is named, that the context has
(`using`) or that the process has (`configure`), on the rows as they are then; afterwards the
objects it was given have the values of those.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session, object_session
from sqlalchemy.orm.attributes import set_committed_value

from dlg.exceptions import UsageError
from dlg.support.bells import Bell, bell_of, ring_within
from dlg.support.database import Database, DatabaseError, after_commit
from dlg_engine.scheduling.models import VERSION, Base, Ledger

B = TypeVar("B", bound=Base)
CHANNEL = "dlg_beat"
"""What PostgreSQL calls our notifications."""

_used: ContextVar[SchedulingDatabase | None] = ContextVar("dlg_scheduling", default=None)
_configured: SchedulingDatabase | None = None


class SchedulingDatabase(Database):
    """A database with the tables of scheduling; they are made where they are missing."""

    def __init__(self, where: str | Path) -> None:
        super().__init__(where)
        self.make_tables(Base.metadata)
        with self.transaction() as session:
            ledger = session.get(Ledger, 1) or _new_ledger(session)
            if ledger.version != VERSION:
                raise DatabaseError(
                    f"{where}: its tables are of version {ledger.version}, and this program knows "
                    f"version {VERSION}: use the release that made them, or another database"
                )

    def new_bell(self) -> Bell:
        """Return what tells a scheduler that somebody has changed something."""
        return bell_of(self, CHANNEL)


def _new_ledger(session: Session) -> Ledger:
    """Make the one row, unless another process does."""
    from sqlalchemy.exc import IntegrityError  # noqa: PLC0415  only once in the life of a database

    try:
        with session.begin_nested():
            session.add(Ledger(id=1, version=VERSION))
    except IntegrityError:
        pass  # somebody was quicker
    return session.get_one(Ledger, 1)


def configure(database: SchedulingDatabase | None) -> None:
    """Let helpers of this process work in `database` unless they are told otherwise."""
    global _configured  # noqa: PLW0603  one for the process, as programs that only schedule want
    _configured = database


@contextmanager
def using(database: SchedulingDatabase) -> Iterator[SchedulingDatabase]:
    """Let helpers that are called inside the `with` work in `database`."""
    token = _used.set(database)
    try:
        yield database
    finally:
        _used.reset(token)


def database_of(database: SchedulingDatabase | None = None) -> SchedulingDatabase:
    """Return the database to work in; raise UsageError if nobody has said which."""
    found = database or _used.get() or _configured
    if found is None:
        raise UsageError(
            "no database is known for scheduling: name one, or call configure or using of "
            "dlg_engine.scheduling.binding"
        )
    return found


@contextmanager
def work(*objects: Base, database: SchedulingDatabase | None = None) -> Iterator[Session]:
    """Work on `objects` in a transaction, theirs or a new one; `here` returns them in it.

    If anything is changed in a new one, all who listen to the database are told.
    """
    open_sessions = [found for one in objects if (found := object_session(one)) is not None]
    if open_sessions:
        yield open_sessions[0]
        open_sessions[0].flush()
        return
    where = database_of(database)
    with where.transaction() as session:
        flushed: list[object] = []
        event.listen(session, "after_flush", lambda *details: flushed.append(details))
        yield session
        session.flush()
        for one in objects:
            _bring_up_to_date(session, one)
        if flushed:
            ring_within(session, CHANNEL)
            after_commit(session, where.new_bell().ring)


def here(session: Session, one: B) -> B:
    """Return what `one` is in a session: itself, or the same row as it is now."""
    return (
        one
        if object_session(one) is session
        else session.get_one(type(one), inspect(one).identity)
    )


def _bring_up_to_date(session: Session, one: Base) -> None:
    """Give an object of no session the values that its row has now."""
    state = inspect(one)
    now = session.get(type(one), state.identity)
    if now is None:
        return  # it has been deleted
    for name in state.mapper.column_attrs.keys():  # noqa: SIM118  they are no mapping
        set_committed_value(one, name, getattr(now, name))


def lock_jobs(session: Session) -> None:
    """Wait until nobody else changes how jobs stand, and let nobody until the transaction ends.

    One job decides on others: its mirrors, those that need it, and those of its experiment. What
    was read before may be stale, and is read again when it is used.
    """
    if session.get_bind().dialect.name == "sqlite":
        return  # a transaction has the whole file from its beginning
    session.execute(select(Ledger.id).where(Ledger.id == 1).with_for_update())
    session.expire_all()
