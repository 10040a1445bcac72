"""What is known of the tasks of a run, kept by those who run them.

A task that ends changes those that depend on it; each requirement is looked at once in a run, and
each descendant of a failure once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from dlg.taskgraph.attempts import Outcome
from dlg.taskgraph.progress import Teller
from dlg.taskgraph.task import Task


class Book:
    """The tasks of one run."""

    def __init__(self, tasks: Mapping[str, Task], fresh: list[str], teller: Teller) -> None:
        """`fresh` are the ids of those that are to be run, which require each other only."""
        self.tasks, self.fresh = tasks, fresh
        self._teller = teller
        self._lock = threading.Lock()
        self._children: dict[str, list[str]] = {}
        self._waits: dict[str, int] = {}
        self._dropped: dict[str, set[str]] = {}
        """For each task that still has requirements: those that it has no more."""
        for tid in fresh:
            required = set(tasks[tid].require)
            self._waits[tid] = len(required)
            for needed in required:
                self._children.setdefault(needed, []).append(tid)
            if not required:
                tasks[tid].state = Task.STATE_READY

    def begin(self, tid: str) -> Task:
        """Take note that a task is being run, and return it."""
        task = self.tasks[tid]
        task.state = Task.STATE_RUNNING
        return task

    def inputs(self, task: Task) -> dict[str, Any]:
        """Return what the function of a task gets, results of others included."""
        used = {name: self.tasks[tid].results for name, tid in task.use.items()}
        return {**task.inputs, **used}

    def settle(self, tid: str, outcome: Outcome) -> None:
        """Take note of what came of a task."""
        with self._lock:
            task = self.tasks[tid]
            task.settle(outcome)
            ended = 1 if outcome.state not in {Task.STATE_INIT, Task.STATE_RUNNING} else 0
            if outcome.state == Task.STATE_SUCCESS:
                task.require = []  # also where its requirements' ends are told later
                self._succeeded(tid)
            elif outcome.state == Task.STATE_ERROR:
                ended += self._failed(tid)
            self._teller.update(ended)

    def close(self) -> None:
        """The run is over: what has not begun is fresh, and requirements are what is left."""
        for tid in self.fresh:
            task = self.tasks[tid]
            if task.state == Task.STATE_READY:
                task.state = Task.STATE_INIT
            dropped = self._dropped.get(tid)
            if dropped:
                task.require = [needed for needed in task.require if needed not in dropped]

    def _succeeded(self, tid: str) -> None:
        for child in self._children.get(tid, ()):
            task = self.tasks[child]
            if task.state != Task.STATE_INIT:
                continue
            self._waits[child] -= 1
            if self._waits[child]:
                self._dropped.setdefault(child, set()).add(tid)
            else:
                task.require, task.state = [], Task.STATE_READY
                self._dropped.pop(child, None)

    def _failed(self, tid: str) -> int:
        """Mark all that depend on `tid`; return how many that are."""
        count, stack = 0, [tid]
        while stack:
            parent = stack.pop()
            for child in self._children.get(parent, ()):
                task = self.tasks[child]
                if task.state == Task.STATE_INIT:
                    task.state = Task.STATE_DEPENDENCY
                    self._dropped.setdefault(child, set()).add(parent)
                    count += 1
                    stack.append(child)
        return count
