"""Trying failed tasks again, with queues that are not in the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.memory_queue import TaskQueueMemory
from dlg_engine.tasks.pages.retrying import retry_failed, retry_task
from dlg_engine.tasks.pages.scope import Scope
from dlg_engine.tasks.scheduling import unpublished
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.dlg_engine.tasks.databases import opened
from tests.dlg_engine.tasks.night import BROKEN, Night


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with opened("sqlite", tmp_path) as tasks:
        found = Night(tasks, tmp_path / "made")
        found.submit(planets=5)
        found.work()
        yield found
        found.close()


def _failed(tasks: TaskDatabaseConnection, numbers: range) -> list[int]:
    found = {number: tasks.task_lookup(number) for number in numbers}
    return [number for number, task in found.items() if task and task.state == "failed"]


def test_new_attempts_get_into_the_queue_of_their_type_and_are_noted_as_published(
    night: Night,
) -> None:
    queue = TaskQueueMemory()
    (star,) = [n for n in _failed(night.tasks, range(1, 13)) if n == 2 + 2 * BROKEN]
    retry_task(night.tasks, queue, star)
    (attempt,) = queue.queue_fetch_list("make")
    found = night.tasks.execution_attempt_lookup(attempt)
    assert found is not None
    assert (found.task_id, found.state) == (star, "queued")
    with night.tasks.database.reading() as session:
        assert unpublished(session) == []


def test_only_failed_tasks_of_the_job_that_is_meant_are_tried_again(night: Night) -> None:
    queue = TaskQueueMemory()
    assert retry_failed(night.tasks, queue, Scope("another")) == 0
    failed = len(_failed(night.tasks, range(1, 13)))
    assert retry_failed(night.tasks, queue, Scope("transits", "run 1")) == failed > 1
    assert retry_failed(night.tasks, queue, Scope()) == 0


def test_a_task_that_is_not_there_or_has_not_failed_is_refused(night: Night) -> None:
    queue = TaskQueueMemory()
    with pytest.raises(NoSuchEntryError, match="no task 999"):
        retry_task(night.tasks, queue, 999)
    with pytest.raises(TaskSystemError, match="it waits for tasks before it"):
        retry_task(night.tasks, queue, 3 + 2 * BROKEN)
    assert queue.queue_length("make") == 0
