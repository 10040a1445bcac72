"""Scheduling and working: from registered tasks to judged products."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from dlg.support.clock import ManualClock, replaced
from dlg_engine.tasks import scheduling, schema
from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.memory_queue import TaskQueueMemory
from dlg_engine.tasks.registering import NewTask, Ref
from dlg_engine.tasks.selection import InState, NoAttempt
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.states import AttemptState
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.temporary_directory import TemporaryDirectory
from dlg_engine.tasks.working import TaskWorker

Tasks = TaskDatabaseConnection
WAIT_S = 60.0


class Plant:
    """A database with a scheduler and a worker that makes files, reads them, or fails."""

    def __init__(self, tasks: Tasks, tmp_path: Path, queue: object = None) -> None:
        self.tasks, self.tmp_path = tasks, tmp_path
        self.queue = queue or TaskQueueSQL(tasks.database)
        self.scheduler = TaskScheduler(tasks=tasks, queue=self.queue)  # type: ignore[arg-type]
        self.failing: set[str] = set()
        self.ran: list[str] = []
        handlers: dict[str, Callable[[TaskExecutionAttempt], None]] = {
            "null": self.note,
            "make": self.make,
            "search": self.search,
        }
        self.worker = TaskWorker(tasks, self.queue, handlers)  # type: ignore[arg-type]

    def close(self) -> None:
        self.worker.close()
        self.scheduler.close()
        self.queue.close()  # type: ignore[attr-defined]

    def note(self, attempt: TaskExecutionAttempt) -> None:
        assert attempt.task_object is not None
        name = str(attempt.task_object.task_name)
        self.ran.append(name)
        if name in self.failing:
            raise ValueError(f"{name} cannot be done")

    def make(self, attempt: TaskExecutionAttempt) -> None:
        self.note(attempt)
        (self.tmp_path / "out").write_text(f"made by {self.ran[-1]}")
        self.tasks.execution_attempt_register_output(attempt, "lc", self.tmp_path / "out", {})

    def search(self, attempt: TaskExecutionAttempt) -> None:
        self.note(attempt)
        assert attempt.task_object is not None
        with TemporaryDirectory(self.tmp_path) as work:
            path, _ = self.tasks.task_open_file_input(attempt.task_object, "lc", work)
            found = {"read": Path(path).read_text()}
        self.tasks.execution_attempt_update(attempt.attempt_id, metadata=found)

    def states(self) -> list[str]:
        table = schema.task
        with self.tasks.database.reading() as session:
            return list(session.scalars(select(table.c.state).order_by(table.c.id)))


@pytest.fixture
def plant(tasks: Tasks, tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tasks, tmp_path)
    yield made
    made.close()


def diamond() -> list[NewTask]:
    """Return a task that makes a file, two that read it, and one that wants their metadata."""
    readers = [
        NewTask(task_type="search", task_name=name, inputs={"lc": (Ref(0), "lc")})
        for name in ("left", "right")
    ]
    last = NewTask(task_type="null", task_name="last", input_metadata=[Ref(1), Ref(2)])
    first = NewTask(task_type="make", task_name="first", outputs={"lc": "a.lc"})
    return [first, *readers, last]


def test_a_failure_told_in_characters_that_cannot_be_kept_is_noted(plant: Plant) -> None:
    plant.tasks.task_register(task_type="null", task_name="night")
    plant.scheduler.turn()

    def fail(attempt: TaskExecutionAttempt) -> None:
        raise ValueError("night\0\udcff.fits cannot be read")

    worker = TaskWorker(plant.tasks, plant.queue, {"null": fail})  # type: ignore[arg-type]
    assert worker.run_until_empty() == 1
    worker.close()
    assert plant.states() == ["failed"]
    with plant.tasks.database.reading() as session:
        told = session.scalar(select(schema.attempt.c.error_text))
    assert "night\ufffd\ufffd.fits cannot be read" in str(told)


def test_tasks_run_when_what_they_need_is_there(plant: Plant) -> None:
    numbers = plant.tasks.tasks_register(diamond())
    assert plant.scheduler.schedule_all_waiting_jobs() == 1
    assert plant.worker.run_until_empty() == 4
    assert plant.ran[0] == "first"
    assert sorted(plant.ran[1:3]) == ["left", "right"]
    assert plant.ran[3] == "last"
    assert plant.states() == ["done"] * 4
    inputs = plant.tasks.task_fetch_metadata_inputs(numbers[3])
    assert inputs["left"]["read"].value == "made by first"
    (attempt,) = plant.tasks.task_fetch_execution_attempts(numbers[0]).values()
    assert attempt.state == "passed"
    assert attempt.all_products_passed_qc is True
    assert attempt.run_time_wall_clock is not None
    assert attempt.end_time is not None


def test_a_failure_blocks_what_is_behind_it_and_a_retry_frees_it(plant: Plant) -> None:
    first, *_ = plant.tasks.tasks_register(diamond())
    plant.failing = {"first"}
    plant.scheduler.turn()
    plant.worker.run_until_empty()
    assert plant.states() == ["failed", "blocked", "blocked", "blocked"]
    (attempt,) = plant.tasks.task_fetch_execution_attempts(first).values()
    assert attempt.error_fail
    assert "ValueError: first cannot be done" in str(attempt.error_text)
    assert plant.scheduler.schedule_all_waiting_jobs() == 0
    with pytest.raises(TaskSystemError, match="blocked"):
        plant.scheduler.schedule_a_task(first + 1)
    plant.failing = set()
    assert plant.scheduler.reschedule_all_unfinished_jobs() == 1
    assert plant.worker.run_until_empty() == 4
    assert plant.states() == ["done"] * 4
    assert len(plant.tasks.task_fetch_execution_attempts(first)) == 2


def test_a_task_is_tried_as_often_as_it_may(plant: Plant) -> None:
    number = plant.tasks.task_register(task_type="null", task_name="bad", tries=3)
    plant.failing = {"bad"}
    plant.scheduler.turn()
    assert plant.worker.run_until_empty() == 3
    assert plant.states() == ["failed"]
    assert len(plant.tasks.task_fetch_execution_attempts(number, successful=False)) == 3


def test_pauses_between_attempts_grow(lite: Tasks, tmp_path: Path) -> None:
    with replaced(ManualClock(1000.0)) as clock:
        plant = Plant(lite, tmp_path)
        lite.task_register(task_type="null", task_name="bad", tries=3, pause_s=10.0)
        plant.failing = {"bad"}
        done = []
        for pause in (0.0, 9.0, 1.5, 18.0, 2.5):
            clock.sleep(pause)
            plant.scheduler.turn()
            done.append(plant.worker.run_until_empty())
        assert done == [1, 0, 1, 0, 1]
        plant.close()


def test_what_is_queued_or_running_is_not_scheduled_again(plant: Plant) -> None:
    plant.tasks.tasks_register([NewTask(task_type="null"), NewTask(task_type="null")])
    assert plant.scheduler.schedule_all_waiting_jobs() == 2
    assert plant.scheduler.reschedule_all_unfinished_jobs() == 0
    assert plant.scheduler.schedule_all_waiting_jobs() == 0
    assert plant.scheduler.turn() == 0
    assert plant.queue.queue_length("null") == 2  # type: ignore[attr-defined]


def test_tasks_are_selected_by_objects_and_never_by_text(plant: Plant) -> None:
    plant.tasks.task_register(task_type="null", task_name="a")
    with pytest.raises(TaskSystemError, match="text of a query is not taken"):
        plant.scheduler.schedule_jobs_based_on_criterion("1) OR 1=1 --")  # type: ignore[arg-type]
    passed, queued = InState((AttemptState.PASSED,)), InState((AttemptState.QUEUED,))
    assert plant.scheduler.schedule_jobs_based_on_criterion(passed | queued) == 1
    assert plant.scheduler.schedule_jobs_based_on_criterion(passed | queued) == 0
    assert plant.scheduler.schedule_jobs_based_on_criterion(queued & ~passed) == 0
    assert plant.scheduler.schedule_jobs_based_on_criterion(~NoAttempt() & passed) == 1


def test_a_task_that_is_not_whole_is_not_scheduled(plant: Plant) -> None:
    number = plant.tasks.task_register(task_type="null", fully_configured=False)
    assert plant.scheduler.schedule_all_waiting_jobs() == 0
    plant.tasks.task_set_configured(number)
    assert plant.scheduler.schedule_all_waiting_jobs() == 1


def test_a_judge_decides_what_others_may_read(tasks: Tasks, tmp_path: Path) -> None:
    plant = Plant(tasks, tmp_path)

    def judge(attempt: TaskExecutionAttempt) -> None:
        for version in attempt.output_files.values():
            number = int(version.product_version_id or 0)
            tasks.file_version_update(number, passed_qc=False)

    tasks.tasks_register(diamond())
    worker = TaskWorker(tasks, plant.queue, {"make": plant.make}, {"make": judge})  # type: ignore[arg-type]
    plant.scheduler.turn()
    worker.run_until_empty()
    worker.close()
    assert plant.states() == ["failed", "blocked", "blocked", "blocked"]
    plant.close()


def test_what_nobody_has_judged_is_seen(tasks: Tasks, tmp_path: Path) -> None:
    plant = Plant(tasks, tmp_path)
    first, *_ = tasks.tasks_register(diamond())
    worker = TaskWorker(tasks, plant.queue, {"make": plant.make}, {"make": None})  # type: ignore[arg-type]
    plant.scheduler.turn()
    worker.run_until_empty()
    worker.close()
    (attempt,) = tasks.task_fetch_execution_attempts(first).values()
    assert (attempt.state, attempt.all_products_passed_qc) == ("judging", None)
    version = attempt.output_files["lc"]
    tasks.file_version_update(int(version.product_version_id or 0), passed_qc=True)
    assert plant.scheduler.turn() == 2
    plant.worker.run_until_empty()
    assert plant.states() == ["done"] * 4
    plant.close()


def test_an_attempt_whose_worker_is_lost_is_made_again(
    lite: Tasks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with replaced(ManualClock(1000.0)) as clock:
        plant = Plant(lite, tmp_path)
        number = lite.task_register(task_type="null", task_name="a")
        plant.scheduler.turn()
        dead = TaskWorker(lite, plant.queue, {"null": plant.note}, cadence_s=60.0)  # type: ignore[arg-type]
        assert dead._exchange(1).deliveries == 1
        clock.sleep(299.0)
        assert plant.scheduler.turn() == 0
        clock.sleep(2.0)
        assert plant.scheduler.turn() == 1
        dead._run(dead._hand.waiting.popleft())
        dead._exchange(0)
        assert "attempt 1 was taken away" in caplog.text
        assert plant.worker.run_until_empty() == 1
        states = [a.state for a in lite.task_fetch_execution_attempts(number).values()]
        assert states == ["lost", "passed"]
        dead.close()
        plant.close()


def test_a_number_that_is_delivered_twice_has_its_effect_once(lite: Tasks, tmp_path: Path) -> None:
    queue = TaskQueueMemory()
    plant = Plant(lite, tmp_path, queue)
    lite.task_register(task_type="null", task_name="a")
    assert plant.scheduler.turn() == 1
    queue.queue_publish("null", 1)
    queue.queue_publish("null", 1)
    assert plant.worker.run_until_empty() == 3
    assert plant.ran == ["a"]
    plant.close()


def test_what_was_committed_and_not_published_is_published_later(
    lite: Tasks, tmp_path: Path
) -> None:
    queue = TaskQueueMemory()
    plant = Plant(lite, tmp_path, queue)
    lite.task_register(task_type="null", task_name="a")
    plant.scheduler._schedule_due()  # and then it died
    assert queue.queue_length("null") == 0
    assert plant.scheduler.turn() == 1
    assert plant.worker.run_until_empty() == 1
    assert plant.states() == ["done"]
    plant.close()


def test_a_worker_that_waits_is_woken(tasks: Tasks, tmp_path: Path) -> None:
    plant, stop = Plant(tasks, tmp_path), threading.Event()
    with TaskDatabaseConnection(tmp_path / "store", tasks.database) as own:
        queue = TaskQueueSQL(tasks.database)
        worker = TaskWorker(own, queue, {"null": lambda _attempt: stop.set()})
        thread = threading.Thread(target=worker.run, args=[stop])
        thread.start()
        tasks.task_register(task_type="null", task_name="a")
        assert plant.scheduler.turn() == 1
        thread.join(WAIT_S)
        assert not thread.is_alive()
        worker.close()
        queue.close()
    assert plant.states() == ["done"]
    plant.close()


def test_a_failure_blocks_each_task_behind_it_once(lite: Tasks, tmp_path: Path) -> None:
    plant = Plant(lite, tmp_path)
    width, layers = 3, 30
    new = [NewTask(task_type="null", task_name="root")]
    above = [0]
    for _ in range(layers):
        here = list(range(len(new), len(new) + width))
        wanted = [Ref(place) for place in above]
        new += [NewTask(task_type="null", input_metadata=wanted) for _ in here]
        above = here
    lite.tasks_register(new)
    plant.failing = {"root"}
    plant.scheduler.turn()
    assert plant.worker.run_until_empty() == 1
    assert plant.states() == ["failed"] + ["blocked"] * (width * layers)
    plant.close()


def test_queries_of_the_scheduler_use_indices(lite: Tasks) -> None:
    from sqlalchemy import text

    from dlg_engine.tasks.progress import is_due, is_ready

    task, attempt = schema.task, schema.attempt
    queries = {
        "ready": select(task.c.id, task.c.type_id).where(is_ready()).limit(10),
        "due": select(task.c.id, task.c.type_id).where(is_due(5.0)).limit(10),
        "to be scheduled": scheduling.READY.params(most=10),
        "to be repeated": scheduling.AGAIN.params(now=5.0, most=10),
        "lost": select(attempt.c.id).where(
            attempt.c.state.in_(["running", "judging"]), attempt.c.lease_until < 5.0
        ),
        "of a task": select(func.count()).where(attempt.c.task_id == 1),
    }
    with lite.database.engine.connect() as connection:
        for name, query in queries.items():
            sql = query.compile(lite.database.engine, compile_kwargs={"literal_binds": True})
            plan = str(connection.execute(text(f"explain query plan {sql}")).all())
            assert "SEARCH" in plan, (name, plan)
            assert "SCAN" not in plan, (name, plan)


def test_of_many_last_attempts_that_fail_at_once_one_fails_the_task(tasks: Tasks) -> None:
    number = tasks.task_register(task_type="null")
    attempts = [tasks.execution_attempt_register(number) for _ in range(4)]
    for attempt in attempts:
        tasks.execution_attempt_update(attempt, is_queued=True)
        tasks.execution_attempt_update(attempt, is_running=True)
    together = threading.Barrier(len(attempts))

    def fail(attempt: int) -> None:
        with Tasks(tasks.file_store_path, str(tasks.database.engine.url)) as own:
            together.wait(WAIT_S)
            own.execution_attempt_update(attempt, error_fail=True)

    threads = [threading.Thread(target=fail, args=(attempt,)) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    with tasks.database.reading() as session:
        assert list(session.scalars(select(schema.task.c.state))) == ["failed"]
