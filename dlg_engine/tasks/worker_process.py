"""What a process does that is a worker, or a scheduler, of a pool.

It ends when it is told to, after what it does, and also when the process dies that has started it.
"""

from __future__ import annotations

import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from typing import Any

from dlg.exceptions import DaliugeException, UsageError
from dlg.support import clock
from dlg.support.logs import stream_handler
from dlg_engine.tasks.amqp_queue import TaskQueueAmqp
from dlg_engine.tasks.attempt_process import OwnProcess
from dlg_engine.tasks.ending import Abandoned, Ending, heeding
from dlg_engine.tasks.job_registering import OURS
from dlg_engine.tasks.job_working import job_handlers
from dlg_engine.tasks.logging_database import EasLoggingHandler
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.settings import Settings
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_heartbeat import CADENCE_S
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.watching import watching_bell
from dlg_engine.tasks.working import Handler, TaskWorker

logger = logging.getLogger(__name__)
READY, IDLE, REFUSED = "ready", "idle", "refused"
"""What a process says of itself to the one that has started it."""
LOOK_S = 5.0
"""How long one waits at most for work until one looks whether there are new types of tasks."""
SAY_S = 1.0
"""How often a worker says that it has nothing to do, if it had nothing before."""
TURN_S = 60.0
"""How long a scheduler sleeps at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPlan:
    """What the workers of a pool work on."""

    database: str
    """An address."""
    store: str | None = None
    queue: str | None = None
    """`sql` or `amqp`; None is that of the settings."""
    types: tuple[str, ...] = ()
    """The types of tasks that they do; () is all that they can."""
    code: tuple[str, ...] = ()
    """Folders with modules of users."""
    isolated: bool = False
    """Whether each task is done in an interpreter of its own."""
    cadence_s: float = CADENCE_S

    @property
    def queue_kind(self) -> str:
        """Return the kind of the queues."""
        return self.queue or str(Settings().installation_info["queue_implementation"])


class _Idling:
    """Tells the pool that a worker has nothing to do, and waits so that it can be ended."""

    def __init__(self, ending: Ending, link: Connection) -> None:
        self.ending, self._link = ending, link
        self.has_worked = True
        self._said = 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Say so, not too often, and wait inside."""
        now = clock.monotonic()
        if self.has_worked or now - self._said > SAY_S:
            self.has_worked, self._said = False, now
            say(self._link, IDLE)
        with self.ending.waiting():
            yield


class _NewTypes(Exception):  # noqa: N818  nothing is wrong
    """There are types of tasks that a worker has not looked at."""


class _Wakeable(TaskQueue):
    """Queues at which one waits so that one can be ended, and for new types of tasks too."""

    idling: _Idling
    is_outdated: Callable[[], bool]
    check_every_s = 0.0
    """How often one looks for new types at most: more than 0 where waiting is looking again."""
    _checked = 0.0

    def wait(self, queue_names: Sequence[str], timeout_s: float) -> None:
        """Wait for something, or for the end; raise _NewTypes if there are some."""
        with self.idling.waiting():
            super().wait(queue_names, min(timeout_s, LOOK_S))  # type: ignore[safe-super]
        now = clock.monotonic()
        if now - self._checked >= self.check_every_s:
            self._checked = now
            if self.is_outdated():
                raise _NewTypes


class _SqlQueue(_Wakeable, TaskQueueSQL):
    """Queues of the database."""


class _AmqpQueue(_Wakeable, TaskQueueAmqp):
    """Queues of a broker."""


def opened_queue(kind: str, tasks: TaskDatabaseConnection) -> TaskQueue:
    """Return the queues of a kind, as the settings say where they are."""
    return _amqp(TaskQueueAmqp) if kind == "amqp" else TaskQueueSQL(tasks.database)


def _amqp(kind: type[TaskQueueAmqp]) -> Any:
    info = Settings().installation_info
    login = (str(info["mq_user"]), str(info["mq_passwd"]))
    return kind(str(info["mq_host"]), int(info["mq_port"]), *login)


