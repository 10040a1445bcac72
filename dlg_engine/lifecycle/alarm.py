"""A thread that does something at the date that it was told last, or when it is woken."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

AFTER_A_MISTAKE_S = 10.0


class Alarm:
    """Calls a function when it is due; asleep otherwise.

    `attend` returns in how many seconds it is to be called again; None: not before the next
    `wake`. The thread is started by the first of these: a node that never needs it has none.
    """

    def __init__(self, attend: Callable[[], float | None], name: str) -> None:
        self._attend, self._name = attend, name
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._woken = self._closed = False

    def wake(self) -> None:
        """Let `attend` be called soon."""
        with self._news:
            if self._closed:
                return
            self._woken = True
            self._news.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Call nothing any more; wait until a call that is going on has returned."""
        with self._news:
            self._closed = True
            self._news.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        wait_s: float | None = 0.0
        while self._sleep(wait_s):
            try:
                wait_s = self._attend()
            except Exception:  # one mistake must not end it for all that comes later
                logger.exception("data could not be looked after")
                wait_s = AFTER_A_MISTAKE_S

    def _sleep(self, wait_s: float | None) -> bool:
        """Return True when it is time, False when there is nothing to do any more."""
        with self._news:
            if not self._woken and not self._closed:
                self._news.wait(wait_s)
            self._woken = False
            return not self._closed
