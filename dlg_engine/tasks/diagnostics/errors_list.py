"""What has gone wrong, and how often: failures grouped by their messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import select

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import looking, of_tasks, with_tasks
from dlg_engine.tasks.states import AttemptState, TaskState

_attempt, _task, _type = schema.attempt, schema.task, schema.task_type
BAD = (AttemptState.FAILED, AttemptState.LOST, AttemptState.REJECTED)
REFUSED = "refused by quality control"
"""What is said of attempts without an error whose products were refused."""
NO_TEXT = "failed without a message"
MOST_TASKS = 20
"""How many tasks are named of each group."""
_ROWS = 2000


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Attempts that have failed with the same message."""

    message: str
    """The last line of the error: that which has the kind of the error."""
    attempts: int
    tasks: int
    """How many tasks these are attempts of."""
    open_tasks: int
    """Tasks among them that have not been done by another attempt."""
    task_types: tuple[str, ...]
    task_ids: tuple[int, ...]
    """Some of the tasks, newest first."""
    first: float | None
    last: float | None
    """When the first and the last of them ended."""
    example_attempt: int
    """The newest of them."""
    traceback: str
    """Its whole text."""


@dataclass(slots=True)
class _Group:
    example: int
    text: str
    attempts: int = 0
    types: set[str] = field(default_factory=set)
    tasks: dict[int, None] = field(default_factory=dict)  # a set that keeps the order
    open_tasks: set[int] = field(default_factory=set)
    times: list[float] = field(default_factory=list)


def fetch_errors(
    job_name: str | None = None,
    task_type: str | None = None,
    *,
    namespace: str | None = None,
    database: Database | None = None,
) -> tuple[ErrorGroup, ...]:
    """Return what has gone wrong, the most frequent first; each attempt is read once."""
    query = (
        with_tasks(
            select(
                _attempt.c.id, _attempt.c.state, _attempt.c.ended, _attempt.c.error_text,
                _task.c.id.label("task_id"), _task.c.state.label("task_state"), _type.c.name,
            )
        )
        .where(
            _attempt.c.state.in_([state.value for state in BAD]),
            *of_tasks(job_name, task_type, namespace),
        )
        .order_by(_attempt.c.id.desc())
        .execution_options(yield_per=_ROWS)
    )  # fmt: skip
    groups: dict[str, _Group] = {}
    with looking(database) as session:
        for number, state, ended, text, task_id, task_state, kind in session.execute(query):
            message = message_of(text, state)
            group = groups.setdefault(message, _Group(number, text or message))
            group.attempts += 1
            group.types.add(kind)
            group.tasks[task_id] = None
            if task_state != TaskState.DONE.value:
                group.open_tasks.add(task_id)
            if ended is not None:
                group.times = [min([ended, *group.times]), max([ended, *group.times])]
    made = [_finished(message, group) for message, group in groups.items()]
    return tuple(sorted(made, key=lambda one: (-one.attempts, -one.example_attempt)))


def message_of(text: str | None, state: str = AttemptState.FAILED.value) -> str:
    """Return the line of an error that says what it is: the last one of a traceback."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    if lines:
        return lines[-1]
    return REFUSED if state == AttemptState.REJECTED.value else NO_TEXT


def _finished(message: str, group: _Group) -> ErrorGroup:
    return ErrorGroup(
        message=message,
        attempts=group.attempts,
        tasks=len(group.tasks),
        open_tasks=len(group.open_tasks),
        task_types=tuple(sorted(group.types)),
        task_ids=tuple(islice(group.tasks, MOST_TASKS)),
        first=group.times[0] if group.times else None,
        last=group.times[-1] if group.times else None,
        example_attempt=group.example,
        traceback=group.text,
    )
