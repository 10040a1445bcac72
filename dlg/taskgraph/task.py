"""A task: which function of a builder is called with what, and after which other tasks."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from dlg.exceptions import UsageError
from dlg.support.calls import call
from dlg.taskgraph import attempts, utils
from dlg.taskgraph.attempts import Attempt, Outcome

logger = logging.getLogger(__name__)

OURS = frozenset({"attempts", "timeout", "use"})
"""What a task has besides what the published interface names; it is not in its text."""


class TaskDependenciesError(UsageError):
    """A task was to be run although others that it requires have not succeeded."""


class Task:
    """A call of a function of a builder that is yet to be made, or has been made.

    `func` is the name of the function, `inputs` what it gets by name; `require` lists the ids of
    tasks that must succeed before. `use` says, for names of arguments, the results of which tasks
    they get; those are required, too. `timeout` is how many seconds one try may take.
    """

    STATE_WRONG: ClassVar[int] = attempts.WRONG
    """It was run although it had requirements."""
    STATE_DEPENDENCY: ClassVar[int] = attempts.DEPENDENCY
    """A task that it requires has failed."""
    STATE_ERROR: ClassVar[int] = attempts.ERROR
    STATE_INIT: ClassVar[int] = attempts.INIT
    """It has not begun."""
    STATE_READY: ClassVar[int] = attempts.READY
    """It waits for a worker."""
    STATE_RUNNING: ClassVar[int] = attempts.RUNNING
    STATE_SUCCESS: ClassVar[int] = attempts.SUCCESS

    def __init__(
        self, tid: str, inputs: Mapping[str, Any], func: str, require: list[str] | None = None,
        *, use: Mapping[str, str] | None = None, timeout: float | None = None,
    ) -> None:  # fmt: skip
        self.tid, self.inputs, self.func = tid, inputs, func
        self.require: list[str] = list(require or ())
        self.state = self.STATE_INIT
        self.results: Any = None
        """What the function returned, or what its exception said."""
        self.date_created = utils.strdate()
        self.date_start: str | None = None
        self.date_end: str | None = None
        self.time_duration_str = "00:00:00"
        self.time_duration = 0.0
        """Seconds that the last try took."""
        self.attempts: list[Attempt] = []
        """All tries."""
        self.use = dict(use or {})
        self.timeout = timeout
        self.require += [
            tid for tid in dict.fromkeys(self.use.values()) if tid not in self.require
        ]

    def __repr__(self) -> str:
        """Return the task as JSON; what JSON does not know stands there as its `repr`."""
        return json.dumps(self.as_dict(), default=repr)

    def as_dict(self) -> dict[str, Any]:
        """Return what the published interface says of a task, as in the result of a manager."""
        return {name: value for name, value in vars(self).items() if name not in OURS}

    def add_require(self, task_id: str) -> None:
        """Require `task_id` as well."""
        self.require.append(task_id)

    def del_require(self, task_id: str) -> None:
        """Require `task_id` no more; raise `ValueError` if it was not required."""
        self.require.remove(task_id)

    def is_runnable(self) -> bool:
        """Return whether the task has not begun and requires nothing."""
        return self.state == self.STATE_INIT and not self.require

    def is_finished(self) -> bool:
        """Return whether the task is neither fresh nor waiting for a worker.

        One that is running counts as finished, as the published interface has it.
        """
        return self.state not in {self.STATE_INIT, self.STATE_READY}

    def run(self, builder: Any, retry: int) -> None:
        """Call the function once, here and now; what it returns or raises becomes `results`.

        Raises `TaskDependenciesError` if the task still requires others.
        """
        self.date_start = utils.strdate()
        if self.require:
            needed = ", ".join(map(str, self.require))
            raise TaskDependenciesError(f"Task {self.tid} can't run. Requires {needed}")
        called = call(builder, self.func, retry, self.inputs)
        attempt = Attempt(
            retry=retry, date_start=called.begun, time_duration=called.seconds, kind=called.kind,
            error=called.error, traceback=called.traceback,
        )  # fmt: skip
        tries = [*self.attempts, attempt]
        if called.kind:
            logger.error("task %s failed: %s", self.tid, called.traceback)
            self.settle(Outcome(self.STATE_ERROR, called.error, tries))
        else:
            self.settle(Outcome(self.STATE_SUCCESS, called.value, tries))

    def settle(self, outcome: Outcome) -> None:
        """Become what `outcome` says that came of the task."""
        self.state, self.results, self.attempts = outcome.state, outcome.results, outcome.attempts
        if not outcome.attempts:
            return
        last = outcome.attempts[-1]
        self.time_duration = last.time_duration
        self.time_duration_str = utils.strduration(last.time_duration)
        self.date_start = utils.date_of(last.date_start)
        if outcome.state != self.STATE_RUNNING:
            self.date_end = utils.date_of(last.date_start + last.time_duration)

    def copy(self) -> Task:
        """Return a copy with requirements of its own; inputs and results are shared."""
        made = copy.copy(self)
        made.require, made.attempts = list(self.require or ()), list(self.attempts)
        return made

    def update_childs(self, tasks: Mapping[str, Task]) -> Iterator[dict[str, Task]]:
        """Yield, as `{tid: copy}`, each task of `tasks` that changes by how this one has ended.

        After a success, fresh tasks that require this one require it no more. After a failure
        they, and all that depend on them, become STATE_DEPENDENCY, each once. Nothing is changed
        in `tasks`; who calls this writes the copies there.
        """
        if self.state == self.STATE_SUCCESS:
            for tid, child in list(tasks.items()):
                if child.state == self.STATE_INIT and self.tid in (child.require or ()):
                    yield {tid: _without(child, self.tid)}
        elif self.state < self.STATE_INIT:
            yield from self._failed_descendants(tasks)

    def _failed_descendants(self, tasks: Mapping[str, Task]) -> Iterator[dict[str, Task]]:
        children: dict[str, list[str]] = {}
        for tid, task in tasks.items():
            if task.state == self.STATE_INIT:
                for needed in dict.fromkeys(task.require or ()):
                    children.setdefault(needed, []).append(tid)
        marked = {self.tid}
        stack = [(self.tid, child) for child in reversed(children.get(self.tid, ()))]
        while stack:
            parent, tid = stack.pop()
            if tid in marked:
                continue
            marked.add(tid)
            made = _without(tasks[tid], parent)
            made.state = self.STATE_DEPENDENCY
            yield {tid: made}
            stack += [(tid, child) for child in reversed(children.get(tid, ()))]


def _without(task: Task, required: str) -> Task:
    made = task.copy()
    made.require = [tid for tid in made.require if tid != required]
    return made
