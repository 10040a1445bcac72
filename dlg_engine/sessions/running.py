"""A session as a run of the engine contract: watched, cancelled, collected."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from dlg.exceptions import InvalidSessionState
from dlg_engine.sessions.report import RunReport
from dlg_engine.sessions.session import Progress, Session
from dlg_engine.sessions.states import OVER


class SessionRun:
    """A session that has been deployed: see `dlg.engines.Run`."""

    def __init__(self, session: Session, close: Callable[[], object] | None = None) -> None:
        """`close` frees what was only needed for the run."""
        self.session, self._close = session, close
        self._closed = False

    @property
    def session_id(self) -> str:
        """The session that runs the graph."""
        return self.session.session_id

    def watch(
        self, timeout: float | None = None, progress: Callable[[Progress], object] | None = None
    ) -> bool:
        """Wait for the end; return False if `timeout` seconds passed first."""
        if self.session.state in OVER:
            return True
        if not self.session.wait(timeout, progress):
            return False
        with suppress(InvalidSessionState):  # somebody cancelled it at this moment
            self.session.close()
        return True

    def cancel(self, reason: str = "cancelled") -> None:
        """Give the run up; running apps are told to stop."""
        self.session.cancel(reason)

    def collect(self) -> RunReport:
        """Return what came of the run, and free what was only needed for it."""
        if self.session.state not in OVER:
            raise InvalidSessionState(f"session {self.session_id} is not over")
        report = self.session.report()
        self.close()
        return report

    def close(self) -> None:
        """Free what was only needed for the run; once is enough."""
        if not self._closed:
            self._closed = True
            if self._close is not None:
                self._close()
