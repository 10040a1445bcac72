"""What is due for the data of a drop. Pure: facts and the time in, an action out.

Release after the last consumer is not decided here: the states themselves count consumers
(`dlg.states.flow`). Whatever nobody gave a lifespan is a result, and is kept as long as its
session.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from dlg.ddap_protocol import DROPStates


class Action(StrEnum):
    """What is to be done about data now."""

    NOTHING = "nothing"
    WAIT = "wait for its date"
    HOLD = "wait until nobody uses it"
    EXPIRE = "expire it"
    DELETE = "delete it"
    COPY = "make a replica"
    RESTORE = "bring it back from its replica"
    LOSE = "tell that it is lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the data of a drop and of its session."""

    status: DROPStates
    date: float = math.inf
    """When its lifespan is over; infinity if it may live for ever."""
    in_use: bool = False
    """Whether somebody has it open or an app works on it."""
    there: bool = True
    """Whether it is where it was written."""
    volatile: bool = False
    """Whether it is in memory only."""
    to_be_copied: bool = False
    copied: bool = False
    session_deleted: bool = False


def due(facts: Facts, now: float) -> Action:
    """Return what is to be done at the time `now`, by the clock of `facts.date`."""
    if facts.session_deleted and facts.volatile:
        return Action.DELETE
    if facts.status is DROPStates.EXPIRED:
        return Action.DELETE
    if facts.status is not DROPStates.COMPLETED:
        return Action.NOTHING
    if facts.date <= now:
        return Action.HOLD if facts.in_use else Action.EXPIRE
    if not facts.there:
        return Action.RESTORE if facts.copied else Action.LOSE
    if facts.to_be_copied and not facts.copied and not facts.session_deleted:
        return Action.COPY
    return Action.WAIT if facts.date < math.inf else Action.NOTHING


def is_to_be_copied(*, replicating: bool, persists: bool, lifespan_s: float) -> bool:
    """Return whether data is to be copied once it is complete: what is to last, where wanted."""
    return replicating and persists and lifespan_s == math.inf
