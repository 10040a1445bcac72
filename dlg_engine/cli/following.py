"""Following a session of a manager until it is over, by what it tells of every change."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from dlg.clients import ManagerClient
from dlg.clients.events import follow
from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg_engine.cli.progress import Show
from dlg_engine.sessions.session import Progress

GOING_ON = frozenset({DROPStates.INITIALIZED, DROPStates.WRITING})
_UNKNOWN = 0xFF


class Tally:
    """How many drops are in which state, kept up to date change by change."""

    def __init__(self, total: int) -> None:
        self._status, self._running = bytearray(total), bytearray(total)
        self.total, self.running = total, 0
        self.counts = [0] * _UNKNOWN
        self.counts[DROPStates.INITIALIZED] = total

    def take(self, changes: Iterable[tuple[int, int, int | None, float]]) -> None:
        """Take note of changes: row, status, execution status, time."""
        for row, status, executed, _ in changes:
            self.counts[self._status[row]] -= 1
            self.counts[status] += 1
            self._status[row] = status
            if executed is not None:
                runs = executed == AppDROPStates.RUNNING
                self.running += runs - self._running[row]
                self._running[row] = runs

    def progress(self, elapsed_s: float) -> Progress:
        """Return how far the session has come."""
        return Progress(
            total=self.total,
            done=self.total - sum(self.counts[state] for state in GOING_ON),
            failed=self.counts[DROPStates.ERROR],
            skipped=self.counts[DROPStates.SKIPPED],
            running=self.running,
            elapsed_s=elapsed_s,
        )


def follow_session(client: ManagerClient, session_id: str, show: Show | None) -> dict[str, Any]:
    """Return the summary of a session when it is over; `show` is told how far it has come.

    Raises NoSessionException if there is none, or if it is deleted meanwhile.
    """
    begun = time.perf_counter()
    summary = client.session_summary(session_id)
    tally = Tally(int(summary["drops"]))
    for event in follow(client.link, session_id, form="rows"):
        if event.name == "session":
            summary = event.data
        elif event.name == "changes":
            if not tally.total:  # it was deployed after we had asked
                tally = Tally(int(client.session_summary(session_id)["drops"]))
            tally.take(event.data["changes"])
        if show is not None and tally.total:
            show(tally.progress(time.perf_counter() - begun))
    return summary
