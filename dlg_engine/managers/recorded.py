"""A session of a node that can be watched: it keeps a journal and its times, and tells its end.

*Settled* is more than over: a session that is cancelled is over at once, but its drops end a
moment later. Whoever watches may leave when it is settled, and has seen every change then.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from dlg.drops.live import LiveGraph
from dlg.drops.runners import Runner
from dlg.exceptions import RunError
from dlg.states.flow import Flow
from dlg.states.journal import Bell, Journal, RecordedFlow
from dlg.support import clock, context
from dlg_engine.managers.at_rest import Rest
from dlg_engine.managers.boards import NodeBoard
from dlg_engine.managers.news import FailedElsewhereError
from dlg_engine.sessions.session import Session
from dlg_engine.sessions.states import OVER, Event, SessionStates

logger = logging.getLogger(__name__)

MOST_ERRORS = 100
"""How many failed drops a summary names."""


class RecordedSession(Session):
    """A session with a journal of all that happens to its own drops."""

    node = ""

    def __init__(self, session_id: str, directory: Path, runner: Runner) -> None:
        super().__init__(session_id, directory, runner)
        self.journal = Journal()
        self.board: NodeBoard | None = None
        self.settled = False
        self.created_s = clock.now()
        self.started_s: float | None = None
        self.ended_s: float | None = None
        self.flow_of = partial(RecordedFlow, journal=self.journal, now=clock.now_of())
        self._ending = threading.Lock()
        self._rests = 0
        """How often it has come to rest while drops waited."""
        self._given_up = False

    @property
    def bell(self) -> Bell:
        """Return what rings at every change and step."""
        return self.journal.bell

    @property
    def nodes(self) -> list[str]:
        """Return the node it is on."""
        return [self.node]

    @property
    def reused(self) -> int:
        """Return how many apps did not have to run, as their results were in a store."""
        return 0 if self.reuse is None else len(self.reuse.reused)

    @property
    def size(self) -> int:
        """Return how many drops of its own it has."""
        return self.own_size() if self.board is None else len(self.board)

    def own_size(self) -> int:
        """Return how many drops of its own it has, counted."""
        return sum(len(part) for part in self._parts)

    def rest(self) -> Rest | None:
        """Return what it has counted, if nothing happens here unless news come."""
        return None

    def mark(self) -> tuple[int, int]:
        """Return how many changes (or rests) and steps there have been."""
        return self.journal.version + self._rests, self.bell.steps

    def errors(self) -> list[dict[str, Any]]:
        """Return the drops that failed by themselves, those that stopped most first."""
        live = self.live
        if live is None:
            return []
        stopped = Counter(list(live.flow.stopped_by.values()))
        failed = list(live.flow.failures.items())
        failed.sort(key=lambda one: (-stopped[one[0]], live.uids[one[0]]))
        return [
            {
                "uid": live.uids[row],
                "name": str(live.spec(row).get("name") or live.uids[row]),
                "node": self.node,
                "exception": "".join(traceback.format_exception_only(error)).strip(),
                "stopped": stopped[row],
                "elsewhere": isinstance(error, FailedElsewhereError),
            }
            for row, error in failed[:MOST_ERRORS]
        ]

    def told_reason(self) -> str:
        """Return why it ended as it did, where no drop says it."""
        return self.reason

    # -- the end ----------------------------------------------------------------------------

    def deploy(self, completed: Any = None) -> None:
        """Make the live graph and start it; a graph that is refused has settled."""
        try:
            super().deploy(completed)
        except BaseException:
            if self.state in OVER:
                self._settle()
            raise

    def close(self) -> None:
        """Decide how the session has ended, unless it is being given up."""
        with self._ending:
            if self._given_up:
                return
            super().close()
            self._settle()

    def cancel(self, reason: str = "cancelled") -> bool:
        """Give the session up; return whether all running apps have stopped in time."""
        with self._giving_up() as mine:
            return super().cancel(reason) if mine else True

    def give_up(self, reason: str) -> None:
        """End a session that cannot go on because of something outside: it has FAILED."""
        if self.state not in {SessionStates.DEPLOYING, SessionStates.RUNNING}:
            self.cancel(reason)
            return
        with self._giving_up() as mine:
            if mine:
                self.reason = reason
                self._step(Event.FAIL)
                if self.live is not None:
                    self.live.cancel()

    @contextmanager
    def _giving_up(self) -> Iterator[bool]:
        """End a session from outside: it settles afterwards; yields False if it is over."""
        with self._ending:
            mine = self.state not in OVER
            self._given_up = self._given_up or mine
        try:
            yield mine
        finally:
            if mine:
                self._settle()

    def _settle(self) -> None:
        if not self.settled:
            self._log_failures()
        self.settled = True
        self.bell.step()

    def _step(self, event: Event) -> None:
        super()._step(event)
        if event is Event.START:
            self.started_s = clock.now()
        if self.state in OVER and self.ended_s is None:
            self.ended_s = clock.now()
        self.bell.step()
        if event is not Event.ADD:
            with context.working_for(session=self.session_id, drop=""):
                logger.info("session %s is %s", self.session_id, self.state.name)

    def _log_failures(self) -> None:
        """Leave the failures, with where they happened, in the log of the session."""
        live = self.live
        if live is None:
            return
        for row, error in list(live.flow.failures.items())[:MOST_ERRORS]:
            with context.working_for(session=self.session_id, drop=live.uids[row]):
                logger.error("drop %s failed", live.uids[row], exc_info=error)

    def _leave_evidence(self) -> None:
        try:
            super()._leave_evidence()
        except RunError:  # of the run nothing is lost, nor of what there is to be asked for
            logger.exception("session %s leaves no file of evidence", self.session_id)

    # -- what is recorded -------------------------------------------------------------------

    def _show(self, live: LiveGraph, left_out: Collection[int]) -> None:
        """Show the drops of the live graph, but not the rows `left_out`, to those who watch."""
        own: list[int] | None = None
        if left_out:
            own = [row for row in range(len(live.oids)) if row not in left_out]
            numbers = [-1] * len(live.oids)
            for number, row in enumerate(own):
                numbers[row] = number
            _recorded(live.flow).numbers = numbers
        self.board = NodeBoard(live, self.node, self.journal, own)


def _recorded(flow: Flow) -> RecordedFlow:
    if not isinstance(flow, RecordedFlow):
        raise TypeError("the session was made without a journal")
    return flow
