"""One task being tried: calls of a function of the builder until one succeeds, each kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dlg.support import clock
from dlg.support.calls import Called

WRONG, DEPENDENCY, ERROR, INIT, READY, RUNNING, SUCCESS = range(-3, 4)
"""The states of a task; the numbers are part of the interface."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a task."""

    retry: int
    """Which try it is, from 1."""
    date_start: float
    """Seconds since 1970 (UTC)."""
    time_duration: float
    """Seconds."""
    kind: str = ""
    """The class of the exception; empty if the try succeeded."""
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How often tasks are tried, with which pauses, and how long one may take."""

    max_retry: int = 3
    """How often a task is tried, all in all."""
    backoff: float = 0.1
    """Seconds between the first and the second try; each further pause is twice as long."""
    max_backoff: float = 30.0
    task_timeout: float | None = None
    """Seconds for one try, where the task says nothing else."""

    def pause(self, tries: int) -> float:
        """Return how many seconds to wait after so many tries."""
        return min(self.backoff * 2.0 ** min(tries - 1, 60), self.max_backoff)


class Place(Protocol):
    """Where a task is tried: an app that knows how functions are called there."""

    def call_builder(self, order: Order, retry: int, timeout_s: float | None) -> Called:
        """Return what comes of the call; raise `TimeoutError` if it was given up."""

    def wait(self, seconds: float) -> bool:
        """Wait; return False if the app was cancelled meanwhile."""


@dataclass(slots=True, kw_only=True)
class Order:
    """A task as it is given to whoever tries it."""

    tid: str
    func: str
    inputs: Mapping[str, Any]
    policy: Policy
    timeout_s: float | None = None
    deadline: float | None = None
    """When the whole run must end, by `clock.monotonic`."""
    builder: Any = None
    packed: tuple[str, bytes] | None = None
    """The builder with a key of its own, as it goes to other processes."""
    limited: bool = True
    """Whether a call that takes too long is given up, where it cannot be killed."""

    def left_s(self) -> float | None:
        """Return how many seconds the run has left."""
        return None if self.deadline is None else self.deadline - clock.monotonic()


@dataclass(slots=True)
class Outcome:
    """What came of a task: SUCCESS, ERROR, RUNNING if it was given up, INIT if it never began."""

    state: int
    results: Any = None
    attempts: list[Attempt] = field(default_factory=list)


def carry_out(order: Order, place: Place) -> Outcome:
    """Try a task as often as its policy says; return what came of it."""
    outcome = Outcome(INIT)
    for retry in range(1, order.policy.max_retry + 1):
        left = order.left_s()
        if left is not None and left <= 0:
            break
        if retry > 1 and not _paused(order, place, retry - 1, left):
            break
        outcome.state = RUNNING
        called = _try(order, place, retry)
        outcome.attempts.append(_attempt(retry, called))
        if not called.kind:
            return Outcome(SUCCESS, called.value, outcome.attempts)
        left = order.left_s()
        if left is not None and left <= 0:
            break
        outcome.results = called.error
    else:
        outcome.state = ERROR
    return outcome


def _paused(order: Order, place: Place, tries: int, left: float | None) -> bool:
    """Wait before the next try; return False if there will be none."""
    pause = order.policy.pause(tries)
    if left is not None and left <= pause:
        place.wait(left)
        return False
    return place.wait(pause)


def _try(order: Order, place: Place, retry: int) -> Called:
    limits = [s for s in (order.timeout_s, order.left_s()) if s is not None]
    begun, started = clock.now(), clock.monotonic()
    try:
        return place.call_builder(order, retry, min(limits, default=None))
    except Exception as error:  # noqa: BLE001  a dead process, a value that cannot travel, ...
        failed = Called(None, error)
        failed.begun, failed.seconds = begun, clock.monotonic() - started
        return failed


def _attempt(retry: int, called: Called) -> Attempt:
    return Attempt(
        retry=retry, date_start=called.begun, time_duration=called.seconds,
        kind=called.kind, error=called.error, traceback=called.traceback,
    )  # fmt: skip
