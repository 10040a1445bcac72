"""Trying failed tasks again, with queues that are not in the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg_engine.tasks.memory_queue import TaskQueueMemory
from dlg_engine.tasks.pages import retrying
from dlg_engine.tasks.pages.retrying import retry_some
from dlg_engine.tasks.pages.scope import Scope
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.dlg_engine.tasks.databases import opened
from tests.dlg_engine.tasks.night import Night


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


def test_only_failed_tasks_of_the_job_that_is_meant_are_tried_again(night: Night) -> None:
    queue = TaskQueueMemory()
    assert retry_some(night.tasks, queue, Scope("another")) == 0
    failed = _failed(night.tasks, range(1, 13))
    assert retry_some(night.tasks, queue, Scope("transits", "run 1")) == len(failed) > 1
    assert len(queue.queue_fetch_list("make")) == 1
    assert retry_some(night.tasks, queue, Scope()) == 0


def test_many_failed_tasks_are_tried_again_some_at_a_time(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "MOST", 1)
    failed = _failed(night.tasks, range(1, 13))
    queue = TaskQueueMemory()
    for number in range(len(failed)):
        assert retry_some(night.tasks, queue, Scope()) == 1
        assert _failed(night.tasks, range(1, 13)) == failed[number + 1 :]
    assert retry_some(night.tasks, queue, Scope()) == 0
