"""How long data lives where nobody else looks after it, and what is said when it is over.

Dates are counted from the creation of the drops, by the monotonic clock. In a session of a node
the life-cycle manager expires data at its date; elsewhere that happens here, when somebody comes
to read it too late.
"""

from __future__ import annotations

import logging
import math
from typing import Any

from dlg.ddap_protocol import AppDROPStates, DROPPhases, DROPStates
from dlg.exceptions import DaliugeException, DataVanishedError, UnexpectedEventError
from dlg.states.flow import Flow
from dlg.states.steps import APP
from dlg.support import clock

logger = logging.getLogger(__name__)

OVER = frozenset({DROPStates.EXPIRED, DROPStates.DELETED})


def date_of(drop: Any) -> float:
    """Return when the lifespan of `drop` is over, by `clock.monotonic`; infinity if it has none.

    Data that was asked to persist has none, whatever else is said.
    """
    lifespan = drop.lifespan
    if not isinstance(lifespan, int | float) or lifespan <= 0:
        return math.inf
    if drop.persist and "persist" in (drop.given or {}):
        return math.inf
    return float(drop._created + lifespan)


def expire_if_due(drop: Any) -> None:
    """Expire completed data past its lifespan that nobody else looks after and nobody reads."""
    if drop.lifespan == -1 or drop.status is not DROPStates.COMPLETED:
        return
    graph = drop._graph
    free = graph.surroundings.keeper is None and not drop.isBeingRead()
    if free and date_of(drop) < clock.monotonic():
        graph.apply(graph.flow.expire, drop._row)


def refusal(drop: Any) -> DaliugeException:
    """Return the error for whoever wants to read `drop`, which is not COMPLETED."""
    status, hint = drop.status, ""
    if status in OVER and date_of(drop) < math.inf:
        hint = f"its lifespan of {drop.lifespan:g} s is over; give it a longer one"
    elif status in OVER and drop.expireAfterUse:
        hint = "all its consumers have ended; with persist it is kept"
    return UnexpectedEventError(status.name, "read", drop.uid, hint)


def restore(drop: Any) -> bool:
    """Bring vanished data back if there is a replica; return whether the data is there."""
    if not drop.has_vanished():
        return True
    keeper = drop._graph.surroundings.keeper
    return keeper is not None and keeper.restore(drop._graph, drop)


def recover(drop: Any) -> None:
    """Bring the data of `drop`, which has vanished, back from a replica, or it is lost.

    Raises `DataVanishedError` if there is none.
    """
    if restore(drop):
        return
    where = getattr(drop, "path", "") or drop.dataURL
    error = DataVanishedError(
        f"drop {drop.uid}: its data is gone: there is nothing at {where} any more, and no replica "
        "of it; put it back there, or run the graph again (nodes that are started with "
        "--dlm-enable-replication keep replicas of data that persists)",
        drop.uid,
    )
    lose(drop, error)
    raise error


def lose(drop: Any, error: DataVanishedError) -> None:
    """Take note that the data of `drop` is gone: consumers that have not run fail with `error`."""
    if drop.phase is not DROPPhases.LOST:
        drop.phase = DROPPhases.LOST
        logger.error("%s", error, extra={"action": "data_lost"})
    flow = drop._graph.flow
    drop._graph.apply(_fail_those_who_wait, flow, drop._row, error)


def _fail_those_who_wait(flow: Flow, row: int, error: DataVanishedError) -> None:
    for app in flow.after[row]:
        if flow.traits[app] & APP and flow.exec_status[app] == AppDROPStates.NOT_RUN:
            flow.fail(app, error)
