"""What has failed for good is tried again, and what waits is given up; on each engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from dlg_engine.tasks import schema
from dlg_engine.tasks.dead_letters import PURGED, purge, retry_failed, retry_tasks
from dlg_engine.tasks.diagnostics.looking import of_tasks
from dlg_engine.tasks.diagnostics.queue_list import fetch_dead_letters
from dlg_engine.tasks.diagnostics.task_list import fetch_tasks
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.registering import NewTask, Ref
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.worker_pool import lose_attempts

Tasks = TaskDatabaseConnection


@pytest.fixture
def queue(tasks: Tasks) -> Iterator[TaskQueueSQL]:
    """Queues with a `make`, for which a `search` waits, and two `null`."""
    tasks.tasks_register(
        [
            NewTask(task_type="make", outputs={"lc": "a"}, job_name="night"),
            NewTask(task_type="search", inputs={"lc": (Ref(0), "lc")}, job_name="night"),
            NewTask(task_type="null"),
            NewTask(task_type="null"),
        ]
    )
    with TaskQueueSQL(tasks.database) as queue, TaskScheduler(tasks=tasks, queue=queue) as one:
        one.turn()
        yield queue


def states(tasks: Tasks) -> list[str]:
    return [row.state for row in fetch_tasks(database=tasks.database)]


def test_what_waits_in_a_queue_is_given_up_with_what_is_behind_it(
    tasks: Tasks, queue: TaskQueueSQL
) -> None:
    assert purge(tasks, "make") == 1
    assert purge(tasks, "make") == 0
    assert states(tasks) == ["failed", "blocked", "active", "active"]
    assert queue.queue_length("make") == 0
    assert queue.queue_length("null") == 2
    (letter,) = fetch_dead_letters(database=tasks.database)
    assert letter.message == PURGED


def test_what_was_given_up_can_be_tried_again(tasks: Tasks, queue: TaskQueueSQL) -> None:
    purge(tasks, "make")
    (failed,) = fetch_dead_letters(database=tasks.database)
    retry_tasks(tasks, queue, [failed.task_id])
    assert states(tasks) == ["active", "waiting", "active", "active"]
    assert queue.queue_length("make") == 1


def test_all_failed_tasks_of_a_kind_are_tried_again(tasks: Tasks, queue: TaskQueueSQL) -> None:
    purge(tasks, "make")
    purge(tasks, "null")
    assert retry_failed(tasks, queue, of_tasks("night")) == 1
    assert retry_failed(tasks, queue, of_tasks(None, "null"), tries=3) == 2
    assert retry_failed(tasks, queue) == 0
    assert [row.tries for row in fetch_tasks(task_type="null", database=tasks.database)] == [4, 4]


def test_of_several_tasks_all_must_have_failed(tasks: Tasks, queue: TaskQueueSQL) -> None:
    purge(tasks, "make")
    numbers = [row.task_id for row in fetch_tasks(database=tasks.database)]
    with pytest.raises(TaskSystemError, match="is blocked, it has not failed; it waits for tasks"):
        retry_tasks(tasks, queue, numbers[:2])
    with pytest.raises(NoSuchEntryError, match="there is no task 999"):
        retry_tasks(tasks, queue, [numbers[0], 999])
    assert states(tasks)[0] == "failed"


def test_a_task_with_another_attempt_under_way_is_not_given_up(
    tasks: Tasks, queue: TaskQueueSQL
) -> None:
    number = fetch_tasks(task_type="make", database=tasks.database)[0].task_id
    attempt = tasks.execution_attempt_register(number)
    tasks.execution_attempt_update(attempt, is_running=True)
    assert purge(tasks, "make") == 1
    assert states(tasks)[:2] == ["active", "waiting"]
    assert queue.queue_length("make") == 0


def test_attempts_of_a_dead_worker_are_lost_and_those_of_others_are_not(
    tasks: Tasks, queue: TaskQueueSQL
) -> None:
    del queue
    attempts = [
        tasks.execution_attempt_register(row.task_id)
        for row in fetch_tasks(task_type="null", database=tasks.database)
    ]
    for attempt, worker in zip(attempts, ("dead", "alive"), strict=True):
        tasks.execution_attempt_update(attempt, is_running=True)
        _hold(tasks, attempt, worker)
    assert lose_attempts(tasks, "dead") == attempts[:1]
    assert lose_attempts(tasks, "dead") == []
    found = [tasks.execution_attempt_lookup(attempt) for attempt in attempts]
    assert [one.state for one in found if one is not None] == ["lost", "running"]


def _hold(tasks: Tasks, attempt: int, worker: str) -> None:
    with tasks.database.transaction() as session:
        mine = update(schema.attempt).where(schema.attempt.c.id == attempt)
        session.execute(mine.values(worker=worker))
