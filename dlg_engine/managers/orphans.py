"""Sessions whose manager above is not heard of any more: ended here after a while.

A node or island that was cut off cannot know whether its sessions still count: most likely they
have been given up long ago, and what they start is in vain. So it ends them when nobody above has
asked for a sign of life for long; long enough for a manager above to be started anew meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from dlg.exceptions import NoSessionException
from dlg.support import clock
from dlg_engine.sessions.states import OVER, SessionStates

logger = logging.getLogger(__name__)

ALONE_S = 300.0
"""After so long without a word from above sessions are ended."""


class Orphans:
    """Watches over the sessions that came from above; a thread runs while there are any."""

    def __init__(
        self,
        state_of: Callable[[str], SessionStates],
        give_up: Callable[[str, str], object],
        limit_s: float = ALONE_S,
    ) -> None:
        """`state_of` raises NoSessionException for one that is gone."""
        self._state_of, self._give_up, self.limit_s = state_of, give_up, limit_s
        self._last_s = clock.monotonic()
        self._sessions: set[str] = set()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def heard(self) -> None:
        """Take note of a word from above."""
        self._last_s = clock.monotonic()

    def watch(self, session_id: str) -> None:
        """Watch over a session that came from above just now."""
        self.heard()
        with self._lock:
            self._sessions.add(session_id)
            if self._thread is None and not self._over.is_set():
                self._thread = threading.Thread(target=self._run, name="dlg-orphans", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End nothing any more."""
        self._over.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(1.0)

    def _run(self) -> None:
        while not self._over.wait(max(0.0, self._last_s + self.limit_s - clock.monotonic())):
            with self._lock:
                self._sessions = {one for one in self._sessions if self._is_open(one)}
                listed = sorted(self._sessions)
                if not listed:
                    self._thread = None
                    return
            if clock.monotonic() - self._last_s >= self.limit_s:
                self._end(listed)
                self.heard()  # not again and again for those that cannot be ended

    def _is_open(self, session_id: str) -> bool:
        try:
            return self._state_of(session_id) not in OVER
        except NoSessionException:
            return False

    def _end(self, sessions: list[str]) -> None:
        why = f"no manager above has been heard of for {self.limit_s:g} s"
        for session_id in sessions:
            logger.error("session %s is given up: %s", session_id, why)
            try:
                self._give_up(session_id, why)
            except Exception:  # the others must be ended all the same
                logger.exception("session %s could not be given up", session_id)
