"""Whether tasks can be run at all: what they require must be there, and must not be a circle."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from dlg.exceptions import UsageError
from dlg.graph.walk import cycles
from dlg.taskgraph.task import Task

NAMED = 10
"""How many mistakes a message tells."""


class TaskGraphError(UsageError):
    """The tasks cannot be run, whatever they do."""


class UnknownRequirementError(TaskGraphError):
    """A task requires one that there is not."""


class CircularTasksError(TaskGraphError):
    """Tasks require each other in a circle."""


def refuse_self_requirement(task: Task) -> None:
    """Raise `CircularTasksError` if a task requires itself."""
    if task.tid in (task.require or ()):
        raise CircularTasksError(f"task {task.tid!r} requires itself")


def check(tasks: Mapping[str, Task]) -> None:
    """Raise `UnknownRequirementError` or `CircularTasksError` if `tasks` cannot all be run."""
    problems: list[str] = []
    for tid, task in tasks.items():
        problems += [_unknown(tid, one, tasks) for one in task.require or () if one not in tasks]
    if problems:
        raise UnknownRequirementError(_listed(problems))
    rows = {tid: row for row, tid in enumerate(tasks)}
    before = [[rows[one] for one in dict.fromkeys(task.require or ())] for task in tasks.values()]
    after: list[list[int]] = [[] for _ in before]
    for row, needed in enumerate(before):
        for one in needed:
            after[one].append(row)
    names = list(tasks)
    found = cycles(after, before, NAMED)
    if found:
        circles = (" -> ".join(repr(names[r]) for r in (*way, way[0])) for way in found)
        raise CircularTasksError(f"tasks wait for each other in a circle: {_listed(circles)}")


def _unknown(tid: str, needed: str, tasks: Mapping[str, Task]) -> str:
    near = difflib.get_close_matches(str(needed), map(str, tasks), 1)
    cure = f"; did you mean {near[0]!r}?" if near else ""
    return f"task {tid!r} requires {needed!r}, which was not added{cure}"


def _listed(problems: Iterable[str]) -> str:
    listed = list(problems)
    more = [f"... and {len(listed) - NAMED} more"] if len(listed) > NAMED else []
    return "; ".join([*listed[:NAMED], *more])
