"""What was being done when a connection is lost is done once, whether it was kept or not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import exc
from sqlalchemy.orm import Session

from dlg.support.database import Database
from dlg_engine.tasks.errors import DatabaseUnavailableError
from dlg_engine.tasks.patience import Patience
from dlg_engine.tasks.registering import NewTask
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.working import TaskWorker
from tests.dlg_engine.tasks.databases import opened

Handler = Callable[[TaskExecutionAttempt], None]


def lost() -> exc.OperationalError:
    """Return what SQLAlchemy says when a connection is lost."""
    return exc.OperationalError("COMMIT", {}, Exception("gone"), connection_invalidated=True)


@contextmanager
def losing(
    database: Database, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> Iterator[list[bool]]:
    """Lose the connection in each second transaction, before or after it is kept."""
    real, count = database.transaction, 0
    lost_ones: list[bool] = []

    @contextmanager
    def transaction() -> Iterator[Session]:
        nonlocal count
        count += 1
        if count % 2:
            with real() as session:
                yield session
                if not kept:
                    lost_ones.append(kept)
                    raise lost()
            lost_ones.append(kept)
            raise lost()
        with real() as session:
            yield session

    monkeypatch.setattr(database, "transaction", transaction)
    yield lost_ones
    monkeypatch.undo()


def _ran(tasks: TaskDatabaseConnection, number: int) -> list[str]:
    found = tasks.task_lookup(number)
    assert found is not None
    every = {**found.execution_attempts_passed, **found.execution_attempts_incomplete}
    return [str(number) for number in sorted(every)]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("is_judged", [True, False])
def test_a_worker_does_all_once_whose_commits_are_not_answered(
    kept: bool, is_judged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int | None] = []
    judged: list[int | None] = []
    with opened("sqlite", tmp_path) as tasks:
        numbers = tasks.tasks_register([NewTask(task_type="null") for _ in range(5)])
        with (
            TaskQueueSQL(tasks.database) as queue,
            TaskScheduler(tasks=tasks, queue=queue) as scheduler,
        ):

            def judge(attempt: TaskExecutionAttempt) -> None:
                judged.append(attempt.task_id)

            with losing(tasks.database, monkeypatch, kept) as lost_ones:
                scheduler.turn()
                worker = TaskWorker(
                    tasks,
                    queue,
                    {"null": lambda attempt: ran.append(attempt.task_id)},
                    {"null": judge} if is_judged else None,
                )
                worker.run_until_empty()
                worker.close()
            assert len(lost_ones) > 5
        assert sorted(map(int, filter(None, ran))) == sorted(numbers)
        assert sorted(map(int, filter(None, judged))) == (sorted(numbers) if is_judged else [])
        assert all(len(_ran(tasks, number)) == 1 for number in numbers)


def test_an_attempt_that_lost_its_database_is_made_again_at_no_cost(tmp_path: Path) -> None:
    ran = []

    def cut_off(attempt: TaskExecutionAttempt) -> None:
        ran.append(attempt.attempt_id)
        if len(ran) == 1:
            raise ValueError("no answer") from lost()

    with opened("sqlite", tmp_path) as tasks:
        tasks.task_register(task_type="null")
        with (
            TaskQueueSQL(tasks.database) as queue,
            TaskScheduler(tasks=tasks, queue=queue) as scheduler,
        ):
            scheduler.turn()
            worker = TaskWorker(tasks, queue, {"null": cut_off})
            worker.run_until_empty()
            worker.close()
        assert len(ran) == 2


def test_patience_ends_when_it_is_over_and_when_one_is_told_to_stop() -> None:
    def fail() -> None:
        raise lost()

    stop = threading.Event()
    stop.set()
    for patience in (Patience(0.0), Patience(1000.0, stop)):
        with pytest.raises(DatabaseUnavailableError, match="start it, and then this again"):
            patience.repeated(fail)
