"""What has failed for good, and what is to: tried again, or taken out of its queue."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.progress import block_behind, reset_tasks
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.statements import chunks, repeated
from dlg_engine.tasks.states import UNFINISHED, AttemptState, Event, TaskState, step
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskScheduler

MOST = 1000
"""How many attempts are taken out of a queue in one transaction."""
PURGED = "it was taken out of its queue"
_task, _type, _attempt, _item = schema.task, schema.task_type, schema.attempt, schema.queue_item


def retry_tasks(
    tasks: TaskDatabaseConnection, queue: TaskQueue, numbers: Sequence[int], tries: int = 1
) -> None:
    """Give failed tasks so many more attempts, and let what is behind them wait again.

    Raises NoSuchEntryError if there is no such task, TaskSystemError if one has not failed; then
    nothing is changed.
    """

    def reset() -> None:
        with tasks.transaction() as session:
            states: dict[int, str] = {}
            for chunk in chunks(numbers):
                query = select(_task.c.id, _task.c.state).where(_task.c.id.in_(chunk))
                states |= dict(session.execute(query.with_for_update()).all())
            for number in numbers:
                _need_failed(number, states.get(number))
            reset_tasks(session, numbers, tries)

    repeated(reset)
    _schedule(tasks, queue)


def _need_failed(number: int, state: str | None) -> None:
    if state is None:
        raise NoSuchEntryError("task", number)
    if state != TaskState.FAILED.value:
        hint = "; it waits for tasks before it" if state == TaskState.BLOCKED.value else ""
        raise TaskSystemError(f"task {number} is {state}, it has not failed{hint}")


def retry_failed(
    tasks: TaskDatabaseConnection,
    queue: TaskQueue,
    conditions: Sequence[ColumnElement[bool]] = (),
    tries: int = 1,
) -> int:
    """Do so with all failed tasks for which conditions hold; return how many there were."""

    def reset() -> int:
        with tasks.transaction() as session:
            query = select(_task.c.id).join(_type, _type.c.id == _task.c.type_id)
            query = query.where(_task.c.state == TaskState.FAILED.value, *conditions)
            numbers = list(session.scalars(query.order_by(_task.c.id)))
            reset_tasks(session, numbers, tries)
            return len(numbers)

    found = repeated(reset)
    _schedule(tasks, queue)
    return found


def _schedule(tasks: TaskDatabaseConnection, queue: TaskQueue) -> None:
    with TaskScheduler(tasks=tasks, queue=queue) as scheduler:
        scheduler.turn()


def purge(tasks: TaskDatabaseConnection, queue_name: str) -> int:
    """Give up all that waits in the queue of a type of tasks; return how many attempts.

    Their tasks have failed then, and can be tried again like others that have. What a broker
    still delivers is not run.
    """
    done = 0
    while made := repeated(lambda: _purge_some(tasks, queue_name)):
        done += made
    return done


def _purge_some(tasks: TaskDatabaseConnection, queue_name: str) -> int:
    queued = AttemptState.QUEUED
    query = (
        select(_attempt.c.id, _attempt.c.task_id)
        .join(_task, _task.c.id == _attempt.c.task_id)
        .join(_type, _type.c.id == _task.c.type_id)
        .where(_attempt.c.state == queued.value, _type.c.name == queue_name)
        .order_by(_attempt.c.id)
        .limit(MOST)
    )
    with tasks.transaction() as session:
        rows = session.execute(query.with_for_update()).all()
        attempts = [row.id for row in rows]
        values = {"state": step(queued, Event.CANCEL).value, "error_text": PURGED}
        for chunk in chunks(attempts):
            change = update(_attempt).where(_attempt.c.id.in_(chunk))
            session.execute(change.values(ended=clock.now(), **values))
            mine = (_item.c.queue == queue_name, _item.c.item_id.in_(chunk))
            session.execute(delete(_item).where(*mine))
        _give_up(session, sorted({row.task_id for row in rows}))
    return len(attempts)


def _give_up(session: Session, numbers: Sequence[int]) -> None:
    """Fail tasks of which no other attempt is under way, with all that is behind them."""
    under_way = [state.value for state in UNFINISHED]
    busy = select(_attempt.c.task_id).where(_attempt.c.state.in_(under_way))
    values = {"state": step(TaskState.ACTIVE, Event.FAIL).value, "not_before": None}
    for chunk in chunks(numbers):
        lost = set(chunk) - set(session.scalars(busy.where(_attempt.c.task_id.in_(chunk))))
        change = update(_task).where(
            _task.c.id.in_(sorted(lost)), _task.c.state == TaskState.ACTIVE.value
        )
        session.execute(change.values(values))
        block_behind(session, sorted(lost))
