"""What may happen to tasks and to attempts, and how products are judged: two tables and a rule.

Pure. A verdict has three values: passed, failed, and None as long as nobody has judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from dlg.exceptions import UnexpectedEventError


class TaskState(StrEnum):
    """How a task stands."""

    WAITING = "waiting"
    """For its inputs, or for somebody to schedule it."""
    ACTIVE = "active"
    """One of its attempts is under way, or is to be repeated."""
    DONE = "done"
    """An attempt was passed by quality control."""
    FAILED = "failed"
    """No attempt was, and there are no more to come."""
    BLOCKED = "blocked"
    """What it needs will not be made: a task before it has failed."""


class AttemptState(StrEnum):
    """How an attempt to run a task stands."""

    REGISTERED = "registered"
    QUEUED = "queued"
    RUNNING = "running"
    JUDGING = "judging"
    """It has run; its products have not all been judged."""
    PASSED = "passed"
    REJECTED = "rejected"
    """It has run, and quality control has refused what it made."""
    FAILED = "failed"
    LOST = "lost"
    """Its worker has not been heard of for too long."""
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What may happen to any of them."""

    QUEUE = "being queued"
    START = "starting"
    GIVE_BACK = "being given back"
    FINISH = "finishing"
    ACCEPT = "being accepted"
    REJECT = "being rejected"
    FAIL = "failing"
    LOSE = "losing its worker"
    CANCEL = "being cancelled"
    BLOCK = "being blocked"
    RESET = "being reset"


T, A = TaskState, AttemptState

Table = Mapping[tuple[Any, Event], Any]

ATTEMPTS: Table = {
    (A.REGISTERED, Event.QUEUE): A.QUEUED,
    (A.REGISTERED, Event.START): A.RUNNING,  # run by hand, without a queue
    (A.QUEUED, Event.START): A.RUNNING,
    (A.RUNNING, Event.GIVE_BACK): A.QUEUED,  # its worker had it, and has not begun
    (A.RUNNING, Event.FINISH): A.JUDGING,
    (A.JUDGING, Event.ACCEPT): A.PASSED,
    (A.JUDGING, Event.REJECT): A.REJECTED,
    (A.REGISTERED, Event.FAIL): A.FAILED,
    (A.QUEUED, Event.FAIL): A.FAILED,
    (A.RUNNING, Event.FAIL): A.FAILED,
    (A.JUDGING, Event.FAIL): A.FAILED,  # judging raised an error
    (A.RUNNING, Event.LOSE): A.LOST,
    (A.JUDGING, Event.LOSE): A.LOST,
    (A.REGISTERED, Event.CANCEL): A.CANCELLED,
    (A.QUEUED, Event.CANCEL): A.CANCELLED,
}
"""What becomes of an attempt. One that is over stays as it is: a new try is a new attempt."""

TASKS: Table = {
    (T.WAITING, Event.QUEUE): T.ACTIVE,
    (T.WAITING, Event.BLOCK): T.BLOCKED,
    (T.WAITING, Event.ACCEPT): T.DONE,
    (T.WAITING, Event.FAIL): T.FAILED,
    (T.ACTIVE, Event.ACCEPT): T.DONE,
    (T.ACTIVE, Event.FAIL): T.FAILED,
    (T.BLOCKED, Event.RESET): T.WAITING,
    (T.FAILED, Event.RESET): T.WAITING,
    (T.ACTIVE, Event.RESET): T.WAITING,
}
"""What becomes of a task. What was done stays done: others may have used it."""

TABLES: Mapping[type[StrEnum], Table] = {T: TASKS, A: ATTEMPTS}

UNFINISHED = (A.REGISTERED, A.QUEUED, A.RUNNING, A.JUDGING)
"""Attempts of which something is still to come."""
HELD = (A.RUNNING, A.JUDGING)
"""Attempts that a worker has, for as long as its lease is good."""
UNSUCCESSFUL = (A.REJECTED, A.FAILED, A.LOST, A.CANCELLED)
"""Attempts that have come to nothing."""


def step(state: StrEnum, event: Event, who: str = "") -> Any:
    """Return what `event` makes of `state`; raise UnexpectedEventError where it cannot happen."""
    found = TABLES[type(state)].get((state, event))
    if found is None:
        kind = type(state).__name__.removesuffix("State").lower()
        about = " ".join(part for part in (kind, who) if part)
        raise UnexpectedEventError(f"{about} that is {state.value}", event.value)
    return found


def verdict_of(products: Iterable[bool | None], stated: bool | None = None) -> bool | None:
    """Return the verdict on an attempt from those on its products.

    One that was refused is enough, all must have been passed, and as long as one is not judged
    there is no verdict. Without any product it is what somebody stated.
    """
    verdicts = list(products)
    if any(verdict is False for verdict in verdicts) or stated is False:
        return False
    if any(verdict is None for verdict in verdicts):
        return None
    return True if verdicts else stated
