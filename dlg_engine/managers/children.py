"""Calling the managers below: all of them at once, and what to do when one cannot."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

from dlg.exceptions import DaliugeException, SubManagerException, UsageError
from dlg.rpc import CallTimeoutError, Peer, PeerLostError

logger = logging.getLogger(__name__)

CALL_TIMEOUT_S = 60.0
DEPLOY_TIMEOUT_S = 600.0
"""How long a manager may take to make a part of a million drops; its signs of life go on."""
QUESTION_TIMEOUT_S = 2.0
"""How long somebody is waited for who is only asked: he may have died a moment ago."""

Order = tuple[str, ...]
"""A method, and texts as its arguments."""


class Children:
    """The managers below, by their names."""

    def __init__(self, peer: Callable[[str], Peer]) -> None:
        self._peer = peer
        self._open: dict[str, set[Future[Any]]] = {}
        """The calls that have not been answered."""
        self._owed: dict[str, dict[Order, None]] = {}
        """What those have yet to be told who did not answer."""
        self._lock = threading.Lock()

    def call(
        self, name: str, method: str, *args: Any, timeout_s: float = CALL_TIMEOUT_S
    ) -> Future[Any]:
        """Start a call; if `name` is given up meanwhile it fails with PeerLostError."""
        result: Future[Any] = Future()
        with self._lock:
            self._open.setdefault(name, set()).add(result)

        def answered(call: Future[Any]) -> None:
            with self._lock:
                self._open.get(name, set()).discard(result)
            with suppress(InvalidStateError):  # it was given up
                error = call.exception()
                if error is None:
                    result.set_result(call.result())
                else:
                    result.set_exception(error)

        self._peer(name).submit(method, *args, timeout_s=timeout_s).add_done_callback(answered)
        return result

    def give_up(self, name: str) -> None:
        """Wait for no answer of a manager that is lost."""
        with self._lock:
            given_up = self._open.pop(name, set())
        for call in given_up:
            with suppress(InvalidStateError):
                call.set_exception(PeerLostError(f"{name} was lost during a call"))

    def order(self, orders: Iterable[tuple[str, Order]]) -> None:
        """Tell managers to do what must be done, all at once: now, or when they answer again."""
        waiting = [
            (name, what, self.call(name, *what, timeout_s=QUESTION_TIMEOUT_S))
            for name, what in orders
        ]
        for name, what, call in waiting:
            try:
                call.result()
            except (CallTimeoutError, PeerLostError):
                self.owe(name, what)
            except DaliugeException as error:
                logger.info("%s did not %s: %s", name, what[0], error)

    def owe(self, name: str, what: Order) -> None:
        """Tell a manager something when it is heard of again."""
        with self._lock:
            self._owed.setdefault(name, {})[what] = None

    def settle(self, name: str) -> None:
        """Tell a manager that is heard of what it could not be told before."""
        with self._lock:
            owed = self._owed.pop(name, {})
        self.order((name, what) for what in owed)

    def forget(self, name: str) -> None:
        """Let a manager go that will not be called any more."""
        self.give_up(name)
        with self._lock:
            self._owed.pop(name, None)

    def all(
        self,
        names: Iterable[str],
        method: str,
        *args: Any,
        undo: str = "",
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> dict[str, Any]:
        """Call all of them and return what they say.

        If one fails, `undo` is called on those that did not, and SubManagerException is raised.
        """
        waiting = [(name, self.call(name, method, *args, timeout_s=timeout_s)) for name in names]
        try:
            return gather(waiting)
        except SubManagerException as error:
            if undo:
                done = [name for name, _ in waiting if name not in error.reasons]
                self.try_all(done, undo, *args)
            raise

    def try_all(self, names: Iterable[str], method: str, *args: Any) -> dict[str, Any]:
        """Call all of them; return what those say that answer soon and can do it."""
        waiting = [
            (name, self.call(name, method, *args, timeout_s=QUESTION_TIMEOUT_S)) for name in names
        ]
        found: dict[str, Any] = {}
        for name, call in waiting:
            try:
                found[name] = call.result()
            except DaliugeException as error:
                logger.warning("%s could not %s: %s", name, method, error)
        return found


def gather(waiting: Iterable[tuple[str, Future[Any]]]) -> dict[str, Any]:
    """Wait for all calls; raise SubManagerException with the reasons of those that failed."""
    found: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    failed: list[BaseException] = []
    for name, call in waiting:
        try:
            found[name] = call.result()
        except Exception as error:  # noqa: BLE001  all are told together
            reasons[name] = f"{type(error).__name__}: {error}"
            failed.append(error)
    if reasons:
        told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise SubManagerException(told, reasons, _fault(failed)) from failed[0]
    return found


def _fault(failed: Iterable[BaseException]) -> str:
    """Return the class of all of them if they are the user's fault, "" if one is not."""
    names: set[str] = set()
    for error in failed:
        name = error.fault if isinstance(error, SubManagerException) else ""
        if isinstance(error, UsageError):
            name = type(error).__name__
        if not name:
            return ""
        names.add(name)
    return names.pop() if len(names) == 1 else UsageError.__name__
