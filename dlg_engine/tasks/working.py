"""A worker: takes attempts out of queues, runs them, judges what they made, and goes on.

It stays up: no interpreter is started for a task. An attempt is in its hands as long as its lease
is good, which heartbeats extend. What it has done is noted in one transaction, together with what
follows for other tasks; a worker that has lost its lease meanwhile notes nothing.

Attempts that take no time are taken and noted many at once. None of them waits for one that takes
its time: when that is seen, what was done is noted, and what was not begun is given back.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import exc

from dlg.support import clock
from dlg_engine.tasks import scheduling, schema, watching
from dlg_engine.tasks.claims import Claim, Taker, claimed, kept, put_back
from dlg_engine.tasks.errors import (
    DatabaseUnavailableError,
    LeaseLostError,
    QueueUnavailableError,
)
from dlg_engine.tasks.outcomes import Outcome, record
from dlg_engine.tasks.patience import PATIENCE_S, Patience, tells_of_loss
from dlg_engine.tasks.progress import move_attempt, settle
from dlg_engine.tasks.queue_contract import Delivery, TaskQueue
from dlg_engine.tasks.scheduling import Published
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.statements import ids_of
from dlg_engine.tasks.states import Event
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_heartbeat import CADENCE_S, LEASE_BEATS, Heart
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_timer import measure, times_since

logger = logging.getLogger(__name__)

Handler = Callable[[TaskExecutionAttempt], None]
Judge = Callable[[TaskExecutionAttempt], None]
LONGEST_WAIT_S = 60.0
LOOK_AGAIN_S = 1.0
"""How often a worker looks for tasks whose pause is over, beside the scheduler."""
AT_ONCE = 32
"""How many attempts a worker takes at most."""
AIM_S = 0.02
"""How long it wants to be busy with what it takes."""
FLUSH_S = 0.005
"""How long what is done may wait for the end of what else was taken."""
GRACE_S = 0.01
"""How long an attempt may take until others do not wait for it any more."""


class TaskWorker:
    """Runs attempts of the types of tasks for which it has a handler.

    A judge says by `file_version_update(passed_qc=...)`, or for an attempt without products by
    `execution_attempt_update(all_products_passed_qc=...)`, what is good. Types without a judge are
    passed whenever they have run; with `judge=None` for a type they wait for somebody to judge.

    A database or a broker that is started again is waited for `patience_s` seconds. An attempt
    that meanwhile could not go on without it is lost, and another is made.
    """

    def __init__(  # noqa: PLR0913  three are options
        self,
        tasks: TaskDatabaseConnection,
        queue: TaskQueue,
        handlers: Mapping[str, Handler],
        judges: Mapping[str, Judge | None] | None = None,
        *,
        name: str | None = None,
        cadence_s: float = CADENCE_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._tasks, self._queue = tasks, queue
        self._in_database = isinstance(queue, TaskQueueSQL)
        self._handlers, self._judges = handlers, judges or {}
        self._queues = list(handlers)
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._lease_s = LEASE_BEATS * cadence_s
        self._host: int | None = None
        self._pace = 1
        """How many attempts are taken at once: as many as are done in no time."""
        self._hand = _Hand()
        self._looked = -LOOK_AGAIN_S
        self._answered = 0
        """How many deliveries were run, or were not there to be run; not those given back."""
        # Held by whoever changes what is in hand, or talks to the queue: we, or the heart.
        self._busy = threading.Lock()
        self._patience = queue.patience = Patience(patience_s)
        self._heart = Heart(tasks.database, cadence_s, self._lease_s, self._relieve)

    def close(self) -> None:
        """Note what is done, give back what was not begun, and end the heartbeats.

        Database and queue stay open.
        """
        self._patience = self._queue.patience = replace(self._patience, most_s=0.0)
        self._heart.close()
        self._relieve()

    def run(self, stop: threading.Event) -> int:
        """Work until `stop` is set; return how many attempts were run.

        Whoever sets it wakes a waiting worker by publishing something, or waits for it.
        """
        before = self._answered
        self._patience = self._queue.patience = replace(self._patience, stop=stop)
        while not stop.is_set():
            if not self._turn(self._pace, stop) and not self._hand:
                self._pace = 1
                self._queue.wait(self._queues, LONGEST_WAIT_S)
        self._exchange(0)
        return self._answered - before

    def run_until_empty(self) -> int:
        """Work until the queues have nothing; return how many attempts were run."""
        before, stop = self._answered, threading.Event()
        while self._turn(self._pace, stop) or self._hand:
            pass
        return self._answered - before

    def do_one(self) -> bool:
        """Run the next attempt; return whether the queues had anything."""
        count = self._turn(1, threading.Event())
        self._exchange(0)
        return count > 0

    def _turn(self, most: int, stop: threading.Event) -> int:
        """Note what is done, take some more, and run that; return how many the queues gave."""
        taken = self._exchange(most)
        begun, done = clock.monotonic(), 0
        while (claim := self._next(stop)) is not None:
            self._run(claim)
            done += 1
        took = clock.monotonic() - begun
        if took > AIM_S:
            self._pace = max(1, int(done * AIM_S / took))
        else:  # where little waits, others may be free to run it
            self._pace = min(AT_ONCE, 2 * most) if taken.more else 1
        return taken.deliveries

    def _next(self, stop: threading.Event) -> Claim | None:
        hand = self._hand
        with self._busy:
            if hand.waiting and stop.is_set():
                self._exchange_within(0, give_back=True)
            elif hand.waiting and hand.finished and clock.monotonic() - hand.since > FLUSH_S:
                self._exchange_within(0)  # others may wait for it
            claim = hand.waiting.popleft() if hand.waiting else None
            self._heart.expect(GRACE_S if claim is not None and hand else None)
        return claim

    def _relieve(self) -> None:
        """Note what is done and give back what was not begun: what is run now takes long."""
        with self._busy:
            if not self._hand:
                return
            try:
                self._exchange_within(0, give_back=True)
            except (exc.SQLAlchemyError, DatabaseUnavailableError, QueueUnavailableError) as error:
                logger.warning("worker %s: what it did is not noted yet: %s", self.name, error)

    def _exchange(self, most: int) -> _Done:
        with self._busy:
            return self._exchange_within(most)

    def _exchange_within(self, most: int, give_back: bool = False) -> _Done:
        """Write down what is done, and take what is next, in one transaction."""
        hand, deliveries = self._hand, []
        if most and not self._in_database:
            deliveries = self._queue.claim_many(self._queues, self.name, most, self._lease_s)
        back = list(hand.waiting) if give_back else []
        if not (deliveries or back or hand.finished or hand.marks or (most and self._in_database)):
            return _Done()
        if hand.finished and self._host is None:
            self._host = self._patience.repeated(self._find_host)
        taker, tries = Taker(self.name, self._lease_s), 0

        def transact() -> _Done:
            nonlocal tries
            tries += 1
            return self._transact(deliveries, most, back, taker, tries > 1)

        done = self._patience.repeated(transact)
        over = [outcome.claim.number for outcome in hand.finished if not outcome.is_judged_here]
        self._heart.let_go([*over, *(claim.number for claim in back)])
        hand.finished.clear()
        hand.marks.clear()
        if give_back:
            hand.waiting.clear()
        for claim in done.claims:
            self._heart.hold(claim.number, claim.token)
            hand.waiting.append(claim)
        self._answered += done.deliveries - len(done.claims)
        for outcome in done.lost if tries == 1 else ():  # else they may be noted
            logger.warning("attempt %s was taken away from %s", outcome.claim.number, self.name)
        watching.tell(self._tasks.database)
        # From here on the database knows who has it: should we die, the lease will end.
        for delivery in deliveries:
            self._queue.acknowledge(delivery)
        self._publish([*done.made, *done.given_back])
        return done

    def _find_host(self) -> int:
        name = socket.gethostname()
        with self._tasks.database.transaction() as session:
            return ids_of(session, schema.host, [name])[name]

    def _transact(
        self,
        deliveries: list[Delivery],
        most: int,
        back: list[Claim],
        taker: Taker,
        repeating: bool,
    ) -> _Done:
        """Do all of it; `repeating` where nobody knows whether that was done before.

        Then what is noted and given back is so already, which changes nothing, and what was taken
        is known by its token.
        """
        hand = self._hand
        with self._tasks.database.transaction() as session:
            lost = record(session, hand.finished, self._host or 0)
            given_back = put_back(session, back, self._in_database)
            scheduling.mark_published(session, hand.marks)
            made: list[Published] = []
            if hand.finished:
                again = self._looks_again()
                made = scheduling.schedule_due(
                    session, into_database=self._in_database, again=again
                )
            claims = kept(session, taker) if repeating else []
            if not claims and most and self._in_database:
                deliveries = TaskQueueSQL.take_within(session, self._queues, most)
            claims = claims or claimed(session, deliveries, taker)
        returned = [Published(claim.queue, claim.number) for claim in given_back]
        more = bool(deliveries) and deliveries[-1].more
        given = max(len(deliveries), len(claims))
        return _Done(given, more, claims, lost, made, returned)

    def _looks_again(self) -> bool:
        """Return whether to look for tasks to be repeated: after a failure, or once in a while."""
        now = clock.monotonic()
        if now < self._looked + LOOK_AGAIN_S and not any(o.failed for o in self._hand.finished):
            return False
        self._looked = now
        return True

    def _publish(self, made: list[Published]) -> None:
        if not made:
            return
        if isinstance(self._queue, TaskQueueSQL):
            self._queue.ring()
            return
        self._queue.queue_publish_many([(each.queue, each.attempt_id) for each in made])
        self._hand.marks += [each.attempt_id for each in made]

    def _run(self, claim: Claim) -> None:
        begun, started = measure(), clock.now()
        self._answered += 1
        failure = _failure_of(self._handlers[claim.queue], claim.attempt)
        values: dict[str, Any] = {**times_since(begun), "started": started, "ended": clock.now()}
        if failure is not None:
            values["error_text"] = failure.text
        judge = self._judges.get(claim.queue, pass_all)
        good, failed = judge is pass_all, failure is not None
        judged_here = judge is not None and not good and not failed
        cut_off = failure is not None and failure.cut_off
        outcome = Outcome(claim, values, failed, good, judged_here, cut_off)
        with self._busy:
            self._hand.add(outcome)
            if not judged_here:
                return
            done = self._exchange_within(0)
        if judge is not None and outcome not in done.lost:
            self._judge(judge, claim)
            self._heart.let_go([claim.number])

    def _judge(self, judge: Judge, claim: Claim) -> None:
        found = self._patience.repeated(
            lambda: self._tasks.execution_attempt_lookup(claim.number, embed_task_object=True)
        )
        failure = _failure_of(judge, found or claim.attempt)

        def conclude() -> list[Published]:
            with self._tasks.transaction() as session:
                if failure is not None:
                    scheduling.need_lease(session, claim.number, claim.token)
                    event = Event.LOSE if failure.cut_off else Event.FAIL
                    move_attempt(session, claim.number, event, error_text=failure.text)
                # The judge had transactions of its own: what follows from them is found here.
                settle(session, claim.number)
                return scheduling.schedule_due(session, into_database=self._in_database)

        with self._busy:
            try:
                self._publish(self._patience.repeated(conclude))
            except LeaseLostError as error:
                logger.warning("%s", error)


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a task, or a judge, has raised."""

    text: str
    cut_off: bool
    """Whether it is only that the database was gone."""


