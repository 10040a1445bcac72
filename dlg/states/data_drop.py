"""What may happen to a data drop, and in which order.

Pure: no I/O, no clock, no lock. `dlg.states.flow` applies a step to a row of a graph. An event
that means nothing any more (a completed drop completes again, a cancelled one fails) leaves the
state as it is and stands in the table too; what is not in the table is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dlg.ddap_protocol import DROPStates as S
from dlg.exceptions import UnexpectedEventError


class Event(StrEnum):
    """What can happen to a data drop."""

    WRITE = "write"
    COMPLETE = "complete"
    FAIL = "fail"
    SKIP = "skip"
    CANCEL = "cancel"
    EXPIRE = "expire"
    DELETE = "delete"


TABLE: Mapping[tuple[S, Event], S] = {
    (S.INITIALIZED, Event.WRITE): S.WRITING,
    (S.INITIALIZED, Event.COMPLETE): S.COMPLETED,
    (S.INITIALIZED, Event.FAIL): S.ERROR,
    (S.INITIALIZED, Event.SKIP): S.SKIPPED,
    (S.INITIALIZED, Event.CANCEL): S.CANCELLED,
    (S.INITIALIZED, Event.DELETE): S.DELETED,
    (S.WRITING, Event.WRITE): S.WRITING,
    (S.WRITING, Event.COMPLETE): S.COMPLETED,
    (S.WRITING, Event.FAIL): S.ERROR,
    (S.WRITING, Event.SKIP): S.SKIPPED,
    (S.WRITING, Event.CANCEL): S.CANCELLED,
    (S.COMPLETED, Event.COMPLETE): S.COMPLETED,
    (S.COMPLETED, Event.FAIL): S.ERROR,
    (S.COMPLETED, Event.CANCEL): S.COMPLETED,
    (S.COMPLETED, Event.EXPIRE): S.EXPIRED,
    (S.COMPLETED, Event.DELETE): S.DELETED,
    (S.EXPIRED, Event.EXPIRE): S.EXPIRED,
    (S.EXPIRED, Event.DELETE): S.DELETED,
    (S.EXPIRED, Event.CANCEL): S.EXPIRED,
    (S.DELETED, Event.DELETE): S.DELETED,
    (S.DELETED, Event.CANCEL): S.DELETED,
    (S.ERROR, Event.COMPLETE): S.ERROR,
    (S.ERROR, Event.FAIL): S.ERROR,
    (S.ERROR, Event.SKIP): S.ERROR,
    (S.ERROR, Event.CANCEL): S.ERROR,
    (S.ERROR, Event.DELETE): S.DELETED,
    (S.CANCELLED, Event.COMPLETE): S.CANCELLED,
    (S.CANCELLED, Event.FAIL): S.CANCELLED,
    (S.CANCELLED, Event.SKIP): S.CANCELLED,
    (S.CANCELLED, Event.CANCEL): S.CANCELLED,
    (S.CANCELLED, Event.DELETE): S.DELETED,
    (S.SKIPPED, Event.COMPLETE): S.SKIPPED,
    (S.SKIPPED, Event.FAIL): S.SKIPPED,
    (S.SKIPPED, Event.SKIP): S.SKIPPED,
    (S.SKIPPED, Event.CANCEL): S.SKIPPED,
    (S.SKIPPED, Event.DELETE): S.DELETED,
}

OPEN = frozenset({S.INITIALIZED, S.WRITING})
"""The states in which data may still arrive; in all others the drop is over."""


def step(state: S, event: Event) -> S:
    """Return the state that `event` leads to; refuse it with `UnexpectedEventError`."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise UnexpectedEventError(state.name, event) from None
