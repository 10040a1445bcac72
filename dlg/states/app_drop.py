"""What may happen to an app drop: its execution status and, with it, its status as a drop.

Pure. The two statuses move together, so one table holds both: the status of an app drop stays
INITIALIZED until its execution has ended, one way or another.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.exceptions import UnexpectedEventError


class Event(StrEnum):
    """What can happen to an app drop."""

    RUN = "run"
    FINISH = "finish"
    FAIL = "fail"
    SKIP = "skip"
    CANCEL = "cancel"


TABLE: Mapping[tuple[X, Event], X] = {
    (X.NOT_RUN, Event.RUN): X.RUNNING,
    # An app that listens to its inputs by itself may finish without ever having been "run".
    (X.NOT_RUN, Event.FINISH): X.FINISHED,
    (X.NOT_RUN, Event.FAIL): X.ERROR,
    (X.NOT_RUN, Event.SKIP): X.SKIPPED,
    (X.NOT_RUN, Event.CANCEL): X.CANCELLED,
    (X.RUNNING, Event.FINISH): X.FINISHED,
    (X.RUNNING, Event.FAIL): X.ERROR,
    (X.RUNNING, Event.SKIP): X.SKIPPED,
    (X.RUNNING, Event.CANCEL): X.CANCELLED,
    # An app may say itself how it ended, and return from `run` or fail only then.
    (X.FINISHED, Event.FINISH): X.FINISHED,
    (X.FINISHED, Event.FAIL): X.ERROR,
    (X.FINISHED, Event.CANCEL): X.FINISHED,
    (X.ERROR, Event.FINISH): X.ERROR,
    (X.ERROR, Event.FAIL): X.ERROR,
    (X.ERROR, Event.CANCEL): X.ERROR,
    # What a cancelled app still does is ignored.
    (X.CANCELLED, Event.FINISH): X.CANCELLED,
    (X.CANCELLED, Event.FAIL): X.CANCELLED,
    (X.CANCELLED, Event.SKIP): X.CANCELLED,
    (X.CANCELLED, Event.CANCEL): X.CANCELLED,
    # So is what an app does after it has skipped itself.
    (X.SKIPPED, Event.FINISH): X.SKIPPED,
    (X.SKIPPED, Event.FAIL): X.SKIPPED,
    (X.SKIPPED, Event.SKIP): X.SKIPPED,
    (X.SKIPPED, Event.CANCEL): X.SKIPPED,
}

STATUS: Mapping[X, S] = {
    X.NOT_RUN: S.INITIALIZED,
    X.RUNNING: S.INITIALIZED,
    X.FINISHED: S.COMPLETED,
    X.ERROR: S.ERROR,
    X.CANCELLED: S.CANCELLED,
    X.SKIPPED: S.SKIPPED,
}
"""The status as a drop that goes with each execution status."""

OPEN = frozenset({X.NOT_RUN, X.RUNNING})
"""The execution statuses in which an app is not over yet."""


def step(state: X, event: Event) -> X:
    """Return the execution status `event` leads to; refuse it with `UnexpectedEventError`."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise UnexpectedEventError(state.name, event) from None
