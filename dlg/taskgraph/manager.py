"""The manager: takes tasks, has them run by an engine, and says what came of them.

>>> from dlg.taskgraph import Manager, Task
>>> from dlg.testing.builders import Trouble
>>> manager = Manager(Trouble(), max_retry=2, runner="inline", backoff=0.0, progress=False)
>>> manager.add(Task("task-id-1", {"msg": "task-1-msg"}, "fine", ["task-id-3"]))
>>> manager.add(Task("task-id-2", {"msg": "task-2-msg"}, "fine"))
>>> manager.add(Task("task-id-3", {"msg": "task-3-msg"}, "fail"))
>>> found = manager.start()
>>> found["exit_code"], found["results"]
(1, {'success': 1, 'failures': 1, 'deps': 1, 'nrun': 0, 'aborted': 0, 'ready': 0})
>>> [(task["tid"], task["state"], task["results"]) for task in found["tasks"]][1:]
[('task-id-2', 3, {'msg': 'task-2-msg'}), ('task-id-3', -1, 'failed at try 2')]
>>> len(manager.attempts["task-id-3"])
2
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter
from collections.abc import MutableMapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

from dlg import plugins
from dlg.engines import NotOnThisEngineError
from dlg.exceptions import UsageError
from dlg.support import clock
from dlg.taskgraph import ordering, utils
from dlg.taskgraph.attempts import Attempt, Policy
from dlg.taskgraph.book import Book
from dlg.taskgraph.embedded import Run, modules_for, run_here
from dlg.taskgraph.progress import Progress, Teller, default_bar
from dlg.taskgraph.task import Task
from dlg.taskgraph.worker import Worker

REMOTE = "dlg.taskgraph.remote:run_there"
"""Imported where it is used: few tasks go to other hosts."""
COUNTED = {
    "success": {Task.STATE_SUCCESS},
    "failures": {Task.STATE_ERROR, Task.STATE_WRONG},
    "deps": {Task.STATE_DEPENDENCY},
    "nrun": {Task.STATE_INIT},
    "aborted": {Task.STATE_RUNNING},
    "ready": {Task.STATE_READY},
}
"""In which number of the result a task of each state is counted."""


class Manager:
    """Runs tasks as soon as what they require has succeeded, `nb_workers` at a time.

    `builder` has the functions that tasks name. The whole run may take `run_timeout` seconds, from
    its start, and what runs then is ended; one try of a task may take `task_timeout` seconds.
    A task is tried up to `max_retry` times, after a pause of `backoff` seconds, which doubles.
    `progress` is any object with `update(n)` and `close()`; without one there is a bar on a
    terminal, with False none.

    `runner` says where functions are called: in `processes`, `threads`, or `inline` one after the
    other; only in processes one that takes too long is really ended. `engine` is the name of an
    engine, or `host:port` of a manager on whose nodes tasks are run.

    `queue`, `sleep` and `lock` are there for programs that expect them. Of given `workers` only
    the number counts: the engine has its own, and nothing is polled.
    """

    def __init__(  # noqa: PLR0913, PLR0917  the first nine are the published interface
        self, builder: Any, nb_workers: int | None = None, workers: Sequence[Worker] | None = None,
        queue: Any = None, run_timeout: float | None = 3600, sleep: float = 1,
        tasks: MutableMapping[str, Task] | None = None, max_retry: int = 3,
        progress: Progress | bool | None = None, *, runner: str = "processes",
        engine: str = "embedded", task_timeout: float | None = None, backoff: float = 0.1,
        trust: bool = False,
    ) -> None:  # fmt: skip
        self.builder, self.queue, self.sleep = builder, queue, sleep
        self.nb_workers = _positive(
            "nb_workers", nb_workers or len(workers or ()) or os.cpu_count()
        )
        self.tasks: MutableMapping[str, Task] = {} if tasks is None else tasks
        self.max_retry = _positive("max_retry", max_retry)
        self.progress = progress
        self.lock: AbstractContextManager[bool] = threading.RLock()
        self.runner, self.engine, self._trust = runner, engine, trust
        _check_engine(engine)
        self._given_workers = None if workers is None else list(workers)
        self._run_timeout = _seconds("run_timeout", run_timeout)
        self._policy = Policy(
            max_retry=self.max_retry, backoff=_seconds("backoff", backoff) or 0.0,
            task_timeout=_seconds("task_timeout", task_timeout),
        )  # fmt: skip
        self.timeout = self._end()
        """When the run will be ended, in seconds since 1970; None if never."""
        self.attempts: dict[str, list[Attempt]] = {}
        """All tries of all tasks that have been run."""
        self._pool: Any = None
        """The runner of the next run; it is made, and gets ready, while tasks are added."""
        self._warmed = 0
        """For how many workers: as many as there are tasks that can begin at once."""

    @cached_property
    def workers(self) -> list[Worker]:
        """Workers for programs that want to feed them; the manager itself does not use them."""
        if self._given_workers is not None:
            return self._given_workers
        return [
            Worker(self.builder, self.queue, f"worker-{number}", self.tasks, self.max_retry,
                   self.lock)
            for number in range(self.nb_workers)
        ]  # fmt: skip

    def add(self, task: Task) -> None:
        """Add a copy of `task`, in the place of one with the same id.

        Raises `CircularTasksError` if it requires itself.
        """
        ordering.refuse_self_requirement(task)
        self.tasks[task.tid] = task.copy()
        if not task.require and self._warmed < self.nb_workers:
            self._warm_up()

    def start(self) -> dict[str, Any]:
        """Run all tasks that have not begun or were given up; return what came of all.

        Raises `UnknownRequirementError` or `CircularTasksError` before anything runs if tasks
        cannot be run; what a task raises is in the result.
        """
        tasks = dict(self.tasks)
        ordering.check(tasks)
        begun, started = clock.now(), clock.monotonic()
        self.timeout = self._end()
        before = _depending_on_failures(tasks)
        fresh = _prepare(tasks)
        progress = self._bar(len(fresh))
        teller = Teller(progress)
        teller.update(_depending_on_failures(tasks) - before)
        book = Book(tasks, fresh, teller)
        try:
            if fresh:
                self._run(Run(book, self.builder, self._policy, self._run_timeout))
        finally:
            book.close()
            self._write_back(tasks)
        teller.close()
        return self._result(tasks, begun, clock.monotonic() - started)

    def _run(self, run: Run) -> None:
        if ":" in self.engine:
            plugins.resolve(REMOTE)(run, self.engine, trust=self._trust)
            return
        if self._pool is None:
            self._warm_up()
        pool, self._pool, self._warmed = self._pool, None, 0
        try:
            run_here(run, self.engine, self.runner, pool, self.nb_workers)
        finally:
            if pool is not None:  # its processes take a while to end, for which nobody waits
                threading.Thread(target=pool.close, name="dlg-tasks-close").start()

    def _warm_up(self) -> None:
        """Let the runner get ready for one more worker; make it if there is none."""
        self._warmed += 1
        if self._pool is None and ":" not in self.engine:
            self._pool = plugins.runner(self.engine, self.runner, self.nb_workers)
            if self._pool is not None:
                weakref.finalize(self, self._pool.close)
        if self._pool is not None:
            self._pool.warm_up(self._warmed, modules_for(self.builder))

    def _bar(self, total: int) -> Progress | None:
        if self.progress is None or self.progress is True:
            return default_bar(total)
        return None if isinstance(self.progress, bool) else self.progress

    def _end(self) -> float | None:
        return None if self._run_timeout is None else clock.now() + self._run_timeout

    def _write_back(self, tasks: dict[str, Task]) -> None:
        with self.lock:
            for tid, task in tasks.items():
                self.tasks[tid] = task  # `tasks` may be shared with other processes
        self.attempts = {tid: task.attempts for tid, task in tasks.items() if task.attempts}

    def _result(self, tasks: dict[str, Task], begun: float, seconds: float) -> dict[str, Any]:
        states = Counter(task.state for task in tasks.values())
        counts = {name: sum(states[s] for s in which) for name, which in COUNTED.items()}
        return {
            "elapsed": utils.strduration(seconds),
            "date_start": utils.date_of(begun),
            "date_end": utils.strdate(),
            "tasks": [task.as_dict() for task in tasks.values()],
            "results": counts,
            "exit_code": 0 if counts["success"] == len(tasks) else 1,
        }


def _prepare(tasks: dict[str, Task]) -> list[str]:
    """Return the ids of the tasks to run: those that are fresh, or were given up.

    They require what has succeeded in an earlier run no more, and what depends on an earlier
    failure is marked.
    """
    for task in tasks.values():
        if task.state in {Task.STATE_READY, Task.STATE_RUNNING}:
            task.state = Task.STATE_INIT
    failed = [tid for tid, task in tasks.items() if task.state < Task.STATE_INIT]
    if failed:
        _mark_descendants(tasks, failed)
    fresh = [tid for tid, task in tasks.items() if task.state == Task.STATE_INIT]
    for tid in fresh:
        task = tasks[tid]
        task.require = [r for r in task.require if tasks[r].state != Task.STATE_SUCCESS]
    return fresh


def _depending_on_failures(tasks: dict[str, Task]) -> int:
    return sum(1 for task in tasks.values() if task.state == Task.STATE_DEPENDENCY)


def _mark_descendants(tasks: dict[str, Task], failed: list[str]) -> None:
    """Mark all fresh tasks that depend on failures, each once."""
    children: dict[str, list[str]] = {}
    for tid, task in tasks.items():
        for needed in task.require if task.state == Task.STATE_INIT else ():
            children.setdefault(needed, []).append(tid)
    stack = [(parent, child) for parent in failed for child in children.get(parent, ())]
    while stack:
        parent, child = stack.pop()
        task = tasks[child]
        if task.state == Task.STATE_INIT:
            task.state = Task.STATE_DEPENDENCY
            task.require = [needed for needed in task.require if needed != parent]
            stack += [(child, further) for further in children.get(child, ())]


def _check_engine(name: str) -> None:
    """Refuse an engine to which tasks cannot be given, before there are any."""
    if name == "embedded" or ":" in name or not plugins.engine(name).abilities.elsewhere:
        return
    raise NotOnThisEngineError(
        f"a Manager cannot have its tasks run by the engine {name}: it keeps in this process what "
        "comes of each; engine='host:port' has them run on the nodes of a manager, and what is "
        "called with dlg.runtime.delayed can be computed on any engine"
    )


def _positive(name: str, value: int | None) -> int:
    if value is None or isinstance(value, bool) or value < 1:
        raise UsageError(f"{name} must be at least 1, not {value!r}")
    return value


def _seconds(name: str, value: float | None) -> float | None:
    if value is not None and not value >= 0:
        raise UsageError(f"{name}: a number of seconds is expected, not {value!r}")
    return value