def _failure_of(
    function: Callable[[TaskExecutionAttempt], None], attempt: TaskExecutionAttempt
) -> _Failure | None:
    try:
        function(attempt)
    except Exception as error:  # noqa: BLE001  whatever a task, or a judge, raises
        return _Failure(traceback.format_exc(), tells_of_loss(error))
    return None


@dataclass
class _Hand:
    """What a worker has in its hands, beside the attempt that it runs."""

    waiting: deque[Claim] = field(default_factory=deque)
    """To be run."""
    finished: list[Outcome] = field(default_factory=list)
    """To be written down."""
    since: float = 0.0
    """When the first of these was finished."""
    marks: list[int] = field(default_factory=list)
    """What was given to a broker, which is to be written down."""

    def __bool__(self) -> bool:
        return bool(self.waiting or self.finished or self.marks)

    def add(self, outcome: Outcome) -> None:
        """Keep what is to be written down."""
        if not self.finished:
            self.since = clock.monotonic()
        self.finished.append(outcome)


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of a transaction of a worker."""

    deliveries: int = 0
    more: bool = False
    claims: Sequence[Claim] = ()
    lost: Sequence[Outcome] = ()
    made: Sequence[Published] = ()
    given_back: Sequence[Published] = ()


def pass_all(attempt: TaskExecutionAttempt) -> None:
    """Judge that all that an attempt made is good: what holds where there is no other judge."""
    del attempt  # a worker knows this judge, and saves the transaction
