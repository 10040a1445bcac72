"""Task graphs: a dictionary of tasks that require each other, run in parallel.

    >>> from dlg.taskgraph import Manager, Task
    >>> from dlg.testing.builders import Arithmetic
    >>> manager = Manager(Arithmetic(), runner="inline", progress=False)
    >>> manager.add(Task("three", {"x": 1, "y": 2}, "add"))
    >>> manager.add(Task("six", {"x": 3}, "add", use={"y": "three"}))
    >>> found = manager.start()
    >>> found["exit_code"], [task["results"] for task in found["tasks"]]
    (0, [3, 6])

A task names a function of a builder and what it is called with; a manager runs tasks as soon as
what they require has succeeded. Names, numbers of states and the form of the result are those of
a published interface, to which programs have been written.
"""

from __future__ import annotations

from dlg.taskgraph.graph import Graph
from dlg.taskgraph.manager import Manager
from dlg.taskgraph.ordering import CircularTasksError, TaskGraphError, UnknownRequirementError
from dlg.taskgraph.task import Task, TaskDependenciesError
from dlg.taskgraph.worker import Worker

__all__ = [
    "CircularTasksError", "Graph", "Manager", "Task", "TaskDependenciesError", "TaskGraphError",
    "UnknownRequirementError", "Worker",
]  # fmt: skip
