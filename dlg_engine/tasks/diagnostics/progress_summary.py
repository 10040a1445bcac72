"""How far the tasks of each type are."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sqlalchemy import and_, case, func, select

from dlg.support import clock
from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import looking, of_tasks, with_tasks, with_types
from dlg_engine.tasks.progress import is_ready
from dlg_engine.tasks.states import UNFINISHED, AttemptState, TaskState

_task, _attempt, _type = schema.task, schema.attempt, schema.task_type


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTypeProgress:
    """How many tasks of a type stand how; each is counted once."""

    task_type: str
    waiting: int = 0
    """For what they need."""
    ready: int = 0
    """To be scheduled."""
    queued: int = 0
    running: int = 0
    stalled: int = 0
    """Their workers have not been heard of for too long."""
    judging: int = 0
    again: int = 0
    """To be repeated after a pause."""
    done: int = 0
    failed: int = 0
    blocked: int = 0

    @property
    def total(self) -> int:
        """Return how many tasks there are."""
        return sum(getattr(self, name) for name in COUNTS)

    @property
    def over(self) -> int:
        """Return of how many tasks nothing is to come."""
        return self.done + self.failed + self.blocked

    @property
    def under_way(self) -> int:
        """Return how many tasks are ready to go on, or do."""
        return self.total - self.over - self.waiting


COUNTS = tuple(field.name for field in fields(TaskTypeProgress) if field.name != "task_type")
"""The ways in which a task can stand, in their order."""


def fetch_progress_summary(
    job_name: str | None = None, *, namespace: str | None = None, database: Database | None = None
) -> tuple[TaskTypeProgress, ...]:
    """Return how far the tasks of each type are, of one job or of all, by the name of the type."""
    ready = func.sum(case((is_ready(), 1), else_=0))
    states = with_types(select(_type.c.name, _task.c.state, func.count(), ready))
    states = states.where(*of_tasks(job_name, namespace=namespace)).group_by(
        _type.c.name, _task.c.state
    )
    old = _attempt.c.lease_until < clock.now()
    stalled = case((and_(_attempt.c.state == AttemptState.RUNNING.value, old), 1), else_=0)
    under_way = with_tasks(
        select(_type.c.name, _attempt.c.state, stalled, func.count(_attempt.c.task_id.distinct()))
    ).where(
        _attempt.c.state.in_([state.value for state in UNFINISHED]),
        _task.c.state == TaskState.ACTIVE.value,
        *of_tasks(job_name, namespace=namespace),
    )
    counts: dict[str, dict[str, int]] = {}
    with looking(database) as session:
        for name, state, number, free in session.execute(states):
            _count_task(counts.setdefault(name, {}), state, int(number), int(free or 0))
        grouped = under_way.group_by(_type.c.name, _attempt.c.state, stalled)
        for name, state, old_one, number in session.execute(grouped):
            _count_attempt(counts[name], "stalled" if old_one else state, int(number))
    return tuple(TaskTypeProgress(task_type=name, **counts[name]) for name in sorted(counts))


def _count_task(found: dict[str, int], state: str, number: int, ready: int) -> None:
    if state == TaskState.ACTIVE.value:
        found["again"] = number  # those with an attempt under way are taken off
        return
    found[state] = number - ready
    if ready:
        found["ready"] = ready


def _count_attempt(found: dict[str, int], state: str, number: int) -> None:
    key = "queued" if state == AttemptState.REGISTERED.value else state
    taken = min(
        number, found.get("again", 0)
    )  # a task may have two, one of them registered by hand
    found["again"] = found.get("again", 0) - taken
    found[key] = found.get(key, 0) + taken


def joined(rows: tuple[TaskTypeProgress, ...], name: str = "all") -> TaskTypeProgress:
    """Return the sums of several types."""
    return TaskTypeProgress(
        task_type=name, **{key: sum(getattr(row, key) for row in rows) for key in COUNTS}
    )
