"""How processes of the task system are told to end, and finish first what they have begun."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Ended(BaseException):
    """The process was told to end while it was waiting."""


class Abandoned(BaseException):
    """The process was told to end again: what it is doing is to be given up."""


class Ending:
    """Whether this process was told to end.

    Told once it is woken if it waits, and else goes on until it waits next; told twice it is
    interrupted wherever it is.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._times = 0
        self._waiting = False

    def tell(self, *_: object) -> None:
        """Take notice of a signal; in the main thread."""
        self._times += 1
        self.stop.set()
        if self._times > 1:
            raise Abandoned
        if self._waiting:
            raise Ended

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for something inside; Ended is raised when, or if already, one is told to end."""
        self._waiting = True
        try:
            if self._times:
                raise Ended
            yield
        finally:
            self._waiting = False


@contextmanager
def heeding(ending: Ending, *numbers: signal.Signals) -> Iterator[None]:
    """Have signals tell a process to end, and heed no other interrupt meanwhile."""
    before = {number: signal.signal(number, ending.tell) for number in numbers}
    try:
        yield
    except Ended:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
