"""A worker: takes attempts out of queues, runs them, judges what they made, and goes on.

It stays up: no interpreter is started for a task. An attempt is in its hands as long as its lease
is good, which heartbeats extend. What it has done is noted in one transaction, together with what
follows for other tasks; a worker that has lost its lease meanwhile notes nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.tasks import scheduling, schema
from dlg_engine.tasks.errors import LeaseLostError
from dlg_engine.tasks.progress import FOLLOWING, accept, finish, move_attempt, settle
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.scheduling import Published
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.statements import ids_of, repeated
from dlg_engine.tasks.states import Event
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_heartbeat import CADENCE_S, LEASE_BEATS, Heart
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_timer import measure, times_since

logger = logging.getLogger(__name__)

Handler = Callable[[TaskExecutionAttempt], None]
Judge = Callable[[TaskExecutionAttempt], None]
LONGEST_WAIT_S = 60.0


class TaskWorker:
    """Runs attempts of the types of tasks for which it has a handler.

    A judge says by `file_version_update(passed_qc=...)`, or for an attempt without products by
    `execution_attempt_update(all_products_passed_qc=...)`, what is good. Types without a judge are
    passed whenever they have run; with `judge=None` for a type they wait for somebody to judge.
    """

    def __init__(
        self,
        tasks: TaskDatabaseConnection,
        queue: TaskQueue,
        handlers: Mapping[str, Handler],
        judges: Mapping[str, Judge | None] | None = None,
        *,
        name: str | None = None,
        cadence_s: float = CADENCE_S,
    ) -> None:
        self._tasks, self._queue = tasks, queue
        self._handlers, self._judges = handlers, judges or {}
        self._queues = list(handlers)
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._lease_s = LEASE_BEATS * cadence_s
        self._heart = Heart(tasks.database, cadence_s, self._lease_s)
        self._host: int | None = None
        self._begun: dict[str, float] = {}

    def close(self) -> None:
        """End the heartbeats; database and queue stay open."""
        self._heart.close()

    def run(self, stop: threading.Event) -> int:
        """Work until `stop` is set; return how many attempts were run.

        Whoever sets it wakes a waiting worker by publishing something, or waits for it.
        """
        done = 0
        while not stop.is_set():
            if self.do_one():
                done += 1
            else:
                self._queue.wait(self._queues, LONGEST_WAIT_S)
        return done

    def run_until_empty(self) -> int:
        """Work until the queues have nothing; return how many attempts were run."""
        done = 0
        while self.do_one():
            done += 1
        return done

    def do_one(self) -> bool:
        """Run the next attempt; return whether the queues had anything."""
        taken = self._take()
        if taken is None:
            return False
        queue, attempt_id, token = taken
        if token is None:  # delivered twice, or cancelled
            return True
        self._heart.hold(attempt_id, token)
        try:
            self._run(queue, attempt_id, token)
        except LeaseLostError as error:
            logger.warning("%s", error)
        finally:
            self._heart.let_go()
        return True

    def _take(self) -> tuple[str, int, str | None] | None:
        if isinstance(self._queue, TaskQueueSQL):
            return repeated(self._take_within)
        delivery = self._queue.claim(self._queues, self.name, self._lease_s)
        if delivery is None:
            return None
        token = repeated(lambda: self._start(delivery.item_id))
        # From here on the database knows who has it: should we die, the lease will end.
        self._queue.acknowledge(delivery)
        return delivery.queue, delivery.item_id, token

    def _take_within(self) -> tuple[str, int, str | None] | None:
        with self._tasks.transaction() as session:
            delivery = TaskQueueSQL.take_within(session, self._queues)
            if delivery is None:
                return None
            token = scheduling.start(session, delivery.item_id, self.name, self._lease_s)
            return delivery.queue, delivery.item_id, token

    def _start(self, attempt_id: int) -> str | None:
        with self._tasks.transaction() as session:
            return scheduling.start(session, attempt_id, self.name, self._lease_s)

    def _run(self, queue: str, attempt_id: int, token: str) -> None:
        attempt = self._tasks.execution_attempt_lookup(attempt_id, embed_task_object=True)
        if attempt is None:
            return
        self._begun = measure()
        try:
            self._handlers[queue](attempt)
        except Exception:  # noqa: BLE001  whatever a task raises is its failure
            failure: str | None = traceback.format_exc()
        else:
            failure = None
        judge = self._judges.get(queue, pass_all)
        self._finish(attempt_id, token, failure, judge is pass_all)
        if failure is None and judge is not None and judge is not pass_all:
            self._judge(judge, attempt, token)

    def _finish(self, attempt_id: int, token: str, failure: str | None, good: bool) -> None:
        values: dict[str, Any] = {**times_since(self._begun), "ended": clock.now()}
        if failure is not None:
            values["error_text"] = failure

        def note() -> list[Published]:
            with self._tasks.transaction() as session:
                values["host_id"] = self._host_id(session)
                if failure is not None:
                    scheduling.need_lease(session, attempt_id, token)
                    table = schema.attempt
                    session.execute(update(table).where(table.c.id == attempt_id).values(values))
                    move_attempt(session, attempt_id, Event.FAIL)
                    return self._follow(session)
                task_id = finish(session, attempt_id, token, values)
                if task_id is None:
                    row = scheduling.need_lease(session, attempt_id, token)
                    raise LeaseLostError(f"attempt {attempt_id} is {row.state}, not running")
                if good:
                    accept(session, attempt_id, task_id)
                else:
                    settle(session, attempt_id)  # some may have been judged already
                return self._follow(session)

        self._publish(repeated(note))

    def _judge(self, judge: Judge, attempt: TaskExecutionAttempt, token: str) -> None:
        number = int(attempt.attempt_id or 0)
        found = self._tasks.execution_attempt_lookup(number, embed_task_object=True)
        try:
            judge(found or attempt)
        except Exception:  # noqa: BLE001  whatever a judge raises is no verdict
            failure: str | None = traceback.format_exc()
        else:
            failure = None

        def conclude() -> list[Published]:
            with self._tasks.transaction() as session:
                if failure is not None:
                    scheduling.need_lease(session, number, token)
                    table = schema.attempt
                    values = {"error_text": failure}
                    session.execute(update(table).where(table.c.id == number).values(values))
                    move_attempt(session, number, Event.FAIL)
                # The judge had transactions of its own: what follows from them is found here.
                settle(session, number)
                session.info[FOLLOWING] = True
                return self._follow(session)

        self._publish(repeated(conclude))

    def _host_id(self, session: Session) -> int:
        if self._host is None:
            name = socket.gethostname()
            self._host = ids_of(session, schema.host, [name])[name]
        return self._host

    def _follow(self, session: Session) -> list[Published]:
        """Schedule what is ready because of what has just happened."""
        if not session.info.pop(FOLLOWING, False):
            return []
        into_database = isinstance(self._queue, TaskQueueSQL)
        return scheduling.schedule_due(session, into_database=into_database)

    def _publish(self, made: list[Published]) -> None:
        if not made:
            return
        if isinstance(self._queue, TaskQueueSQL):
            self._queue.ring()
            return
        for each in made:
            self._queue.queue_publish(each.queue, each.attempt_id)
        with self._tasks.transaction() as session:
            scheduling.mark_published(session, [each.attempt_id for each in made])


def pass_all(attempt: TaskExecutionAttempt) -> None:
    """Judge that all that an attempt made is good: what holds where there is no other judge."""
    del attempt  # a worker knows this judge, and saves the transaction
