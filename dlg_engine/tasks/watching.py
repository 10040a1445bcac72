"""How those who only watch learn that a database of tasks has changed, in whichever process.

They have a bell of their own: that of workers rings when there is something to be run, and whoever
hears it looks for work. A process that changes much rings a few times a second and not with every
transaction; so whoever hears it looks once more when that time is over.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from weakref import WeakKeyDictionary

from sqlalchemy import exc

from dlg.support import clock
from dlg.support.bells import Bell, NotifyBell, PipeBell, ring_within
from dlg.support.database import Database

CHANNEL = "dlg_tasks_seen"
EVERY_S = 0.5
"""How often a process rings at most."""

_last: WeakKeyDictionary[Database, float] = WeakKeyDictionary()
_lock = threading.Lock()


def watching_bell(database: Database) -> Bell | None:
    """Return what rings after changes; None where the database can tell nobody: MariaDB, MySQL."""
    if database.dialect == "postgresql":
        return NotifyBell(database, CHANNEL)
    if database.file is not None:
        return PipeBell(database.file.with_name(f"{database.file.name}-watching"))
    return None


def tell(database: Database) -> None:
    """Ring, unless this process has done so just before; to be called after a commit."""
    now = clock.monotonic()
    with _lock:
        if now - _last.get(database, -EVERY_S) < EVERY_S:
            return
        _last[database] = now
    if database.dialect == "postgresql":
        # What was to be done is committed: that nobody can be told of it does not undo it.
        with suppress(exc.SQLAlchemyError), database.transaction() as session:
            ring_within(session, CHANNEL)
    elif database.file is not None:
        PipeBell(database.file.with_name(f"{database.file.name}-watching")).ring()
