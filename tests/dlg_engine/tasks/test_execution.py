"""Performing an attempt: messages, times, signs of life, descriptions, programs."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from dlg.jobs.errors import ExpressionError
from dlg.support.clock import ManualClock, replaced
from dlg_engine.tasks import claims, schema
from dlg_engine.tasks.connect_db import DatabaseInterfaceSqlite
from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.logging_database import LONGEST_MESSAGE, MOST, EasLoggingHandler
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_execution import (
    call_subprocess_and_catch_stdout,
    call_subprocess_and_log_output,
    do_pipeline_task,
)
from dlg_engine.tasks.task_expression_evaluation import TaskExpressionEvaluation
from dlg_engine.tasks.task_heartbeat import Heart, TaskHeartbeat
from dlg_engine.tasks.task_objects import MetadataItem, TaskExecutionAttempt
from dlg_engine.tasks.task_timer import TaskTimer
from tests.dlg_engine.tasks.databases import some_types

Tasks = TaskDatabaseConnection
WAIT_S = 60.0


def _messages(tasks: Tasks) -> list[tuple[int | None, int, str]]:
    table = schema.log_message
    with tasks.database.reading() as session:
        query = select(table.c.attempt_id, table.c.severity, table.c.message).order_by(table.c.id)
        return [(row[0], row[1], row[2]) for row in session.execute(query)]


@pytest.fixture
def log(lite: Tasks) -> Iterator[logging.Logger]:
    logger = logging.getLogger("tests.of.messages")
    logger.setLevel(logging.INFO)
    handler = EasLoggingHandler(lite.database)
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)
    handler.close()


def _handler(log: logging.Logger) -> EasLoggingHandler:
    (found,) = log.handlers
    assert isinstance(found, EasLoggingHandler)
    return found


def test_messages_are_kept_with_their_arguments_and_attempt(
    lite: Tasks, log: logging.Logger
) -> None:
    attempt = lite.execution_attempt_register(lite.task_register(task_type="null"))
    log.info("before")
    _handler(log).set_task_attempt_id(attempt)
    log.warning("%s of %d stars", "one", 3)
    _handler(log).set_task_attempt_id(None)
    assert _messages(lite) == [(None, 20, "before"), (attempt, 30, "one of 3 stars")]


def test_messages_are_written_many_at_a_time(lite: Tasks, log: logging.Logger) -> None:
    with replaced(ManualClock()) as clock:
        for number in range(MOST - 1):
            log.info("%s", number)
        assert _messages(lite) == []
        log.info("last")
        assert len(_messages(lite)) == MOST
        log.info("next")
        clock.sleep(2.0)
        log.info("late")
        assert len(_messages(lite)) == MOST + 2
        log.error("at once")
        assert len(_messages(lite)) == MOST + 3


def test_long_messages_are_cut(lite: Tasks, log: logging.Logger) -> None:
    log.error("x" * 5000)
    ((_, _, text),) = _messages(lite)
    assert len(text) == LONGEST_MESSAGE
    assert text.endswith("x...")


def test_characters_that_cannot_be_kept_are_replaced(lite: Tasks, log: logging.Logger) -> None:
    # Straight to the handler: what shows captured messages cannot write these either.
    _handler(log).emit(logging.makeLogRecord({"msg": "read a\0\udcffb", "levelno": 40}))
    assert _messages(lite) == [(None, 40, "read a\ufffd\ufffdb")]


def test_a_lost_database_does_not_stop_a_task(lite: Tasks, log: logging.Logger) -> None:
    _handler(log).set_task_attempt_id(4711)  # there is no such attempt
    log.error("a")
    assert _handler(log).lost == 1


def test_times_of_an_attempt_are_noted(tasks: Tasks) -> None:
    number = tasks.execution_attempt_register(tasks.task_register(task_type="null"))
    with TaskTimer(number, is_qc_task=False, tasks=tasks):
        running = tasks.execution_attempt_lookup(number)
        assert running is not None
        assert running.state == "running"
        sum(range(1_000_000))
    found = tasks.execution_attempt_lookup(number)
    assert found is not None
    assert found.state == "judging"
    assert found.start_time is not None
    assert found.end_time is not None
    assert 0 < float(found.run_time_cpu or 0) <= float(found.run_time_cpu_inc_children or 0) + 0.1
    assert float(found.run_time_wall_clock or 0) > 0
    with TaskTimer(number, is_qc_task=True, tasks=tasks):
        pass
    assert tasks.execution_attempt_lookup(number) == found
    assert set(TaskTimer.measure_time()) == {"wall_s", "cpu_s", "cpu_with_children_s"}


def test_heartbeats_extend_a_lease(tasks: Tasks) -> None:
    number = tasks.execution_attempt_register(tasks.task_register(task_type="null"))
    table = schema.attempt

    def lease() -> float:
        with tasks.database.reading() as session:
            query = select(table.c.lease_until).where(table.c.id == number)
            return float(session.scalar(query) or 0)

    tasks.execution_attempt_update(number, is_queued=True)
    with tasks.transaction() as session:
        taker = claims.Taker("me", 1.0)
        claims.start(session, [number], taker)
    before = lease()
    beaten = threading.Event()

    class Watched(Heart):
        def _extend(self, attempt_id: int, token: str) -> None:
            super()._extend(attempt_id, token)
            beaten.set()

    heart = Watched(tasks.database, cadence_s=0.01, lease_s=1000.0)
    heart.hold(number, taker.token)
    assert beaten.wait(WAIT_S)
    heart.close()
    assert lease() > before + 900
    with TaskHeartbeat(number, tasks=tasks), TaskHeartbeat():
        found = tasks.execution_attempt_lookup(number)
    assert found is not None
    assert found.latest_heartbeat_time is not None


def _attempt(tasks: Tasks, **metadata: object) -> int:
    return tasks.execution_attempt_register(
        tasks.task_register(task_type="null", metadata=metadata)
    )


def test_a_description_is_handed_on_with_its_expressions_evaluated(
    lite: Tasks, log: logging.Logger
) -> None:
    given = {"task": "null", "size": "(metadata['radius'] * 2)", "note": " text "}
    number = _attempt(lite, task_description=json.dumps(given), radius=1.5)
    seen: list[object] = []

    def handle(attempt: TaskExecutionAttempt) -> None:
        assert attempt.task_object is not None
        seen.append(attempt.task_object.task_description)

    do_pipeline_task(number, False, handle, _handler(log), lite)
    assert seen == [{"task": "null", "size": 3.0, "note": "text"}]
    found = lite.execution_attempt_lookup(number)
    assert found is not None
    assert (found.state, found.error_fail) == ("judging", False)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "no task_description"),
        ({"task_description": "{"}, "JSONDecodeError"),
        ({"task_description": {"a": "(__import__('os').getpid())"}}, "ExpressionError"),
        ({"task_description": {"task": "null"}}, "ZeroDivisionError"),
    ],
)
def test_what_goes_wrong_fails_the_attempt_with_the_reason(
    lite: Tasks, log: logging.Logger, metadata: dict[str, object], reason: str
) -> None:
    number = _attempt(lite, **metadata)

    def handle(_attempt: TaskExecutionAttempt) -> None:
        raise ZeroDivisionError

    do_pipeline_task(number, False, handle, _handler(log), lite)
    found = lite.execution_attempt_lookup(number)
    assert found is not None
    assert (found.state, found.error_fail) == ("failed", True)
    assert reason in str(found.error_text)
    assert found.end_time is not None


def test_a_judge_that_fails_fails_the_attempt(lite: Tasks, log: logging.Logger) -> None:
    number = _attempt(lite, task_description={"task": "null"})
    do_pipeline_task(number, False, lambda _attempt: None, _handler(log), lite)

    def judge(_attempt: TaskExecutionAttempt) -> None:
        raise ValueError("no ruler")

    do_pipeline_task(number, True, judge, _handler(log), lite)
    found = lite.execution_attempt_lookup(number)
    assert found is not None
    assert (found.state, found.all_products_passed_qc) == ("failed", None)


def test_an_attempt_that_is_not_there_is_only_a_warning(lite: Tasks, log: logging.Logger) -> None:
    do_pipeline_task(99, False, lambda _attempt: None, _handler(log), lite)


def test_expressions_cannot_run_code() -> None:
    item = {"a": MetadataItem("a", 2)}
    evaluation = TaskExpressionEvaluation(item, {"other": item})
    assert (
        evaluation.evaluate_expression("(metadata['a'] + requested_metadata['other']['a'])") == 4
    )
    assert evaluation.evaluate_in_structure([{"'x' + 'y'": 1}, (2,)]) == [{"xy": 1}, [2]]
    for hostile in ("(open('/etc/passwd'))", "(().__class__)"):
        with pytest.raises(ExpressionError):
            evaluation.evaluate_expression(hostile)


def test_programs_are_run_without_a_shell(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert call_subprocess_and_catch_stdout(["echo", "$HOME;", 1]) == (True, b"$HOME; 1\n")
    assert call_subprocess_and_log_output(["echo", "hello"])
    assert "hello" in caplog.text
    program = [sys.executable, "-c", "import sys; sys.stderr.write('oh'); sys.exit(3)"]
    assert not call_subprocess_and_log_output(program)
    assert "oh" in caplog.text
    assert "ended with 3" in caplog.text
    assert not call_subprocess_and_log_output(["/no/such/program"])
    with pytest.raises(TaskSystemError, match="without a shell"):
        call_subprocess_and_log_output(["echo"], shell=True)


PROGRAM = """
from dlg_engine.tasks.task_execution import eas_pipeline_task

def work(attempt):
    'Work.'
    import logging
    logging.info("working on %s", attempt.attempt_id)

eas_pipeline_task(work)()
"""


def test_a_program_performs_the_attempt_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path))
    with DatabaseInterfaceSqlite() as interface, TaskDatabaseConnection() as tasks:
        assert interface.test_database_exists()
        tasks.task_type_list_to_db(some_types())
        number = _attempt(tasks, task_description={"task": "null"})
        (tmp_path / "task_null.py").write_text(PROGRAM)
        command = [sys.executable, str(tmp_path / "task_null.py"), "--job-id", str(number)]
        done = subprocess.run(
            command, env=dict(os.environ), capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr
        assert f"working on {number}" in done.stdout
        found = tasks.execution_attempt_lookup(number)
        assert found is not None
        assert found.state == "judging"
        assert (number, 20, f"working on {number}") in _messages(tasks)
