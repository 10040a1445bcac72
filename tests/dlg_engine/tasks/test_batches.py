"""Workers that have several attempts in their hands, and bells that wake them."""

from __future__ import annotations

import select as select_module
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, select

from dlg.support.database import Database
from dlg_engine.tasks import bells, schema
from dlg_engine.tasks.claims import Claim, Taker, claimed, put_back
from dlg_engine.tasks.memory_queue import MemoryQueues, TaskQueueMemory
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.registering import NewTask, Ref
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.working import TaskWorker
from tests.dlg_engine.tasks.databases import ENGINES, empty_database

Tasks = TaskDatabaseConnection
WAIT_S = 60.0


def nothing(_attempt: TaskExecutionAttempt) -> None:
    """Do nothing."""


def schedule(tasks: Tasks, new: list[NewTask], queue: TaskQueue | None = None) -> TaskQueue:
    """Register tasks, put them into a queue and return that."""
    found = TaskQueueSQL(tasks.database) if queue is None else queue
    tasks.tasks_register(new)
    with TaskScheduler(tasks=tasks, queue=found) as scheduler:
        scheduler.turn()
    return found


def states(tasks: Tasks) -> list[str]:
    table = schema.attempt
    with tasks.database.reading() as session:
        return list(session.scalars(select(table.c.state).order_by(table.c.id)))


def take(tasks: Tasks, most: int) -> list[Claim]:
    with tasks.database.transaction() as session:
        deliveries = TaskQueueSQL.take_within(session, ["null"], most)
        return claimed(session, deliveries, Taker("me", 60.0))


def test_what_is_given_back_is_where_it_was(tasks: Tasks) -> None:
    queue = schedule(tasks, [NewTask(task_type="null")] * 6)
    first, second, third = take(tasks, 3)
    with tasks.database.transaction() as session:
        assert put_back(session, [second, third], into_database=True) == [second, third]
    assert states(tasks) == ["running"] + ["queued"] * 5
    expected = [second.number, third.number, 4, 5, 6]
    assert queue.queue_fetch_list("null") == expected
    again = take(tasks, 3)
    assert [claim.number for claim in again] == expected[:3]
    assert first.number not in expected
    queue.close()


def test_what_is_not_in_our_hands_is_not_given_back(tasks: Tasks) -> None:
    schedule(tasks, [NewTask(task_type="null")] * 2)
    (claim,) = take(tasks, 1)
    with tasks.database.transaction() as session:
        put_back(session, [claim], into_database=True)
    assert [again.number for again in take(tasks, 1)] == [claim.number]
    with tasks.database.transaction() as session:
        assert put_back(session, [claim], into_database=True) == []
    assert states(tasks) == ["running", "queued"]


def test_of_the_last_ones_half_are_left_to_others(lite: Tasks) -> None:
    schedule(lite, [NewTask(task_type="null")] * 5)
    assert [len(take(lite, 32)) for _ in range(4)] == [3, 1, 1, 0]


def test_a_claim_has_all_that_a_lookup_shows(tasks: Tasks) -> None:
    maker = tasks.task_register(task_type="make", task_name="maker", metadata={"size": 3})
    product = tasks.file_product_register(maker, "d", "a.lc", "lc")
    new = NewTask(
        task_type="null",
        metadata={"a": [1, 2.5], "b": None},
        inputs={"lc": product},
        input_metadata=[maker],
        outputs={"txt": "b.txt"},
    )
    (number,) = tasks.tasks_register([new])
    attempt = tasks.execution_attempt_register(number, metadata={"seed": 7})
    tasks.execution_attempt_update(attempt, is_queued=True)
    with TaskQueueSQL(tasks.database) as queue:
        queue.queue_publish("null", attempt)
    (claim,) = take(tasks, 1)
    found = tasks.execution_attempt_lookup(attempt, embed_task_object=True)
    assert claim.attempt == found
    assert found is not None
    assert found.task_object is not None
    assert set(found.task_object.metadata) == {"a", "b"}
    assert set(found.task_object.input_files) == {"lc"}
    assert set(found.task_object.input_metadata) == {"maker"}
    assert set(found.task_object.output_files) == {"txt"}
    assert set(found.task_object.execution_attempts_incomplete) == {attempt}
    assert TaskExecutionAttempt.from_dict(claim.attempt.as_dict()) == claim.attempt


