"""Looks after the data of all sessions of a node: the shell around the rules.

A drop costs nothing but an entry in a heap, and that only if it has a date or is to be copied. The
entry is made when the data has completed; one thread sleeps until the first date. Nothing is
looked at in between.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dlg.ddap_protocol import DROPPhases, DROPStates
from dlg.drops.io import DataIO
from dlg.drops.lifetime import OVER
from dlg.drops.live import LiveGraph
from dlg.exceptions import DaliugeException, DataVanishedError, UnexpectedEventError
from dlg.states.steps import APP, LOOKED_AFTER
from dlg.support import clock
from dlg_engine.lifecycle import rules
from dlg_engine.lifecycle.agenda import Agenda
from dlg_engine.lifecycle.options import LifecycleOptions
from dlg_engine.lifecycle.replicas import Replica, ReplicaStore
from dlg_engine.lifecycle.rules import Action, Facts
from dlg_engine.lifecycle.wishes import Wish, Wishes

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Session:
    """What is known of a session."""

    live: LiveGraph
    wishes: Wishes
    created: float
    replicas: dict[int, Replica] = field(default_factory=dict)

    def date(self, row: int) -> float:
        """Return when data expires; infinity for never."""
        return self.created + self.wishes.wish(row).lifespan_s


@dataclass(slots=True, eq=False)
class _Matter:
    """Data that must be looked at."""

    session: _Session
    row: int


@dataclass(slots=True, eq=False)
class _Remnant:
    """A file whose session has been deleted before its date."""

    uid: str
    storage: DataIO


class Keeper:
    """Expires, deletes, copies and brings back data; every method may be called by any thread.

    `wake` is called when `attend` should be, because there is something to do, or earlier than
    `attend` said last.
    """

    def __init__(self, options: LifecycleOptions, wake: Callable[[], None]) -> None:
        self.options, self._wake = options, wake
        self._store = ReplicaStore(options.replicas) if options.replicas is not None else None
        self._agenda: Agenda[_Matter | _Remnant] = Agenda()
        self._sessions: dict[LiveGraph, _Session] = {}
        self._lock = threading.Lock()
        self._restoring = threading.Lock()

    # -- what sessions tell ---------------------------------------------------------------------

    def adopt(self, live: LiveGraph) -> None:
        """Look after the data of a graph that has not been started."""
        created = live.surroundings.created
        session = _Session(live, Wishes(live), clock.monotonic() if created is None else created)
        traits = live.flow.traits
        for row in session.wishes.rows(replicating=self._store is not None):
            traits[row] |= LOOKED_AFTER
        with self._lock:
            self._sessions[live] = session

    def look_after(self, live: LiveGraph, row: int) -> None:
        """Take note that data has completed, or that apps that were at work on it have ended."""
        session = self._sessions.get(live)
        if session is None:
            return
        wish = session.wishes.wish(row)
        if self._is_to_be_copied(wish) and row not in session.replicas:
            self._put(clock.monotonic(), _Matter(session, row))
        else:
            self._put(session.created + wish.lifespan_s, _Matter(session, row))

    def left_alone(self, live: LiveGraph, row: int) -> None:
        """Take note that nobody has data open any more."""
        session = self._sessions.get(live)
        if session is not None and session.date(row) <= clock.monotonic():
            self._put(clock.monotonic(), _Matter(session, row))

    def restore(self, live: LiveGraph, drop: Any) -> bool:
        """Bring back the data of a drop, which has vanished; return False if there is no copy."""
        session = self._sessions.get(live)
        found = None if session is None else session.replicas.get(live.row_of(drop.uid))
        if found is None or self._store is None:
            return False
        with self._restoring:  # somebody else may be doing so
            if not drop.has_vanished():
                return True
            try:
                self._store.restore(found, drop)
            except (OSError, DaliugeException):
                logger.exception("drop %s could not be brought back", drop.uid)
                return False
        drop.phase = DROPPhases.SOLID
        logger.warning(
            "drop %s: its data had vanished and was brought back from %s", drop.uid, found.path,
            extra={"action": "data_restored"},
        )  # fmt: skip
        return True

    def check(self, live: LiveGraph) -> dict[str, DROPPhases]:
        """Look whether the data of a session is all there, and bring back what is not.

        Returns the phases of the drops of which something had vanished, by uid.
        """
        found: dict[str, DROPPhases] = {}
        for row, drop in enumerate(live.objects):
            if drop is None or live.flow.traits[row] & APP:
                continue
            if live.flow.status[row] == DROPStates.COMPLETED and drop.has_vanished():
                self._find_again(drop)
                found[drop.uid] = drop.phase
        return found

    def forget(self, live: LiveGraph) -> None:
        """Let go of what a session that is deleted has in memory; files go at their dates."""
        with self._lock:
            session = self._sessions.pop(live, None)
            mine = self._agenda.discard(
                lambda matter: isinstance(matter, _Matter) and matter.session.live is live
            )
        dates = {matter.row: date for date, matter in mine if isinstance(matter, _Matter)}
        for row, drop in enumerate(live.objects):
            if drop is None or live.flow.traits[row] & APP:
                continue
            facts = self._facts(drop, DROPStates(live.flow.status[row]), session_deleted=True)
            if rules.due(facts, -math.inf) is Action.DELETE:
                _let_go(drop)
            elif session is not None and row in dates and session.date(row) < math.inf:
                self._put(session.date(row), _Remnant(drop.uid, drop.getIO()))

    # -- what is due ----------------------------------------------------------------------------

    def attend(self) -> float | None:
        """Do what is due; return in how many seconds there is something again, if ever."""
        while True:
            with self._lock:
                now = clock.monotonic()
                due = self._agenda.take(now)
                if not due:
                    date = self._agenda.next_date()
                    return None if date is None else max(0.0, date - now)
            for matter in due:
                if isinstance(matter, _Remnant):
                    self._remove(matter)
                else:
                    self._attend_to(matter)

    def _attend_to(self, matter: _Matter) -> None:
        session, row = matter.session, matter.row
        live = session.live
        if live not in self._sessions:
            return
        drop, now = live.drop(row), clock.monotonic()
        wish = session.wishes.wish(row)
        date = session.created + wish.lifespan_s
        facts = self._facts(
            drop,
            DROPStates(live.flow.status[row]),
            date=date,
            in_use=date <= now and _is_in_use(live, row, drop),
            to_be_copied=self._is_to_be_copied(wish),
            copied=row in session.replicas,
        )
        action = rules.due(facts, now)
        if action is Action.WAIT:
            self._put(facts.date, matter)
        elif action is Action.HOLD:  # its readers tell; the period is for those who die over it
            self._put(now + self.options.check_period_s, matter)
        elif action in {Action.EXPIRE, Action.DELETE}:
            self._expire(drop, matter)
        elif action is Action.COPY:
            self._copy(session, row, drop)
        elif action in {Action.RESTORE, Action.LOSE}:
            self._find_again(drop)

    def _facts(self, drop: Any, status: DROPStates, **known: Any) -> Facts:
        there = status is not DROPStates.COMPLETED or not drop.has_vanished()
        return Facts(status=status, there=there, volatile=drop.volatile, **known)

    def _is_to_be_copied(self, wish: Wish) -> bool:
        return rules.is_to_be_copied(
            replicating=self._store is not None,
            persists=wish.persists,
            lifespan_s=wish.lifespan_s,
        )

    def _expire(self, drop: Any, matter: _Matter) -> None:
        first = drop.status not in OVER
        try:
            drop.expire()
        except UnexpectedEventError:
            logger.debug("drop %s has failed meanwhile", drop.uid)
        except Exception as error:  # noqa: BLE001  a storage may refuse in any way
            if first:
                text = f"{drop.uid}: the data could not be deleted: {error!r}"
                matter.session.live.warnings.append(text)
                logger.warning("%s", text, extra={"action": "data_not_deleted"})
            self._put(clock.monotonic() + self.options.cleanup_period_s, matter)
        else:
            logger.debug("drop %s expired", drop.uid, extra={"action": "data_expired"})

    def _remove(self, remnant: _Remnant) -> None:
        try:
            remnant.storage.delete()
        except Exception as error:  # noqa: BLE001  likewise
            logger.warning("%s: the data could not be deleted: %s", remnant.uid, error)
            self._put(clock.monotonic() + self.options.cleanup_period_s, remnant)

    def _copy(self, session: _Session, row: int, drop: Any) -> None:
        assert self._store is not None  # noqa: S101  nothing is to be copied without one
        before, drop.phase = drop.phase, DROPPhases.LIQUID
        try:
            replica = self._store.copy(session.live.surroundings.session_id, drop)
        except Exception as error:  # noqa: BLE001  likewise
            drop.phase = before
            text = f"{drop.uid}: no replica could be made: {error}"
            session.live.warnings.append(text)
            logger.warning("%s", text, extra={"action": "data_not_copied"})
        else:
            session.replicas[row] = replica
            drop.phase = DROPPhases.SOLID

    def _find_again(self, drop: Any) -> None:
        try:
            drop.look_for_data()
        except DataVanishedError:
            logger.debug("drop %s is lost", drop.uid)  # it has been told

    def _put(self, date: float, matter: _Matter | _Remnant) -> None:
        if date == math.inf:
            return
        with self._lock:
            sooner = self._agenda.put(date, matter)
        if sooner:
            self._wake()


def _is_in_use(live: LiveGraph, row: int, drop: Any) -> bool:
    """Return whether somebody reads data or works on it; its end will be told."""
    return bool(live.apply(live.flow.wait_for_readers, row)) or drop.isBeingRead()


def _let_go(drop: Any) -> None:
    try:
        drop.let_go()
    except (OSError, BufferError) as error:
        logger.warning("drop %s: its memory could not be given back: %s", drop.uid, error)
