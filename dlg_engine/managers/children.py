"""Calling the managers below: all of them at once, and what to do when one cannot."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from dlg.exceptions import DaliugeException, SubManagerException
from dlg.rpc import Peer

logger = logging.getLogger(__name__)

CALL_TIMEOUT_S = 60.0
QUESTION_TIMEOUT_S = 2.0
"""How long somebody is waited for who is only asked: he may have died a moment ago."""


class Children:
    """The managers below, by their names."""

    def __init__(self, peer: Callable[[str], Peer]) -> None:
        self._peer = peer

    def call(
        self, name: str, method: str, *args: Any, timeout_s: float = CALL_TIMEOUT_S
    ) -> Future[Any]:
        """Start a call."""
        return self._peer(name).submit(method, *args, timeout_s=timeout_s)

    def all(self, names: Iterable[str], method: str, *args: Any, undo: str = "") -> dict[str, Any]:
        """Call all of them and return what they say.

        If one fails, `undo` is called on those that did not, and SubManagerException is raised.
        """
        waiting = [(name, self.call(name, method, *args)) for name in names]
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
    first: BaseException | None = None
    for name, call in waiting:
        try:
            found[name] = call.result()
        except Exception as error:  # noqa: BLE001  all are told together
            reasons[name] = f"{type(error).__name__}: {error}"
            first = first or error
    if reasons:
        told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise SubManagerException(told, reasons) from first
    return found
