"""Another attempt for tasks that have failed: the one thing that pages change."""

from __future__ import annotations

from sqlalchemy import select

from dlg_engine.tasks import schema
from dlg_engine.tasks.dead_letters import retry_failed
from dlg_engine.tasks.pages.scope import Scope
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.states import TaskState
from dlg_engine.tasks.task_database import TaskDatabaseConnection

MOST = 1000
"""How many tasks are taken up again at once: somebody waits for the answer."""


def retry_some(tasks: TaskDatabaseConnection, queue: TaskQueue, scope: Scope) -> int:
    """Give failed tasks of a job, or of all, one more attempt; return how many (up to `MOST`)."""
    table, conditions = schema.task, scope.clauses()
    failed = select(table.c.id).where(table.c.state == TaskState.FAILED.value, *conditions)
    with tasks.database.reading() as session:
        last = session.scalar(failed.order_by(table.c.id).offset(MOST - 1).limit(1))
    if last is not None:
        conditions.append(table.c.id <= last)
    return retry_failed(tasks, queue, conditions)
