"""Asks the managers below for signs of life, and tells when one is lost or has returned."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from dlg.rpc import Peer
from dlg.support import clock
from dlg_engine.managers.liveness import INTERVAL_S, LIMIT_S, Liveness

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What a manager below has told along with its last sign of life."""

    about: Mapping[str, Any]
    since: float
    """When it was taken in, for people."""
    alive: bool = True


class Heartbeat:
    """A thread that asks; what it finds is told in that thread."""

    def __init__(
        self,
        peer: Callable[[str], Peer],
        *,
        lost: Callable[[str, str], None],
        returned: Callable[[str], None],
        heard: Callable[[str, Mapping[str, Any]], None] | None = None,
        interval_s: float = INTERVAL_S,
        limit_s: float = LIMIT_S,
    ) -> None:
        """Say whom to tell: who is lost and why, who has returned, and what one has told.

        All are called in the thread of the heartbeat, and may call those below.
        """
        self._peer, self._lost, self._returned = peer, lost, returned
        self._heard = heard or (lambda name, about: None)
        self._interval_s = interval_s
        self._liveness = Liveness(limit_s)
        self._asked: set[str] = set()
        self._told: dict[str, Told] = {}
        self._to_tell: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dlg-heartbeat", daemon=True)
        self._thread.start()

    @property
    def told(self) -> dict[str, Told]:
        """Return what those below have told last, also those that are lost."""
        with self._lock:
            lost = self._liveness.lost
            return {n: replace(told, alive=n not in lost) for n, told in self._told.items()}

    def watch(self, name: str, about: Mapping[str, Any] | None = None) -> None:
        """Begin to watch a manager below; `about` is what it has told already."""
        with self._lock:
            self._liveness.watch(name, clock.monotonic())
            since = self._told[name].since if name in self._told else clock.now()
            self._told[name] = Told(about or {}, since)

    @property
    def lost(self) -> frozenset[str]:
        """Return those that are watched and do not answer."""
        with self._lock:
            return frozenset(self._liveness.lost)

    def expect(self, name: str) -> None:
        """Begin to watch a manager that does not answer yet."""
        with self._lock:
            self._liveness.watch(name, clock.monotonic())
            self._liveness.lost.add(name)
            self._told.setdefault(name, Told({}, clock.now()))

    def forget(self, name: str) -> None:
        """Watch a manager below no more."""
        with self._lock:
            self._liveness.forget(name)
            self._told.pop(name, None)

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join(self._interval_s + 1)

    def _run(self) -> None:
        while True:
            begun = clock.monotonic()
            if self._over.wait(self._interval_s):
                return
            now = clock.monotonic()
            late_s = now - begun - self._interval_s
            with self._lock:
                if late_s > self._interval_s:  # this process was frozen, or all others were busy
                    self._liveness.excuse(late_s)
                missing = self._liveness.missing(now)
                asked = [name for name in self._liveness.last if name not in self._asked]
                self._asked.update(asked)
            for name in missing:
                logger.error("%s does not answer", name, extra={"action": "node-lost"})
                self._tell(self._lost, name, f"has not answered for {self._liveness.limit_s:g} s")
            for name in asked:
                self._ask(name)
            while self._to_tell:
                whom, what = self._to_tell.popleft()
                self._tell(whom, *what)

    def _ask(self, name: str) -> None:
        """Ask for a sign of life; there is one question to each at a time."""
        begun = clock.monotonic()

        def answered(call: Future[Any]) -> None:
            # In a thread that carries answers: it must not wait for one itself.
            with self._lock:
                self._asked.discard(name)
                known = self._told.get(name)
                if call.exception() is not None or known is None:
                    return
                # As of the time of asking: an answer may have waited somewhere for long.
                back = self._liveness.heard(name, begun)
                about = call.result() or {}
                self._told[name] = replace(known, about=about)
            self._to_tell += self._news(name, known.about, about, back=back)

        limit_s = self._liveness.limit_s
        call = self._peer(name).submit("about", timeout_s=max(limit_s / 2, self._interval_s))
        call.add_done_callback(answered)

    def _news(
        self, name: str, before: Mapping[str, Any], about: Mapping[str, Any], *, back: bool
    ) -> list[tuple[Callable[..., None], tuple[Any, ...]]]:
        """Return whom to tell what after a sign of life."""
        if back:
            logger.warning("%s answers again", name, extra={"action": "node-returned"})
            return [(self._returned, (name,))]
        if before.get("life", about.get("life")) != about.get("life"):
            logger.warning("%s was started anew", name, extra={"action": "node-restarted"})
            return [(self._lost, (name, "was started anew")), (self._returned, (name,))]
        return [(self._heard, (name, about))]

    @staticmethod
    def _tell(whom: Callable[..., None], name: str, *more: Any) -> None:
        try:
            whom(name, *more)
        except Exception:
            logger.exception("the loss or return of %s was not dealt with", name)
