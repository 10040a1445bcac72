"""The time, from one place, so that a test can put its own clock there.

`now` is for people (it may jump when the system's clock is set), `monotonic` for durations and
deadlines.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol


class Clock(Protocol):
    """What a clock can do."""

    def now(self) -> float:
        """Return the seconds since 1970-01-01 UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary start."""

    def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""


class SystemClock:
    """The clock of this computer."""

    now = staticmethod(time.time)
    """Return the seconds since 1970-01-01 UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        time.sleep(seconds)


class ManualClock:
    """A clock for tests that stands still until someone sleeps on it: sleeping takes no time."""

    def __init__(self, start: float = 0.0) -> None:
        self._start, self._passed = start, 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the start plus all that was slept."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Return all that was slept."""
        return self._passed

    def sleep(self, seconds: float) -> None:
        """Move on by so many seconds and return at once; refuse to go back."""
        if seconds < 0:
            raise ValueError("time does not go backwards")
        with self._lock:
            self._passed += seconds


_clock: Clock = SystemClock()


def now() -> float:
    """Return the seconds since 1970-01-01 UTC."""
    return _clock.now()


def now_of() -> Callable[[], float]:
    """Return `now` of the clock that is in use at present, for those who ask a million times."""
    return _clock.now


def monotonic() -> float:
    """Return seconds that never go backwards, for durations and deadlines."""
    return _clock.monotonic()


def sleep(seconds: float) -> None:
    """Return after so many seconds."""
    _clock.sleep(seconds)


@contextmanager
def replaced(clock: Clock) -> Iterator[Clock]:
    """Use `clock` for the whole process inside the `with`."""
    global _clock  # noqa: PLW0603  there is one clock a process, also for threads that run already
    before, _clock = _clock, clock
    try:
        yield clock
    finally:
        _clock = before
