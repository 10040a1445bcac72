"""Calls to listening apps, one at a time for each app, whichever threads make them.

A component counts in `dropCompleted`, or gathers in `dataWritten`, and expects nobody else to do
so at the same moment. Yet its inputs may end in several threads at once. No lock is held while a
component's code runs, as that may wait for another drop; instead, a thread that finds an app taken
leaves its call there, and the thread that is at work for the app makes that call as well.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol

from dlg.states.flow import Flow
from dlg.support.interrupts import is_interrupt

logger = logging.getLogger(__name__)

Letter = tuple[str, str, Any]
"""A call: the name of the method and its two arguments."""


class PostOffice(Protocol):
    """What is asked of a live graph here."""

    lock: Lock
    flow: Flow
    uids: list[str]
    boxes: dict[int, deque[Letter]]

    def drop(self, row: int) -> Any:
        """Return the object that stands for `row`."""

    def apply(self, event: Callable[..., Any], *args: Any) -> Any:
        """Let the flow take `event`."""


def hand_over(live: PostOffice, row: int, method: str, uid: str, content: Any) -> None:
    """Call `method` of app `row` with `uid` and `content`, or leave that to who is at it.

    What the call raises is the app's failure and nobody else's.
    """
    letter = method, uid, content
    with live.lock:
        box = live.boxes.get(row)
        if box is not None:
            box.append(letter)
            return
        box = live.boxes[row] = deque()
    try:
        _open(live, row, letter)
        while _next(live, row, box):
            _open(live, row, box.popleft())
    except BaseException:
        with live.lock:
            live.boxes.pop(row, None)
        raise


def _next(live: PostOffice, row: int, box: deque[Letter]) -> bool:
    """Return whether there is a letter; if not, the box is gone, as the next one opens its own."""
    with live.lock:
        if not box:
            del live.boxes[row]
        return bool(box)


def _open(live: PostOffice, row: int, letter: Letter) -> None:
    method, *arguments = letter
    try:
        getattr(live.drop(row), method)(*arguments)
    except BaseException as error:
        if is_interrupt(error):
            raise
        logger.warning("drop %s failed", live.uids[row], exc_info=error)
        live.apply(live.flow.fail, row, error)
