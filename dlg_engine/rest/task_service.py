"""What the routes of a database of tasks know: the database, the store of files, and changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from dlg.support import clock
from dlg.support.database import Database
from dlg_engine.rest.changes import Changes
from dlg_engine.tasks.dead_letters import retry_tasks
from dlg_engine.tasks.pages import progress
from dlg_engine.tasks.pages.files import VersionFile, version_file
from dlg_engine.tasks.pages.retrying import retry_some
from dlg_engine.tasks.pages.scope import Scope
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskQueueConnector
from dlg_engine.tasks.watching import EVERY_S, watching_bell

T = TypeVar("T")
LOOK_S = 2.0
"""How often pages are told to look where the database tells nobody."""
LATE_S = 0.2
"""How long after a process may have rung again it is certain that it has."""


class TaskService:
    """A database of tasks as its handlers see it; they run in several threads."""

    def __init__(self, database: Database, store: Path, queue_engine: str | None = None) -> None:
        """Without `queue_engine` the settings say where the queues are."""
        self.database, self.store = database, store
        self._queue_engine = queue_engine
        self.changes = Changes(
            watching_bell(database), again_s=EVERY_S + LATE_S, look_s=LOOK_S
        )  # fmt: skip

    def info(self) -> dict[str, Any]:
        """Return what it is, with all tasks by state."""
        shown = self.database.engine.url.render_as_string(hide_password=True)
        return {
            "database": shown, "store": str(self.store), "now": clock.now(),
            "tasks": self.read(progress.totals),
        }  # fmt: skip

    def read(self, ask: Callable[..., T], *args: Any) -> T:
        """Return what a query of `dlg_engine.tasks.pages` answers."""
        with self.database.reading() as session:
            return ask(session, *args)

    def file_of(self, version_id: int) -> VersionFile:
        """Return where the file of a version is."""
        return self.read(version_file, version_id)

    def retry(self, task_id: int) -> None:
        """Give a failed task another attempt."""
        with self._queue() as (tasks, queue):
            retry_tasks(tasks, queue, [task_id])

    def retry_all(self, scope: Scope) -> int:
        """Give failed tasks another attempt; return how many."""
        with self._queue() as (tasks, queue):
            return retry_some(tasks, queue, scope)

    @contextmanager
    def _queue(self) -> Iterator[tuple[TaskDatabaseConnection, TaskQueue]]:
        tasks = TaskDatabaseConnection(self.store, self.database)
        with TaskQueueConnector(self._queue_engine, self.database) as connector:
            yield tasks, connector.interface()
