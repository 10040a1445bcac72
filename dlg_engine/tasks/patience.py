"""How one goes on when a database or a broker is being started again.

A lost connection is nobody's fault who had one: what was to be done is tried again, at growing
intervals and for so long only. When the connection is lost just as a transaction commits, nobody
knows whether it has: so what is done patiently is made such that doing it twice is doing it once.
Tokens of leases and the states of attempts decide that, in the database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from dlg.exceptions import RunError
from dlg.support import clock
from dlg.support.database import is_lost_connection
from dlg_engine.tasks.errors import DatabaseUnavailableError
from dlg_engine.tasks.statements import repeated

logger = logging.getLogger(__name__)
T = TypeVar("T")
PATIENCE_S = 60.0
"""How long one waits for a server that was there before."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long something is tried again; setting `stop` ends it at once."""

    most_s: float = PATIENCE_S
    stop: threading.Event = field(default_factory=threading.Event)

    def repeated(self, transaction: Callable[[], T]) -> T:
        """Return what a transaction returns, which is repeated after collisions too.

        Raises DatabaseUnavailableError if the database is not there in time.
        """
        return self.through(lambda: repeated(transaction), is_lost_connection, _unavailable)

    def through(
        self,
        do: Callable[[], T],
        is_lost: Callable[[BaseException], bool],
        unavailable: Callable[[BaseException, float], RunError],
    ) -> T:
        """Return what `do` returns; it is tried again after an error that is a lost connection.

        When patience is over what `unavailable` makes of the last such error, and of the seconds
        for which one has waited, is raised.
        """
        began, pause = None, FIRST_PAUSE_S
        while True:
            try:
                return do()
            except Exception as error:
                if not is_lost(error):
                    raise
                now = clock.monotonic()
                if began is None:
                    began = now
                    logger.warning("a connection is lost, and is made again: %s", error)
                if self.stop.is_set() or now - began + pause > self.most_s:
                    raise unavailable(error, now - began) from error
            self.stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)


def _unavailable(error: BaseException, waited_s: float) -> DatabaseUnavailableError:
    cause = getattr(error, "orig", None) or error
    return DatabaseUnavailableError(
        f"the database does not answer (tried for {waited_s:.0f} s): {str(cause).strip()}; start "
        "it, and then this again: what was begun is taken over"
    )


def tells_of_loss(error: BaseException | None) -> bool:
    """Return whether an error, or one that it follows from, is a lost connection."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if is_lost_connection(error) or isinstance(error, DatabaseUnavailableError):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
