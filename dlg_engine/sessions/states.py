"""What may happen to a session, and in which order. Pure, like the tables of the drops."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from dlg.exceptions import InvalidSessionState


class SessionStates(IntEnum):
    """The states of a session, with the numbers that travel on the wire."""

    PRISTINE = 0
    """Created; it has no graph yet."""
    BUILDING = 1
    """Parts of the graph have been added."""
    DEPLOYING = 2
    """The live graph is being made."""
    RUNNING = 3
    """The graph drives itself."""
    FINISHED = 4
    """Everything has ended, nothing in error."""
    CANCELLED = 5
    """It was given up from outside, or ran out of time."""
    FAILED = 6
    """Everything that could end has ended, and something failed."""


class Event(StrEnum):
    """What can happen to a session."""

    ADD = "add"
    DEPLOY = "deploy"
    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"


S = SessionStates

TABLE: Mapping[tuple[SessionStates, Event], SessionStates] = {
    (S.PRISTINE, Event.ADD): S.BUILDING,
    (S.PRISTINE, Event.CANCEL): S.CANCELLED,
    (S.BUILDING, Event.ADD): S.BUILDING,
    (S.BUILDING, Event.DEPLOY): S.DEPLOYING,
    (S.BUILDING, Event.CANCEL): S.CANCELLED,
    (S.DEPLOYING, Event.START): S.RUNNING,
    (S.DEPLOYING, Event.FAIL): S.FAILED,
    (S.DEPLOYING, Event.CANCEL): S.CANCELLED,
    (S.RUNNING, Event.FINISH): S.FINISHED,
    (S.RUNNING, Event.FAIL): S.FAILED,
    (S.RUNNING, Event.CANCEL): S.CANCELLED,
    (S.FINISHED, Event.CANCEL): S.FINISHED,
    (S.FAILED, Event.CANCEL): S.FAILED,
    (S.CANCELLED, Event.CANCEL): S.CANCELLED,
    (S.CANCELLED, Event.FINISH): S.CANCELLED,
    (S.CANCELLED, Event.FAIL): S.CANCELLED,
}

OVER = frozenset({S.FINISHED, S.CANCELLED, S.FAILED})


def step(state: SessionStates, event: Event, who: str = "") -> SessionStates:
    """Return the state that `event` leads to; refuse it with `InvalidSessionState`."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise InvalidSessionState(f"session {who}: cannot {event} while {state.name}") from None
