"""Another attempt for tasks that have failed: the one thing that pages change."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.pages.scope import Scope
from dlg_engine.tasks.progress import is_ready, reset_tasks
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.scheduling import Published, make_attempts, mark_published
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.statements import chunks, repeated
from dlg_engine.tasks.states import TaskState
from dlg_engine.tasks.task_database import TaskDatabaseConnection

MOST = 1000
"""How many tasks are taken up again at once."""
_task = schema.task


def retry_task(tasks: TaskDatabaseConnection, queue: TaskQueue, task_id: int) -> None:
    """Give a failed task one more attempt, and let those behind it wait again.

    Raises NoSuchEntryError if there is no such task, TaskSystemError if it has not failed.
    """

    def reset() -> list[Published]:
        with tasks.transaction() as session:
            query = select(_task.c.state).where(_task.c.id == task_id).with_for_update()
            state = session.scalar(query)
            if state is None:
                raise NoSuchEntryError("task", task_id)
            if state != TaskState.FAILED.value:
                hint = "; it waits for tasks before it" if state == "blocked" else ""
                raise TaskSystemError(f"task {task_id} is {state}, it has not failed{hint}")
            return _again(session, [task_id], isinstance(queue, TaskQueueSQL))

    _publish(tasks, queue, repeated(reset))


def retry_failed(tasks: TaskDatabaseConnection, queue: TaskQueue, scope: Scope) -> int:
    """Give the failed tasks of a job, or all, one more attempt; return how many (up to `MOST`)."""
    count = 0

    def reset() -> list[Published]:
        nonlocal count
        with tasks.transaction() as session:
            failed = _task.c.state == TaskState.FAILED.value
            query = select(_task.c.id).where(failed, *scope.clauses()).order_by(_task.c.id)
            numbers = list(session.scalars(query.limit(MOST).with_for_update()))
            count = len(numbers)
            return _again(session, numbers, isinstance(queue, TaskQueueSQL))

    _publish(tasks, queue, repeated(reset))
    return count


def _again(session: Session, numbers: Sequence[int], into_database: bool) -> list[Published]:
    reset_tasks(session, numbers, 1)
    made: list[Published] = []
    for chunk in chunks(numbers):
        query = select(_task.c.id, _task.c.type_id).where(_task.c.id.in_(chunk), is_ready())
        rows = [(row.id, row.type_id) for row in session.execute(query.order_by(_task.c.id))]
        made += make_attempts(session, rows, into_database)
    return made


def _publish(
    tasks: TaskDatabaseConnection, queue: TaskQueue, made: Sequence[Published]
) -> None:  # fmt: skip
    if not made:
        return
    if isinstance(queue, TaskQueueSQL):
        queue.ring()
        return
    for each in made:  # a scheduler publishes what we cannot
        queue.queue_publish(each.queue, each.attempt_id)
    with tasks.transaction() as session:
        mark_published(session, [each.attempt_id for each in made])
