"""A process that takes tasks from a queue, for programs that manage tasks by themselves.

`Manager` does not need it: it has its tasks run by an engine.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from multiprocessing import Process
from typing import Any

from dlg.taskgraph.task import Task, TaskDependenciesError

logger = logging.getLogger(__name__)


class Worker(Process):
    """Runs the tasks whose ids come through a queue, as `(tid,)`, until `(None,)` comes.

    `tasks` is shared with whoever fills the queue; it is read and written while `lock` is held.
    Each task is tried up to `max_retry` times, one right after the other.
    """

    def __init__(
        self, builder: Any, queue: Any, name: str, tasks: MutableMapping[str, Task],
        max_retry: int, lock: AbstractContextManager[Any],
    ) -> None:  # fmt: skip
        super().__init__(name=name)
        self.builder, self.queue, self.tasks = builder, queue, tasks
        self.max_retry, self.lock = max_retry, lock

    def run(self) -> None:
        """Run tasks until the end of the queue; what fails is a task, never the worker."""
        while True:
            (tid,) = self.queue.get()
            try:
                if tid is None:
                    return
                self._run_one(tid)
            finally:
                self.queue.task_done()

    def stop(self) -> None:
        """End the process if it is alive, whatever it does."""
        if self.is_alive():
            self.terminate()

    def _run_one(self, tid: str) -> None:
        with self.lock:
            task = self.tasks[tid]
            task.state = Task.STATE_RUNNING
            self.tasks[tid] = task
        try:
            for retry in range(1, max(1, self.max_retry) + 1):
                task.run(self.builder, retry)
                if task.state == Task.STATE_SUCCESS:
                    break
        except TaskDependenciesError as error:
            logger.exception("task %s was queued too soon", tid)
            task.state, task.results = Task.STATE_WRONG, str(error)
        with self.lock:
            self.tasks[tid] = task
            for changed in task.update_childs(dict(self.tasks.items())):
                for child, copy in changed.items():
                    self.tasks[child] = copy
