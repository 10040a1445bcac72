"""What is in a database of tasks, as people look at it; on each engine."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.errors_list import fetch_errors, message_of
from dlg_engine.tasks.diagnostics.log_list import fetch_logs
from dlg_engine.tasks.diagnostics.pass_fail_table import fetch_pass_fail_table
from dlg_engine.tasks.diagnostics.product_list import fetch_products
from dlg_engine.tasks.diagnostics.progress_summary import (
    TaskTypeProgress,
    fetch_progress_summary,
    joined,
)
from dlg_engine.tasks.diagnostics.queue_list import fetch_dead_letters, fetch_queues
from dlg_engine.tasks.diagnostics.render_task_tree import fetch_job_tree, fetch_running_job_tree
from dlg_engine.tasks.diagnostics.task_details import fetch_task
from dlg_engine.tasks.diagnostics.task_list import fetch_tasks
from dlg_engine.tasks.diagnostics.timings_table import fetch_timings_table, render_run_time
from dlg_engine.tasks.errors import NoSuchEntryError
from dlg_engine.tasks.logging_database import EasLoggingHandler
from dlg_engine.tasks.registering import NewTask, Ref
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.states import TaskState
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.working import TaskWorker
from tests.dlg_engine.tasks.databases import opened

Tasks = TaskDatabaseConnection


class Night:
    """A job whose second `make` fails, so that the `search` behind it is blocked.

    0 null, above all others; 1 and 2 make files; 3 searches that of 1, 4 that of 2. Another job
    has 5, which nobody has scheduled.
    """

    def __init__(self, tasks: Tasks, folder: Path) -> None:
        self.tasks, self.folder = tasks, folder
        one = NewTask(task_type="make", job_name="night", parent=Ref(0))
        self.numbers = tasks.tasks_register(
            [
                NewTask(task_type="null", job_name="night", task_name="all"),
                replace(one, outputs={"lc": "a"}, metadata={"size": 1}),
                replace(one, outputs={"lc": "b"}, metadata={"size": 2}),
                replace(one, task_type="search", inputs={"lc": (Ref(1), "lc")}),
                replace(one, task_type="search", inputs={"lc": (Ref(2), "lc")}),
                NewTask(task_type="null", job_name="day", configured=False),
            ]
        )

    def run(self) -> None:
        """Schedule all that there is, and work until nothing is left."""
        tasks = self.tasks
        queue = TaskQueueSQL(tasks.database)
        with TaskScheduler(tasks=tasks, queue=queue) as scheduler:
            scheduler.turn()
            worker = TaskWorker(
                tasks, queue, {"null": self.note, "make": self.make, "search": self.note},
                name="w1",
            )  # fmt: skip
            worker.run_until_empty()
            worker.close()
        queue.close()

    def note(self, attempt: TaskExecutionAttempt) -> None:
        self.tasks.execution_attempt_update(attempt.attempt_id, metadata={"found": True})

    def make(self, attempt: TaskExecutionAttempt) -> None:
        assert attempt.task_object is not None
        if attempt.task_object.metadata["size"].value == 2:
            raise ValueError("clouds")
        file = self.folder / "made"
        file.write_text("light")
        self.tasks.execution_attempt_register_output(attempt, "lc", file, {"stars": 3})


@pytest.fixture
def night(tasks: Tasks, tmp_path: Path) -> Night:
    made = Night(tasks, tmp_path)
    made.run()
    return made


def test_progress_counts_each_task_once(night: Night) -> None:
    found = fetch_progress_summary("night", database=night.tasks.database)
    assert found == (
        TaskTypeProgress(task_type="make", done=1, failed=1),
        TaskTypeProgress(task_type="null", done=1),
        TaskTypeProgress(task_type="search", done=1, blocked=1),
    )
    assert joined(found).over == joined(found).total == 5


def test_progress_tells_ready_queued_running_and_stalled_apart(tasks: Tasks) -> None:
    tasks.tasks_register([NewTask(task_type="null") for _ in range(5)])
    queue = TaskQueueSQL(tasks.database)
    with TaskScheduler(tasks=tasks, queue=queue) as scheduler:
        attempts = [
            scheduler.schedule_a_task(task.task_id)
            for task in fetch_tasks(most=4, database=tasks.database)
        ]
    tasks.execution_attempt_update(attempts[0], is_running=True)
    tasks.execution_attempt_update(attempts[1], is_running=True)
    with tasks.database.transaction() as session:
        late = update(schema.attempt).where(schema.attempt.c.id == attempts[1])
        session.execute(late.values(lease_until=1.0))
    (found,) = fetch_progress_summary(database=tasks.database)
    assert found == TaskTypeProgress(task_type="null", ready=1, queued=2, running=1, stalled=1)
    assert found.under_way == 5
    details = [
        fetch_task(row.task_id, database=tasks.database)
        for row in fetch_tasks(most=2, database=tasks.database)
    ]
    assert [one.attempts[0].attempt.is_stalled() for one in details] == [False, True]
    (row,) = [one for one in fetch_queues(database=tasks.database) if one.queue == "null"]
    assert (row.waiting, row.running, row.stalled) == (2, 2, 1)
    queue.close()


def test_failures_are_grouped_by_their_message(night: Night) -> None:
    (group,) = fetch_errors("night", database=night.tasks.database)
    assert group.message == "ValueError: clouds"
    assert group.attempts == group.open_tasks == 1
    assert group.task_types == ("make",)
    assert group.task_ids == (night.numbers[2],)
    assert group.traceback.startswith("Traceback")
    assert fetch_errors("night", "search", database=night.tasks.database) == ()


def test_a_rejected_attempt_is_told_as_refused(tasks: Tasks) -> None:
    number = tasks.task_register(task_type="null")
    attempt = tasks.execution_attempt_register(number)
    tasks.execution_attempt_update(attempt, is_running=True)
    tasks.execution_attempt_update(attempt, is_finished=True, all_products_passed_qc=False)
    (group,) = fetch_errors(database=tasks.database)
    assert group.message == "refused by quality control"


def test_what_failed_for_good_is_a_dead_letter(night: Night) -> None:
    (letter,) = fetch_dead_letters(database=night.tasks.database)
    assert (letter.task_id, letter.message) == (night.numbers[2], "ValueError: clouds")
    queues = {row.queue: row.dead for row in fetch_queues(database=night.tasks.database)}
    assert queues == {"make": 1, "null": 0, "search": 0}


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tasks]:
    with opened("sqlite", tmp_path_factory.mktemp("timed")) as tasks:
        tasks.task_register(task_type="null")
        yield tasks


@given(times=st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_ninety_five_of_a_hundred_do_not_exceed_p95(timed: Tasks, times: list[float]) -> None:
    row = {"task_id": 1, "state": "passed", "published": True, "error_fail": False}
    with timed.database.transaction() as session:
        session.execute(schema.attempt.delete())
        rows = [{**row, "wall_s": time, "cpu_s": time / 2} for time in times]
        session.execute(schema.attempt.insert(), rows)
    (found,) = fetch_timings_table(database=timed.database)
    below = sum(time <= found.wall.p95_s for time in times)
    assert below * 20 >= len(times) * 19
    assert found.wall.p95_s in times
    assert sum(time < found.wall.p95_s for time in times) * 20 < len(times) * 19
    assert (found.count, found.wall.max_s) == (len(times), max(times))
    assert found.cpu_with_children is None


def test_timings_are_those_of_what_has_run(night: Night) -> None:
    found = {one.task_type: one for one in fetch_timings_table(database=night.tasks.database)}
    assert {name: one.count for name, one in found.items()} == {"make": 2, "null": 1, "search": 1}
    assert found["make"].wall.max_s >= found["make"].wall.p95_s >= 0
    only = fetch_timings_table("night", "make", database=night.tasks.database)
    assert only == (found["make"],)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0.4211, "0.42 s"),
        (12.34, "12.3 s"),
        (245, "4 min 05 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_a_run_time_is_shown_as_people_say_it(seconds: float | None, shown: str) -> None:
    assert render_run_time(seconds) == shown


def test_the_map_has_what_a_task_is_about_and_what_came_of_it(night: Night) -> None:
    found = fetch_pass_fail_table("night", "make", database=night.tasks.database)
    assert [(row.metadata, row.verdict, row.state) for row in found] == [
        ({"size": 1}, True, "done"),
        ({"size": 2}, None, "failed"),
    ]
    last = fetch_pass_fail_table("night", after=night.numbers[2], database=night.tasks.database)
    assert [row.results for row in last] == [{"found": True}, {}]


def test_a_tree_has_each_task_before_those_below_it(night: Night) -> None:
    found = fetch_job_tree("night", database=night.tasks.database)
    assert [(row.depth, row.task.task_id) for row in found] == [
        (0, night.numbers[0]), *[(1, number) for number in night.numbers[1:5]],
    ]  # fmt: skip
    assert found[0].children == 4
    top = fetch_job_tree("night", max_depth=1, database=night.tasks.database)
    assert [row.depth for row in top] == [0]
    below = fetch_job_tree(parent_id=night.numbers[0], database=night.tasks.database)
    assert [row.depth for row in below] == [0] * 4


def test_what_runs_is_shown_below_what_it_belongs_to(night: Night) -> None:
    assert fetch_running_job_tree(database=night.tasks.database) == ()
    recent = fetch_running_job_tree("night", True, database=night.tasks.database)
    assert [row.task.task_id for row in recent] == night.numbers[:4]
    attempt = night.tasks.execution_attempt_register(night.numbers[4])
    assert attempt
    rows = fetch_running_job_tree("night", database=night.tasks.database)
    assert [(row.depth, row.attempt_states) for row in rows] == [(0, ()), (1, ("registered",))]


def test_tasks_are_listed_by_job_type_and_state(night: Night) -> None:
    database = night.tasks.database
    failed = fetch_tasks("night", state=TaskState.FAILED, database=database)
    assert [(row.task_id, row.attempts) for row in failed] == [(night.numbers[2], 1)]
    page = fetch_tasks("night", after=night.numbers[1], most=2, database=database)
    assert [row.task_id for row in page] == night.numbers[2:4]
    assert len(fetch_tasks(task_type="search", database=database)) == 2
    assert fetch_tasks("night", namespace="another time", database=database) == ()


def test_a_task_is_shown_with_all_that_belongs_to_it(night: Night) -> None:
    handler = EasLoggingHandler(night.tasks.database)
    (made,) = fetch_products(task_id=night.numbers[1], database=night.tasks.database)
    handler.set_task_attempt_id(made.versions[0].attempt_id)
    handler.emit(logging.LogRecord("x", logging.ERROR, "f", 1, "too %s", ("bright",), None))
    handler.close()
    found = fetch_task(night.numbers[1], database=night.tasks.database)
    assert [row.attempt.state for row in found.attempts] == ["passed"]
    assert found.attempts[0].attempt.worker == "w1"
    assert found.attempts[0].attempt.host
    assert found.outputs == (made,)
    assert found.outputs[0].versions[0].metadata == {"stars": 3}
    assert found.outputs[0].versions[0].passed_qc is True
    assert [row.message for row in found.logs] == ["too bright"]
    reader = fetch_task(night.numbers[3], database=night.tasks.database)
    assert reader.inputs == {"lc": made}
    assert fetch_task(night.numbers[0], database=night.tasks.database).children == 4
    assert fetch_logs(severity=50, database=night.tasks.database) == ()
    assert len(fetch_logs(job_name="night", database=night.tasks.database)) == 1


def test_a_task_that_is_not_there_is_an_error(lite: Tasks) -> None:
    with pytest.raises(NoSuchEntryError, match="there is no task 7"):
        fetch_task(7, database=lite.database)


def test_products_are_listed_by_job(night: Night) -> None:
    found = fetch_products("night", database=night.tasks.database)
    assert [(row.path, row.passed, len(row.versions)) for row in found] == [
        ("a", True, 1), ("b", False, 0),
    ]  # fmt: skip
    assert fetch_products("day", database=night.tasks.database) == ()


def test_without_a_database_it_is_that_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path))
    assert fetch_tasks() == ()
    assert fetch_progress_summary() == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\nKeyError: 'b'\n\n", "KeyError: 'b'"),
        ("", "failed without a message"),
        (None, "failed without a message"),
    ],
)
def test_the_message_of_an_error_is_its_last_line(text: str | None, message: str) -> None:
    assert message_of(text) == message
