"""How workers and schedulers learn that something is in a queue of the database."""

from __future__ import annotations

import hashlib
import os
import select
import stat
import tempfile
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from dlg.support import bells, clock
from dlg.support.database import Database

CHANNEL = "dlg_tasks"
"""What PostgreSQL calls our notifications."""
LOOK_S = 0.05
"""How often one looks where the database tells nobody: MariaDB and MySQL, from another host."""


class Bell:
    """Where the database can tell: a descriptor to wait at."""

    def __init__(self, bell: bells.Bell) -> None:
        self._bell = bell

    def listen(self) -> None:
        """Hear what rings from now on."""
        self._bell.listen()

    def heard(self) -> None:
        """Forget what has rung."""
        self._bell.heard()

    def ring(self) -> None:
        """Wake those who wait, unless committing has done so."""
        self._bell.ring()

    def wait(self, timeout_s: float) -> None:
        """Return when it rings, or after so many seconds."""
        poll = select.poll()
        poll.register(self._bell.listen(), select.POLLIN)
        poll.poll(max(0.0, timeout_s) * 1000)

    def close(self) -> None:
        """Listen no more."""
        self._bell.close()


class HostBell(Bell):
    """Where the database tells nobody, MariaDB and MySQL: named pipes of this host.

    They reach those of the same user on the same host at once. Nothing in such a server can be
    waited for that another may set off, so whoever is elsewhere is found by looking.
    """

    def __init__(self, bell: bells.Bell, looks_each_s: float = LOOK_S) -> None:
        super().__init__(bell)
        self._looks_each_s = looks_each_s

    def wait(self, timeout_s: float) -> None:
        """Return when it rings, or soon: somebody has to look again."""
        super().wait(min(self._looks_each_s, timeout_s))


class NoBell(HostBell):
    """Where there can be no pipes either."""

    def __init__(self) -> None:
        super().__init__(bells.Bell())

    def listen(self) -> None:
        """Do nothing."""

    def heard(self) -> None:
        """Do nothing."""

    def wait(self, timeout_s: float) -> None:
        """Return soon: somebody has to look again."""
        clock.sleep(min(LOOK_S, max(0.0, timeout_s)))


def bell_of(database: Database) -> Bell:
    """Return the bell of a database."""
    if database.dialect == "postgresql" or database.file is not None:
        return Bell(bells.bell_of(database, CHANNEL))
    folder = own_folder(Path(tempfile.gettempdir()))
    return NoBell() if folder is None else HostBell(bells.PipeBell(folder / _name_of(database)))


def own_folder(where: Path) -> Path | None:
    """Return a folder in `where` that is only for this user; None if somebody else has it."""
    user = os.getuid()
    folder = where / f"dlg-bells-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    others = stat.S_IRWXG | stat.S_IRWXO
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & others
    return folder if mine else None


def _name_of(database: Database) -> str:
    """Return a name for a database that is the same however it was addressed."""
    with database.reading() as session:
        row = session.execute(text("select @@hostname, @@port, database()")).one()
    return hashlib.sha256(repr(tuple(row)).encode()).hexdigest()[:32]


def ring_within(session: Session) -> None:
    """Let the commit of `session` ring, where a database can do so."""
    bells.ring_within(session, CHANNEL)
