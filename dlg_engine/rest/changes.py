"""Tells any number of clients that something in a database has changed; they ask what they show.

One thread sleeps until somebody rings, in whichever process.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
from collections.abc import Sequence

from dlg.http.events import Event, EventQueue
from dlg.support.bells import Bell

logger = logging.getLogger(__name__)

DEAF_S = 1.0
"""How long after the connection to a database was lost it is tried again."""
MOST_CLIENTS = 1000
"""How many events may wait for a client that takes none."""


class Changes:
    """The changes of a database, as events that say no more than that there was one."""

    def __init__(
        self, bell: Bell | None, *, again_s: float | None = None, look_s: float | None = None
    ) -> None:
        """`again_s` after it has rung they are told once more: for bells that ring seldom.

        Where there is no bell, clients are told every `look_s` that there may be something.
        """
        self._bell, self._again_s, self._look_s = bell, again_s, look_s
        self._fds = [] if bell is None else [bell.listen()]
        self._wake_r, self._wake_w = os.pipe()
        self._lock = threading.Lock()
        self._clients: set[EventQueue] = set()
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="dlg-changes", daemon=True)
        self._thread.start()

    def follow(self) -> EventQueue:
        """Return the events for one client: one at once, and one for each change."""
        queue = EventQueue(lambda: self._forget(queue), most_waiting=MOST_CLIENTS)
        with self._lock:
            self._clients.add(queue)
            queue.put(self._event())
        if self._bell is None:
            self._wake(b"?")  # there is somebody to look for
        return queue

    def _event(self) -> Event:
        return Event({"version": self._count}, "changed", str(self._count))

    def _forget(self, queue: EventQueue) -> None:
        with self._lock:
            self._clients.discard(queue)

    def _run(self) -> None:
        timeout_s = self._again_s  # somebody may have rung just before we listened
        while True:
            ready, _, _ = select.select([*self._fds, self._wake_r], [], [], timeout_s)
            if self._wake_r in ready and b"!" in os.read(self._wake_r, 1 << 10):
                return
            rung = self._hear(ready)
            if rung or (not ready and not self._is_deaf):
                self._tell()
            timeout_s = self._next(rung)

    @property
    def _is_deaf(self) -> bool:
        return self._bell is not None and not self._fds

    def _hear(self, ready: Sequence[int]) -> bool:
        """Return whether it has rung; where the database has gone, listen anew."""
        if self._bell is None:
            return False
        try:
            if self._is_deaf:
                self._fds = [self._bell.listen()]
                return True  # nobody knows what has happened meanwhile
            if self._fds[0] in ready:
                self._bell.heard()
                return True
        except Exception as error:  # noqa: BLE001  whatever its driver raises
            logger.warning("changes cannot be heard of for now: %s", error)
            self._fds = []
            with contextlib.suppress(Exception):
                self._bell.close()
        return False

    def _next(self, rung: bool) -> float | None:
        if self._is_deaf:
            return DEAF_S
        if self._bell is not None:
            return self._again_s if rung else None
        with self._lock:
            return self._look_s if self._clients else None

    def _tell(self) -> None:
        with self._lock:
            self._count += 1
            for queue in self._clients:
                queue.put(self._event())

    def _wake(self, why: bytes) -> None:
        os.write(self._wake_w, why)

    def close(self) -> None:
        """Tell nobody anything any more."""
        self._wake(b"!")
        self._thread.join()
        if self._bell is not None:
            self._bell.close()
        with self._lock:
            clients, self._clients = self._clients, set()
        for queue in clients:
            queue.end()
        for fd in (self._wake_r, self._wake_w):
            with contextlib.suppress(OSError):
                os.close(fd)
