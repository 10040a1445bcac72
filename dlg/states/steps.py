"""What one event makes of each state, as rows indexed by number; the traits and effects of rows.

Looked up by enumeration members in the tables, the steps would cost more than all the rest of an
event; here each is one element of a tuple.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum, IntFlag, StrEnum
from typing import Any

from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.states import app_drop, data_drop
from dlg.states.firing import Decision


class Trait(IntFlag):
    """What sets a row apart from a plain data drop; one byte a row."""

    APP = 1
    MANUAL = 2
    """An app that decides by itself when it runs: it is told of each input that ends."""
    SEALED = 4
    """Data whose object has work to do when it completes (close a writer, measure a file)."""
    EXTERNAL = 8
    """Data whose completion does not trigger its consumers."""
    WATCHED = 16
    """Somebody has subscribed to its events."""
    EXPIRES = 32
    """Data that is released once its last consumer has ended."""
    GATE = 64
    """An end marker: once it completes, what has not begun, its consumers too, is skipped."""
    LOOKED_AFTER = 128
    """Data with a date at which it expires, or that is to be copied once it is complete."""


class Effect(IntEnum):
    """What the owner of the drop objects must do after an event."""

    SEAL = 0
    """Complete this data drop through its object."""
    INFORM = 1
    """Tell this app that one of its inputs has ended."""
    TELL = 2
    """Tell those who watch this row that its status changed."""
    CLOSE = 3
    """Close what is open: this data drop came to a bad end."""
    RELEASE = 4
    """The data of this drop is not needed any more."""
    STOP = 5
    """This app was cancelled while it was running."""
    END = 6
    """An end marker was reached: skip whatever has not run."""
    LOOK_AFTER = 7
    """This data has completed, or is not in use any more: whoever looks after it must know."""


APP, MANUAL, SEALED, EXTERNAL = (
    int(t) for t in (Trait.APP, Trait.MANUAL, Trait.SEALED, Trait.EXTERNAL)
)
WATCHED, EXPIRES, GATE = int(Trait.WATCHED), int(Trait.EXPIRES), int(Trait.GATE)
LOOKED_AFTER = int(Trait.LOOKED_AFTER)
COMPLETED, NOT_RUN, RUNNING, FINISHED = (
    int(S.COMPLETED),
    int(X.NOT_RUN),
    int(X.RUNNING),
    int(X.FINISHED),
)
HOLDS = EXTERNAL | GATE
"""Traits of data whose good end makes no app ready."""
TOLD = WATCHED | SEALED | GATE | LOOKED_AFTER
"""Traits of data whose every step has effects."""
REFUSED = 255
UNCHANGED = 254
"""Neither is the number of any state."""


class Steps(tuple[int, ...]):
    """What one event makes of each state: a row of the tables, indexed by number."""

    event: StrEnum

    @classmethod
    def of(cls, table: Mapping[Any, IntEnum], states: Iterable[IntEnum], event: StrEnum) -> Steps:
        """Return the row of `event`; what is not in the table is REFUSED."""
        steps = cls(int(table.get((state, event), REFUSED)) for state in states)
        steps.event = event
        return steps


def _data(event: data_drop.Event) -> Steps:
    return Steps.of(data_drop.TABLE, S, event)


def _app(event: app_drop.Event) -> Steps:
    return Steps.of(app_drop.TABLE, X, event)


WRITE, COMPLETE, EXPIRE, DELETE = (
    _data(e)
    for e in (
        data_drop.Event.WRITE,
        data_drop.Event.COMPLETE,
        data_drop.Event.EXPIRE,
        data_drop.Event.DELETE,
    )
)
DATA_FAIL, DATA_SKIP, DATA_CANCEL = (
    _data(e) for e in (data_drop.Event.FAIL, data_drop.Event.SKIP, data_drop.Event.CANCEL)
)
RUN, FINISH, APP_FAIL, APP_SKIP, APP_CANCEL = (_app(e) for e in app_drop.Event)
APP_STATUS = tuple(int(app_drop.STATUS[state]) for state in X)
DATA_OPEN = frozenset(int(s) for s in data_drop.OPEN)
CLOSED_WELL = frozenset({COMPLETED, int(S.WRITING)})
APP_OPEN = frozenset(int(x) for x in app_drop.OPEN)
BAD_ENDS = {Decision.SKIP: APP_SKIP, Decision.FAIL: APP_FAIL, Decision.CANCEL: APP_CANCEL}
DATA_ENDS = {
    S.COMPLETED: COMPLETE,
    S.ERROR: DATA_FAIL,
    S.CANCELLED: DATA_CANCEL,
    S.SKIPPED: DATA_SKIP,
}
