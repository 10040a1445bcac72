"""Asks the managers below for signs of life, and tells when one is lost or has returned."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from dlg.rpc import Peer
from dlg.support import clock
from dlg_engine.managers.liveness import INTERVAL_S, LIMIT_S, Liveness

logger = logging.getLogger(__name__)


class Heartbeat:
    """A thread that asks; what it finds is told in that thread."""

    def __init__(
        self,
        peer: Callable[[str], Peer],
        *,
        lost: Callable[[str], None],
        returned: Callable[[str], None],
        interval_s: float = INTERVAL_S,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._peer, self._lost, self._returned = peer, lost, returned
        self._interval_s = interval_s
        self._liveness = Liveness(limit_s)
        self._asked: set[str] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dlg-heartbeat", daemon=True)
        self._thread.start()

    def watch(self, name: str) -> None:
        """Begin to watch a manager below."""
        with self._lock:
            self._liveness.watch(name, clock.monotonic())

    def forget(self, name: str) -> None:
        """Watch a manager below no more."""
        with self._lock:
            self._liveness.forget(name)

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join(self._interval_s + 1)

    def _run(self) -> None:
        while not self._over.wait(self._interval_s):
            with self._lock:
                missing = self._liveness.missing(clock.monotonic())
                asked = [name for name in self._liveness.last if name not in self._asked]
                self._asked.update(asked)
            for name in missing:
                logger.error("%s does not answer", name, extra={"action": "node-lost"})
                self._tell(self._lost, name)
            for name in asked:
                self._ask(name)

    def _ask(self, name: str) -> None:
        """Ask for a sign of life; there is one question to each at a time."""
        begun = clock.monotonic()

        def answered(call: Future[Any]) -> None:
            with self._lock:
                self._asked.discard(name)
                # As of the time of asking: an answer may have waited somewhere for long.
                back = call.exception() is None and self._liveness.heard(name, begun)
            if back:
                logger.warning("%s answers again", name, extra={"action": "node-returned"})
                self._tell(self._returned, name)

        limit_s = self._liveness.limit_s
        call = self._peer(name).submit("about", timeout_s=max(limit_s / 2, self._interval_s))
        call.add_done_callback(answered)

    @staticmethod
    def _tell(whom: Callable[[str], None], name: str) -> None:
        try:
            whom(name)
        except Exception:
            logger.exception("the loss or return of %s was not dealt with", name)