@pytest.mark.parametrize("kind", ["sql", "memory"])
def test_nothing_waits_for_an_attempt_that_takes_long(lite: Tasks, kind: str) -> None:
    shared = MemoryQueues()

    def connect(tasks: Tasks) -> TaskQueue:
        return TaskQueueSQL(tasks.database) if kind == "sql" else TaskQueueMemory(shared)

    queue = schedule(lite, [NewTask(task_type="null")] * 40, connect(lite))
    begun, go_on = threading.Event(), threading.Event()
    ran: list[int | None] = []

    def note(attempt: TaskExecutionAttempt) -> None:
        ran.append(attempt.task_id)
        if attempt.task_id == 10:  # by then it takes several at once
            begun.set()
            assert go_on.wait(WAIT_S)

    slow = TaskWorker(lite, queue, {"null": note}, name="slow")
    thread = threading.Thread(target=slow.run_until_empty)
    thread.start()
    assert begun.wait(WAIT_S)
    with Tasks(lite.file_store_path, lite.database) as own, connect(own) as other:
        quick = TaskWorker(own, other, {"null": note}, name="quick")
        stop = threading.Event()
        second = threading.Thread(target=quick.run, args=[stop])
        second.start()
        while states(lite).count("passed") < 39:
            other_bell(lite)
        stop.set()
        go_on.set()
        thread.join(WAIT_S)
        other.queue_publish("null", 0)  # wakes it, if it waits
        second.join(WAIT_S)
        quick.close()
    slow.close()
    queue.close()
    assert sorted(int(number or 0) for number in ran) == list(range(1, 41))
    assert states(lite) == ["passed"] * 40


def other_bell(tasks: Tasks) -> None:
    """Wait a moment for a change of the database."""
    bell = bells.bell_of(tasks.database)
    bell.listen()
    bell.wait(0.05)
    bell.close()


def test_a_worker_that_is_closed_gives_back_what_it_has_not_begun(tasks: Tasks) -> None:
    queue = schedule(tasks, [NewTask(task_type="null")] * 8)
    worker = TaskWorker(tasks, queue, {"null": nothing})
    assert worker._exchange(3).deliveries == 3
    assert states(tasks).count("running") == 3
    worker.close()
    assert states(tasks) == ["queued"] * 8
    assert queue.queue_fetch_list("null") == list(range(1, 9))
    queue.close()


def test_many_that_take_no_time_take_few_statements(lite: Tasks) -> None:
    count = 400
    queue = schedule(lite, [NewTask(task_type="null")] * count)
    made: list[str] = []
    engine = lite.database.engine
    event.listen(engine, "before_cursor_execute", lambda *args: made.append(str(args[2])))
    worker = TaskWorker(lite, queue, {"null": nothing})
    assert worker.run_until_empty() == count
    worker.close()
    queue.close()
    assert len(made) < 4 * count
    assert states(lite) == ["passed"] * count


def test_one_that_two_wait_for_frees_both_and_both_free_the_last(tasks: Tasks) -> None:
    new = [NewTask(task_type="null")]
    new += [NewTask(task_type="null", input_metadata=[Ref(0)]) for _ in range(20)]
    new += [NewTask(task_type="null", input_metadata=[Ref(n) for n in range(21)])]
    queue = schedule(tasks, new)
    order: list[int | None] = []
    worker = TaskWorker(tasks, queue, {"null": lambda attempt: order.append(attempt.task_id)})
    assert worker.run_until_empty() == 22
    worker.close()
    queue.close()
    assert (order[0], order[-1]) == (1, 22)
    assert states(tasks) == ["passed"] * 22


@pytest.fixture(params=ENGINES)
def same(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    with empty_database(request.param, tmp_path) as url:
        one, other = Database(url), Database(url)
        yield one, other
        one.close()
        other.close()


def test_a_bell_is_heard_on_the_same_host(same: tuple[Database, Database]) -> None:
    listening, ringing = (bells.bell_of(database) for database in same)
    listening.listen()
    listening.heard()
    with same[1].transaction() as session:
        bells.ring_within(session)
    ringing.ring()
    waiting = select_module.poll()
    waiting.register(listening._bell.listen(), select_module.POLLIN)
    assert waiting.poll(WAIT_S * 1000)
    listening.close()
    ringing.close()


def test_pipes_of_a_host_are_in_a_folder_of_ones_own(tmp_path: Path) -> None:
    folder = bells.own_folder(tmp_path)
    assert folder is not None
    assert folder.stat().st_mode & 0o077 == 0
    assert bells.own_folder(tmp_path) == folder
    folder.chmod(0o777)
    assert bells.own_folder(tmp_path) is None
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert bells.own_folder(tmp_path) is None
