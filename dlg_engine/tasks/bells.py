"""How workers and schedulers learn that something is in a queue of the database."""

from __future__ import annotations

import select

from sqlalchemy.orm import Session

from dlg.support import bells, clock
from dlg.support.database import Database

CHANNEL = "dlg_tasks"
"""What PostgreSQL calls our notifications."""
LOOK_S = 0.05
"""How often one looks where the database tells nobody: MariaDB and MySQL."""


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


class NoBell(Bell):
    """Where the database tells nobody."""

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
    return NoBell()


def ring_within(session: Session) -> None:
    """Let the commit of `session` ring, where a database can do so."""
    bells.ring_within(session, CHANNEL)
