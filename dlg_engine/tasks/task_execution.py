"""What is around the function that performs a task: messages, times, signs of life, failures."""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from dlg_engine.tasks.errors import TaskSystemError
from dlg_engine.tasks.logging_database import EasLoggingHandler
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_expression_evaluation import TaskExpressionEvaluation
from dlg_engine.tasks.task_heartbeat import TaskHeartbeat
from dlg_engine.tasks.task_objects import Task, TaskExecutionAttempt
from dlg_engine.tasks.task_timer import TaskTimer

logger = logging.getLogger(__name__)
Handler = Callable[[TaskExecutionAttempt], None]
QC_FOLDER = "task_qc_implementations"
"""A program in a folder of this name judges; all others perform."""


def call_subprocess_and_catch_stdout(
    arguments: Iterable[object], shell: bool | None = None
) -> tuple[bool, bytes]:
    """Run a program; return whether it ended well, and what it wrote.

    What it writes to stderr is logged as a warning, a bad end as an error. No shell is in between:
    asking for one raises TaskSystemError, as names in arguments could then be commands.
    """
    if shell:
        raise TaskSystemError("programs are run without a shell: give each argument by itself")
    words = [str(argument) for argument in arguments]
    try:
        done = subprocess.run(words, capture_output=True, check=False)
    except OSError as error:
        logger.error("%s cannot be run: %s", words[0], error)  # noqa: TRY400  it says enough
        return False, b""
    if done.stderr:
        logger.warning("%s: %s", words[0], done.stderr.decode(errors="replace"))
    if done.returncode:
        logger.error("%s ended with %s", words[0], done.returncode)
    return done.returncode == 0, done.stdout


def call_subprocess_and_log_output(arguments: Iterable[object], shell: bool | None = None) -> bool:
    """Run a program and log what it writes; return whether it ended well."""
    words = [str(argument) for argument in arguments]
    good, output = call_subprocess_and_catch_stdout(words, shell)
    if output:
        logger.info("%s: %s", words[0], output.decode(errors="replace"))
    return good


def eas_pipeline_task(task_handler: Handler) -> Callable[[], None]:
    """Return a program, without arguments, that performs an attempt with a function.

    The attempt is that of the option `--job-id`. A program in a folder `task_qc_implementations`
    judges. Messages go to the database, and from INFO on to stdout.
    """

    def program() -> None:
        parser = argparse.ArgumentParser(description=task_handler.__doc__)
        parser.add_argument("--job-id", type=int, required=True, help="number of the attempt")
        number = parser.parse_args().job_id
        into_database, root = EasLoggingHandler(), logging.getLogger()
        handlers: list[logging.Handler] = [into_database, logging.StreamHandler(sys.stdout)]
        before = root.level
        root.setLevel(logging.INFO)
        for handler in handlers:
            root.addHandler(handler)
        try:
            do_pipeline_task(number, QC_FOLDER in sys.argv[0], task_handler, into_database)
        finally:
            root.setLevel(before)
            for handler in handlers:
                root.removeHandler(handler)
                handler.close()

    return program


def do_pipeline_task(
    job_id: int,
    is_qc_task: bool,
    task_handler: Handler,
    eas_logger: EasLoggingHandler,
    tasks: TaskDatabaseConnection | None = None,
) -> None:
    """Perform an attempt with a function, and note what came of it.

    The description of the task, `task_description` in its metadata, is handed on with all its
    expressions evaluated. An error fails the attempt, with its traceback; it is not raised.
    """
    eas_logger.set_task_attempt_id(job_id)
    own = TaskDatabaseConnection() if tasks is None else None
    database = tasks or own
    assert database is not None  # noqa: S101  one of them is
    try:
        attempt = database.execution_attempt_lookup(job_id, embed_task_object=True)
        if attempt is None or attempt.task_object is None:
            logger.warning("there is no attempt %s", job_id)
            return
        try:
            with (
                TaskTimer(job_id, is_qc_task, database),
                TaskHeartbeat(job_id, tasks=database),
            ):
                logger.info("Starting attempt %s", job_id)
                attempt.task_object.task_description = described(attempt.task_object)
                task_handler(attempt)
        except Exception:  # whatever a task raises is its failure
            logger.exception("attempt %s failed", job_id)
            text = traceback.format_exc()
            database.execution_attempt_update(job_id, error_fail=True, error_text=text)
    finally:
        eas_logger.flush()
        if own is not None:
            own.close_db()


def described(task: Task) -> Any:
    """Return the description of a task, with all expressions in it evaluated.

    Random numbers depend on the task, so that they are the same for each attempt and its judge.
    Raises TaskSystemError if the task has none.
    """
    item = task.metadata.get("task_description")
    if item is None:
        raise TaskSystemError(f"task {task.task_id} has no task_description in its metadata")
    given = json.loads(item.value) if isinstance(item.value, str) else item.value
    evaluation = TaskExpressionEvaluation(task.metadata, task.input_metadata, str(task.task_id))
    return evaluation.evaluate_in_structure(given)
