"""Signs of life of running attempts, which extend their leases."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from sqlalchemy import exc, select

from dlg.support import clock
from dlg.support.database import Database
from dlg_engine.tasks import scheduling, schema
from dlg_engine.tasks.errors import LeaseLostError
from dlg_engine.tasks.statements import repeated
from dlg_engine.tasks.task_database import TaskDatabaseConnection

logger = logging.getLogger(__name__)
CADENCE_S = 60.0
"""How often an attempt says that it lives."""
AGAIN_S = 2.0
"""How soon it tries again when the database is not there."""
LEASE_BEATS = 5
"""How many beats may be missed before an attempt is taken away."""


class Heart:
    """Beats for the attempts in the hands of one worker, in one thread for all of them.

    The same thread calls `relieve` when the worker has not come by until the time set by `expect`.
    """

    def __init__(
        self,
        database: Database,
        cadence_s: float,
        lease_s: float,
        relieve: Callable[[], None] | None = None,
    ) -> None:
        self._database, self._cadence_s, self._lease_s = database, cadence_s, lease_s
        self._relieve = relieve
        self._changed = threading.Condition()
        self._held: dict[int, str] = {}
        self._expected: float | None = None
        self._resting = False
        self._closed = False
        self._thread = threading.Thread(target=self._live, name="task heartbeat", daemon=True)
        self._thread.start()

    def hold(self, attempt_id: int, token: str) -> None:
        """Beat for an attempt from now on."""
        with self._changed:
            self._held[attempt_id] = token

    def let_go(self, attempts: Iterable[int] | None = None) -> None:
        """Beat no more for these attempts, or for any."""
        with self._changed:
            if attempts is None:
                self._held.clear()
                return
            for number in attempts:
                self._held.pop(number, None)

    def expect(self, within_s: float | None) -> None:
        """Call `relieve` once if `expect` is not called again within so many seconds."""
        with self._changed:
            self._expected = None if within_s is None else clock.monotonic() + within_s
            if within_s is not None and self._resting:
                self._changed.notify_all()  # else it looks soon enough by itself

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _live(self) -> None:
        beat = clock.monotonic() + self._cadence_s
        while True:
            late = self._wait_until(beat)
            if self._closed:
                return
            if late and self._relieve is not None:
                self._relieve()
            if clock.monotonic() >= beat:
                pause = self._cadence_s if self._beat() else min(AGAIN_S, self._cadence_s)
                beat = clock.monotonic() + pause

    def _wait_until(self, beat: float) -> bool:
        """Wait until it is time for something; return whether the worker is late."""
        with self._changed:
            while not self._closed:
                now, expected = clock.monotonic(), self._expected
                if expected is not None and now >= expected:
                    self._expected = None
                    return True
                if now >= beat:
                    return False
                self._resting = expected is None
                self._changed.wait(min(beat, expected or beat) - now)
                self._resting = False
        return False

    def _beat(self) -> bool:
        """Extend the leases; return whether the database was there."""
        with self._changed:
            held = dict(self._held)
        for number, token in held.items():
            try:
                self._extend(number, token)
            except LeaseLostError as error:
                with self._changed:
                    lost = self._held.get(number) == token  # else it has ended meanwhile
                if lost:
                    logger.warning("%s", error)
            except exc.SQLAlchemyError as error:
                logger.warning("no heartbeat for attempt %s: %s", number, error)
                return False
        return True

    def _extend(self, attempt_id: int, token: str) -> None:
        def extend() -> None:
            with self._database.transaction() as session:
                scheduling.beat(session, attempt_id, token, self._lease_s)

        repeated(extend)


class TaskHeartbeat:
    """Says that an attempt lives, as long as one is inside; nothing without an attempt."""

    def __init__(
        self,
        task_attempt_id: int | None = None,
        heartbeat_cadence: float = CADENCE_S,
        tasks: TaskDatabaseConnection | None = None,
    ) -> None:
        self._attempt_id, self._cadence_s = task_attempt_id, heartbeat_cadence
        self._own = tasks is None and task_attempt_id is not None
        self._tasks = TaskDatabaseConnection() if self._own else tasks
        self._heart: Heart | None = None

    def __enter__(self) -> Self:
        if self._attempt_id is None or self._tasks is None:
            return self
        database = self._tasks.database
        with database.reading() as session:
            table = schema.attempt
            query = select(table.c.token).where(table.c.id == self._attempt_id)
            token = session.scalar(query)
        self._tasks.execution_attempt_update(self._attempt_id, latest_heartbeat_time=clock.now())
        if token is not None:  # somebody runs it by hand, and nobody would take it over
            self._heart = Heart(database, self._cadence_s, LEASE_BEATS * self._cadence_s)
            self._heart.hold(self._attempt_id, token)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._heart is not None:
            self._heart.close()
        if self._own and self._tasks is not None:
            self._tasks.close_db()