def say(link: Connection, *what: object) -> None:
    """Tell the pool something, unless it is gone."""
    with suppress(OSError):
        link.send(what)


def process(role: Callable[[WorkPlan, str, Connection, Ending], None]) -> Callable[..., None]:
    """Make the whole of a process of what a worker or a scheduler does."""

    @functools.wraps(role)
    def run(plan: WorkPlan, name: str, link: Connection) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pool, which tells us
        ending = Ending()
        _end_with_parent()
        logging.getLogger().addHandler(stream_handler(sys.stderr, "WARNING"))
        sys.path.extend(place for place in plan.code if place not in sys.path)
        try:
            with heeding(ending, signal.SIGTERM):
                role(plan, name, link, ending)
        except Abandoned:
            sys.exit(1)
        except DaliugeException as error:
            say(link, REFUSED, isinstance(error, UsageError), str(error))
            sys.exit(1)

    return run


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="watching the pool", daemon=True).start()


@process
def work(plan: WorkPlan, name: str, link: Connection, ending: Ending) -> None:
    """Do the tasks that are in the queues."""
    idling = _Idling(ending, link)
    with ExitStack() as stack:
        tasks = stack.enter_context(TaskDatabaseConnection(plan.store, plan.database))
        queue: _SqlQueue | _AmqpQueue = (
            _amqp(_AmqpQueue) if plan.queue_kind == "amqp" else _SqlQueue(tasks.database)
        )
        queue.idling = idling
        queue.check_every_s = 0.0 if watching_bell(tasks.database) is not None else SAY_S
        stack.enter_context(queue)
        messages = EasLoggingHandler(tasks.database)
        stack.callback(messages.close)
        logging.getLogger().addHandler(messages)
        logging.getLogger().setLevel(logging.INFO)
        while not ending.stop.is_set():
            known = _known_types(tasks)
            handlers = job_handlers(tasks, plan.types or None)
            if plan.isolated:
                own = OwnProcess(plan.database, plan.store, plan.code)
                handlers |= {kind: own.do for kind in handlers if kind not in OURS}
            noted = {kind: _noted(do, messages, idling) for kind, do in handlers.items()}
            say(link, READY, sorted(noted))
            worker = TaskWorker(tasks, queue, noted, name=name, cadence_s=plan.cadence_s)
            queue.is_outdated = functools.partial(_has_others, tasks, queue, known)
            try:
                worker.run(ending.stop)
            except _NewTypes:
                continue
            finally:
                worker.close()


def _has_others(tasks: TaskDatabaseConnection, queue: TaskQueue, known: frozenset[str]) -> bool:
    return queue.patience.repeated(lambda: _known_types(tasks)) != known


def _known_types(tasks: TaskDatabaseConnection) -> frozenset[str]:
    return frozenset(tasks.task_type_list_from_db().task_list)


def _noted(do: Handler, messages: EasLoggingHandler, idling: _Idling) -> Handler:
    """Have what is logged while a handler runs kept as messages of the attempt."""

    def noted(attempt: TaskExecutionAttempt) -> None:
        idling.has_worked = True
        messages.set_task_attempt_id(attempt.attempt_id)
        try:
            do(attempt)
        finally:
            messages.set_task_attempt_id(None)

    return noted


@process
def schedule(plan: WorkPlan, name: str, link: Connection, ending: Ending) -> None:
    """Put what is to be done into the queues."""
    del name
    with (
        TaskDatabaseConnection(plan.store, plan.database) as tasks,
        opened_queue(plan.queue_kind, tasks) as queue,
    ):
        run_scheduler(tasks, queue, ending, lambda: say(link, READY, []))


def run_scheduler(
    tasks: TaskDatabaseConnection,
    queue: TaskQueue,
    ending: Ending,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Schedule until the process is told to end: sleep until there is something to be done."""
    with TaskScheduler(tasks=tasks, queue=queue) as scheduler:
        scheduler.turn()
        if on_ready is not None:
            on_ready()
        while not ending.stop.is_set():
            with ending.waiting():
                scheduler.wait(TURN_S)
            scheduler.turn()
