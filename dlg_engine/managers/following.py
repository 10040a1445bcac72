"""Following sessions on the managers below: a thread for each of them, which asks what is new.

Each call is answered when there is something (`waiting`), so nobody asks in vain, and a manager
below that is slow or dead holds up nobody but his own thread. What is asked is what is not known
yet: nothing is lost by a call that fails, and nothing counts twice. A thread ends when all its
sessions have settled.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from dlg.exceptions import DaliugeException
from dlg_engine.managers.composite_session import CompositeSession
from dlg_engine.managers.waiting import LONGEST_S

logger = logging.getLogger(__name__)

MARGIN_S = 10.0
"""How much longer than a call may wait its answer is waited for."""
RETRY_S = 0.5
Call = Callable[..., Future[Any]]
"""Starts a call: the manager below, the method, its arguments, `timeout_s`."""
Stuck = Callable[[CompositeSession], object]


class Following:
    """Whom a composite manager follows."""

    def __init__(self, call: Call, stuck: Stuck | None = None) -> None:
        """`stuck` is called, in some thread, with a session in which nothing more will happen."""
        self._call, self._stuck = call, stuck or _leave_it
        self._threads: dict[str, _Thread] = {}
        self._lock = threading.Lock()
        self._closed = False

    def follow(self, session: CompositeSession, child_of: Callable[[str], str]) -> None:
        """Follow a session on all its nodes, from before they start."""
        below: dict[str, list[str]] = {}
        for node in session.nodes:
            below.setdefault(child_of(node), []).append(node)
        with self._lock:
            for child, nodes in below.items() if not self._closed else ():
                thread = self._threads.setdefault(child, _Thread(child, self._call, self._stuck))
                thread.follow(session, nodes)

    def leave(self, session: CompositeSession) -> None:
        """Follow a session no more."""
        with self._lock:
            for thread in self._threads.values():
                thread.leave(session)

    def close(self) -> None:
        """Follow nobody any more."""
        with self._lock:
            self._closed = True
            threads = list(self._threads.values())
        for thread in threads:
            thread.close()


class _Thread:
    """Follows the sessions of one manager below; runs while there are any."""

    def __init__(self, child: str, call: Call, stuck: Stuck) -> None:
        self._child, self._call, self._stuck = child, call, stuck
        self._who = uuid.uuid4().hex
        self._number = 0
        self._followed: dict[CompositeSession, list[str]] = {}
        self._lock = threading.Lock()
        self._running = False
        self._over = threading.Event()

    def follow(self, session: CompositeSession, nodes: list[str]) -> None:
        """Follow a session on some nodes."""
        with self._lock:
            self._followed[session] = nodes
            start = not self._running
            self._running = True
        if start:
            threading.Thread(
                target=self._run, name=f"dlg-follow-{self._child}", daemon=True
            ).start()
        else:
            self._nudge()

    def leave(self, session: CompositeSession) -> None:
        """Follow a session no more; a call that waits for it is released."""
        with self._lock:
            left = self._followed.pop(session, None)
        if left is not None:
            self._nudge()

    def close(self) -> None:
        """End."""
        with self._lock:
            self._followed.clear()
            running = self._running
        self._over.set()
        if running:
            self._nudge()

    def _nudge(self) -> None:
        """Let the call that waits be answered: another one with other sessions follows it."""
        with self._lock:
            self._number += 1
            number = self._number
        try:
            self._call(self._child, "changes", self._who, number, {}, 0.0, timeout_s=MARGIN_S)
        except Exception:
            logger.debug("%s cannot be nudged", self._child, exc_info=True)

    def _run(self) -> None:
        while (asked := self._next()) is not None:
            number, sessions, wanted = asked
            try:
                answer = self._call(
                    self._child, "changes", self._who, number, wanted, LONGEST_S,
                    timeout_s=LONGEST_S + MARGIN_S,
                ).result()  # fmt: skip
                for session_id, there in answer.items():
                    for node, told in there.items():
                        sessions[session_id].take(node, told)
                    if sessions[session_id].is_stuck():
                        self._stuck(sessions[session_id])
            except DaliugeException as error:
                logger.info("%s cannot be followed: %s", self._child, error)
                self._over.wait(RETRY_S)
            except Exception:
                logger.exception("following %s failed", self._child)
                self._over.wait(RETRY_S)

    def _next(
        self,
    ) -> tuple[int, dict[str, CompositeSession], dict[str, dict[str, list[int]]]] | None:
        """Return what to ask next; None when there is nothing left: the thread ends then."""
        with self._lock:
            sessions: dict[str, CompositeSession] = {}
            wanted: dict[str, dict[str, list[int]]] = {}
            for session, nodes in list(self._followed.items()):
                still = {n: session.cursor(n) for n in nodes if not session.feeds[n].settled}
                if still:
                    sessions[session.session_id], wanted[session.session_id] = session, still
                else:
                    del self._followed[session]
            if not wanted:
                self._running = False
                return None
            self._number += 1
            return self._number, sessions, wanted


def _leave_it(_session: CompositeSession) -> None:
    """Let a session wait."""
