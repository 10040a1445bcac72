"""Telling an interrupt from the keyboard from everything else that code of users may raise."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """The process was told to end, as batch systems and service managers tell it."""


@contextmanager
def heeding_termination() -> Iterator[None]:
    """Let SIGTERM end the work in this block as Ctrl-C would, by raising `Terminated`.

    Outside the main thread, where signals cannot be heeded, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated("the process was told to end")


def is_interrupt(error: BaseException) -> bool:
    """Return whether `error` is for whoever runs the program, and not the failure of a drop.

    Python delivers an interrupt from the keyboard to the main thread. What is raised anywhere
    else, be it `SystemExit`, the cancellation of a coroutine or a `KeyboardInterrupt` that a
    component made itself, would only end the thread of a worker, and the graph would wait for it.
    """
    main = threading.current_thread() is threading.main_thread()
    return main and isinstance(error, KeyboardInterrupt)
