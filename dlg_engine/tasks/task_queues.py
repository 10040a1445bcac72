"""Task queues by name, and the scheduler that fills them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select

from dlg.support import clock
from dlg.support.database import Database
from dlg_engine.tasks import scheduling, schema
from dlg_engine.tasks.amqp_queue import TaskQueueAmqp
from dlg_engine.tasks.bells import bell_of
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.memory_queue import TaskQueueMemory as TaskQueueMemory
from dlg_engine.tasks.patience import PATIENCE_S, Patience
from dlg_engine.tasks.progress import reset_tasks
from dlg_engine.tasks.queue_contract import TaskQueue as TaskQueue
from dlg_engine.tasks.scheduling import Published
from dlg_engine.tasks.selection import (
    PASSED_OR_UNDER_WAY,
    AnyAttempt,
    AttemptCriterion,
)
from dlg_engine.tasks.settings import Settings, write_settings_file
from dlg_engine.tasks.sql_queue import TaskQueueSQL as TaskQueueSQL
from dlg_engine.tasks.statements import repeated
from dlg_engine.tasks.states import TaskState
from dlg_engine.tasks.task_database import TaskDatabaseConnection

IMPLEMENTATIONS = ("sql", "amqp")
LONGEST_WAIT_S = 60.0
"""How long a scheduler sleeps at most."""


class TaskQueueConnector:
    """Makes connections to the task queues that the settings name, or `queue_engine`."""

    def __init__(self, queue_engine: str | None = None, database: Database | None = None) -> None:
        """Take the queues of `database` where they are in one; None is that of the settings."""
        info = Settings().installation_info
        self.queue_engine = queue_engine or str(info["queue_implementation"])
        if self.queue_engine not in IMPLEMENTATIONS:
            known = ", ".join(IMPLEMENTATIONS)
            raise TaskSystemError(f"there are no queues {self.queue_engine!r}; known are {known}")
        self._database = database
        self._opened: list[TaskQueue] = []
        self._owned: list[TaskDatabaseConnection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for queue in self._opened:
            queue.close()
        for owned in self._owned:
            owned.close_db()

    def interface(self) -> TaskQueue:
        """Return a new connection to the queues."""
        info = Settings().installation_info
        if self.queue_engine == "amqp":
            login = (str(info["mq_user"]), str(info["mq_passwd"]))
            found: TaskQueue = TaskQueueAmqp(str(info["mq_host"]), int(info["mq_port"]), *login)
        else:
            if self._database is None:
                self._owned.append(TaskDatabaseConnection())
                self._database = self._owned[-1].database
            found = TaskQueueSQL(self._database)
        self._opened.append(found)
        return found

    @staticmethod
    def make_task_queue_config(
        queue_implementation: str, mq_user: str, mq_passwd: str, mq_host: str, mq_port: int
    ) -> None:
        """Write how to get to the queues, for later; only the user may read the file."""
        fields = {
            "queue_implementation": queue_implementation,
            "mq_user": mq_user,
            "mq_passwd": mq_passwd,
            "mq_host": mq_host,
            "mq_port": mq_port,
        }
        write_settings_file(Path(TaskQueueConnector.task_queue_config_path()), fields)

    @staticmethod
    def task_queue_config_path() -> str:
        """Return where `make_task_queue_config` writes to."""
        folder = Settings().settings["localDataPath"]
        return str(Path(folder) / "local_settings_task_queue.conf")


class TaskScheduler:
    """Puts attempts of tasks into queues.

    `run` does so whenever there is something to do: it sleeps until somebody rings, a lease ends
    or an attempt is to be repeated.
    """

    def __init__(
        self,
        queue_implementation: str | None = None,
        tasks: TaskDatabaseConnection | None = None,
        queue: TaskQueue | None = None,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Use what is given; the rest is what the settings name.

        A database or a broker that is started again is waited for so many seconds.
        """
        self._own_tasks = tasks is None
        self._tasks = TaskDatabaseConnection() if tasks is None else tasks
        self._connector = TaskQueueConnector(queue_implementation, self._tasks.database)
        self._queue = self._connector.interface() if queue is None else queue
        self._bell = bell_of(self._tasks.database)
        self._patience = self._queue.patience = Patience(patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened here."""
        self._bell.close()
        with self._connector:
            pass
        if self._own_tasks:
            self._tasks.close_db()

    @property
    def _into_database(self) -> bool:
        return isinstance(self._queue, TaskQueueSQL)

    def schedule_a_task(self, task_id: int) -> int:
        """Make an attempt of a task and put it into its queue; return the attempt's number."""

        def schedule() -> list[Published]:
            with self._tasks.transaction() as session:
                table = schema.task
                query = select(table.c.type_id, table.c.state).where(table.c.id == task_id)
                row = session.execute(query.with_for_update()).one_or_none()
                if row is None:
                    raise NoSuchEntryError("task", task_id)
                if row.state == TaskState.BLOCKED.value:
                    raise TaskSystemError(f"task {task_id} is blocked: a task before it failed")
                task = [(task_id, row.type_id)]
                return scheduling.make_attempts(session, task, self._into_database)

        made = repeated(schedule)
        self._publish(made)
        return made[0].attempt_id

    def schedule_all_waiting_jobs(self) -> int:
        """Schedule all tasks that have what they need and no attempt yet; return how many."""
        return self.schedule_jobs_based_on_criterion(AnyAttempt())

    def reschedule_all_unfinished_jobs(self) -> int:
        """Schedule all tasks that have what they need, were not passed and are not under way.

        Those whose attempts have come to nothing get another one.
        """
        self.retry()
        return self.schedule_jobs_based_on_criterion(PASSED_OR_UNDER_WAY)

    def schedule_jobs_based_on_criterion(self, task_selection_criteria: AttemptCriterion) -> int:
        """Schedule tasks that have what they need, and no attempt that the criterion fits."""
        if not isinstance(task_selection_criteria, AttemptCriterion):
            raise TaskSystemError(
                "a criterion is an object of dlg_engine.tasks.selection, such as "
                "InState((AttemptState.PASSED,)); the text of a query is not taken"
            )

        def schedule() -> list[Published]:
            with self._tasks.transaction() as session:
                return scheduling.schedule_tasks(
                    session, task_selection_criteria, into_database=self._into_database
                )

        made = repeated(schedule)
        self._publish(made)
        return len(made)

    def retry(self, tries: int = 1) -> int:
        """Give tasks that have failed for good so many more attempts; return how many tasks."""
        table = schema.task

        def reset() -> int:
            with self._tasks.transaction() as session:
                failed = select(table.c.id).where(table.c.state == TaskState.FAILED.value)
                numbers = list(session.scalars(failed.order_by(table.c.id)))
                reset_tasks(session, numbers, tries)
                return len(numbers)

        return repeated(reset)

    def turn(self) -> int:
        """Do all that is to be done now; return how many attempts were put into queues."""
        done = 0
        while True:
            made = self._patience.repeated(self._schedule_due)
            self._publish(made)
            done += len(made)
            if len(made) < scheduling.MOST:
                break
        if not self._into_database:
            done += self._publish_forgotten()
        return done

    def _schedule_due(self) -> list[Published]:
        with self._tasks.transaction() as session:
            scheduling.take_over(session)
            return scheduling.schedule_due(session, into_database=self._into_database)

    def _publish(self, made: Sequence[Published]) -> None:
        if not made:
            return
        if isinstance(self._queue, TaskQueueSQL):
            self._queue.ring()
            return
        self._queue.queue_publish_many([(each.queue, each.attempt_id) for each in made])
        self._patience.repeated(lambda: self._mark_published([one.attempt_id for one in made]))

    def _mark_published(self, attempts: Sequence[int]) -> None:
        with self._tasks.transaction() as session:
            scheduling.mark_published(session, attempts)

    def _publish_forgotten(self) -> int:
        """Publish what somebody had committed who died before he could publish it."""

        def look() -> list[Published]:
            with self._tasks.database.reading() as session:
                return scheduling.unpublished(session)

        found = self._patience.repeated(look)
        self._publish(found)
        return len(found)

    def run(self, stop: threading.Event, longest_s: float = LONGEST_WAIT_S) -> None:
        """Schedule whenever there is something to do, until `stop` is set.

        Whoever sets it wakes a waiting scheduler by publishing something, or waits for it.
        """
        self._patience = self._queue.patience = replace(self._patience, stop=stop)
        while not stop.is_set():
            self.turn()
            self.wait(longest_s)

    def wait(self, timeout_s: float) -> None:
        """Return when something may be to do, or after so many seconds."""
        date = self._patience.repeated(self._next_date)
        if date is not None:
            timeout_s = min(timeout_s, max(0.0, date - clock.now()))
        self._patience.repeated(lambda: self._bell.wait(timeout_s))

    def _next_date(self) -> float | None:
        self._bell.listen()
        self._bell.heard()
        with self._tasks.database.reading() as session:
            return scheduling.next_date(session)
