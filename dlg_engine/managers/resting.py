"""A session of a node that knows when it is at rest, and what it has counted by then.

At rest nothing happens here by itself. Where news of other nodes are waited for that is no end:
whoever knows all nodes says when none will come (`at_rest`).
"""

from __future__ import annotations

import threading
from pathlib import Path

from dlg.drops.runners import Runner
from dlg_engine.managers.at_rest import Counts, Rest
from dlg_engine.managers.recorded import RecordedSession
from dlg_engine.sessions.states import OVER

NAMED = 3
"""How many drops that wait in vain are named."""


class RestingSession(RecordedSession):
    """A session that may wait for others."""

    def __init__(self, session_id: str, directory: Path, runner: Runner) -> None:
        super().__init__(session_id, directory, runner)
        self._fetches: dict[tuple[str, str], list[int]] = {}
        """For data and a node: the rows that wait for news of it from there."""
        self._not_own: set[int] = set()
        """The rows that stand in for drops of other nodes."""
        self._to_be_triggered = self._nothing_comes = False
        self._counts = Counts()
        self._gate = threading.Lock()

    @property
    def awaits_trigger(self) -> bool:
        """Return whether it was deployed, and is to be started by a word of its own."""
        return self._to_be_triggered

    def wait_for_end(self) -> None:
        """Return when the session is over, or nothing more can happen here."""
        live = self._running()
        with live.changed:
            live.changed.wait_for(self._can_end)

    def _can_end(self) -> bool:
        """Return whether it may be decided how it has ended; tell if it only rests."""
        if self.state in OVER:
            return True
        if not self._running().idle:
            return False
        waits = self._fetches or self._to_be_triggered
        if self._nothing_comes or not waits or not self._waiting():
            return True
        if not self._to_be_triggered:
            self._rests += 1
            self.bell.ring()
        return False

    def rest(self) -> Rest | None:
        """Return what it has counted, if nothing happens here unless news come."""
        live = self.live
        if live is None or not self._started:
            return None
        with live.lock, self._gate:
            if self.state not in OVER and (self._to_be_triggered or not live.idle):
                return None
            return self._counts.at_rest()

    def end_at_rest(self) -> None:
        """End, as all nodes are at rest and no news are on their way: some wait in vain."""
        live = self._running()
        with live.changed:
            self._nothing_comes = True
            live.changed.notify_all()

    def _wait_in_vain(self, waiting: list[int]) -> str:
        oids = [self._running().oids[row] for row in waiting if row not in self._not_own]
        named = ", ".join(oids[:NAMED]) + (", ..." if len(oids) > NAMED else "")
        where = f"on node {self.node}, " if self.node else ""
        return f"{where}{super()._wait_in_vain(waiting[: len(oids)])} ({named})"
