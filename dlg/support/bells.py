"""How one learns at once that somebody, in whichever process, has changed a database.

PostgreSQL notifies by itself. Beside an SQLite file each listener has a named pipe into which
everybody writes a byte who has committed something; nobody looks at intervals.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from dlg.exceptions import UsageError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dlg.support.database import Database

_MOST_BYTES = 1 << 16


class Bell:
    """Rings for all listeners of a database; one that wants to hear it calls `listen`."""

    def ring(self) -> None:
        """Tell the listeners, unless committing has told them already."""

    def listen(self) -> int:
        """Return a descriptor that can be read from when somebody has rung."""
        raise NotImplementedError

    def heard(self) -> None:
        """Take what is there to be read."""

    def close(self) -> None:
        """Listen no more."""


class PipeBell(Bell):
    """Named pipes beside a file."""

    def __init__(self, file: Path) -> None:
        self._folder = file.with_name(file.name + "-bells")
        self._own: Path | None = None
        self._fd = -1

    def ring(self) -> None:
        """Write a byte to each listener; remove the pipes of those that are gone."""
        for path in self._folder.glob("*.bell"):
            try:
                fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError:  # nobody has it open for reading
                path.unlink(missing_ok=True)
                continue
            with suppress(BlockingIOError):  # full: it will be heard anyway
                if stat.S_ISFIFO(os.fstat(fd).st_mode):
                    os.write(fd, b"!")
            os.close(fd)

    def listen(self) -> int:
        """Make a pipe of our own."""
        if self._own is None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            name = f"{os.getpid()}-{secrets.token_hex(4)}"
            hidden = self._folder / f"{name}.new"
            os.mkfifo(hidden, 0o600)
            # Opened for both, it never comes to an end; and named only then, it has a reader.
            self._fd = os.open(hidden, os.O_RDWR | os.O_NONBLOCK)
            self._own = hidden.rename(self._folder / f"{name}.bell")
        return self._fd

    def heard(self) -> None:
        """Take all bytes."""
        with suppress(BlockingIOError):
            while os.read(self._fd, _MOST_BYTES):
                pass

    def close(self) -> None:
        """Remove the pipe."""
        if self._own is not None:
            self._own.unlink(missing_ok=True)
            os.close(self._fd)
            self._own, self._fd = None, -1


class NotifyBell(Bell):
    """The notifications of PostgreSQL, which are sent by the commit itself."""

    def __init__(self, database: Database, channel: str) -> None:
        self._engine, self._channel = database.engine, channel
        self._pooled: Any = None
        self._connection: Any = None

    def listen(self) -> int:
        """Listen on a connection that is used for nothing else."""
        if self._connection is None:
            # Not given back to the pool: whoever got it next would be notified in our place.
            self._pooled = self._engine.raw_connection()
            connection = self._pooled.driver_connection
            self._pooled.detach()
            connection.rollback()
            connection.autocommit = True
            connection.execute(f"LISTEN {self._channel}")
            self._connection = connection
        return int(self._connection.fileno())

    def heard(self) -> None:
        """Take all notifications; listen anew if the connection is lost."""
        try:
            for _notification in self._connection.notifies(timeout=0):
                pass
        except self._engine.dialect.loaded_dbapi.OperationalError:
            # That it can be read from is what says that the server has ended.
            self.close()
            self.listen()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def bell_of(database: Database, channel: str) -> Bell:
    """Return the bell of a database; raise UsageError where there can be none.

    `channel` is what PostgreSQL calls these notifications.
    """
    if database.dialect == "postgresql":
        return NotifyBell(database, channel)
    if database.file is not None:
        return PipeBell(database.file)
    raise UsageError(f"this works with SQLite and PostgreSQL, not with {database.dialect}")


def ring_within(session: Session, channel: str) -> None:
    """Let the commit of `session` ring, where a database can do so."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"NOTIFY {channel}"))
