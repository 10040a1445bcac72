"""Workers of the task system for jobs: a database, queues, a scheduler and two processes."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dlg_engine.tasks.errors import QueueUnavailableError
from dlg_engine.tasks.job_registering import BRANCH_TYPE, JOIN_TYPE, LOOP_TYPE
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskScheduler
from tests.dlg_engine.tasks.databases import empty_database
from tests.graphs.job_worker import OwnQueues, queue_of

PROGRAM = Path(__file__).with_name("job_worker.py")
PATIENCE_S = 60.0
STEPS = (BRANCH_TYPE, LOOP_TYPE, JOIN_TYPE)


@contextmanager
def working(
    kind: str, place: Path, code: Path, types: Sequence[str]
) -> Iterator[TaskDatabaseConnection]:
    """Give a database whose tasks two processes do, with the modules in the folder `code`."""
    names = [*types, *STEPS]
    queues = "sql" if kind == "sqlite" else f"amqp:dlg-{secrets.token_hex(6)}-"
    with ExitStack() as stack:
        url = stack.enter_context(empty_database(kind, place))
        store = place / "store"
        tasks = stack.enter_context(TaskDatabaseConnection(store, url))
        queue = stack.enter_context(queue_of(tasks, queues))
        try:
            for name in names:
                queue.queue_declare(name)
        except QueueUnavailableError as error:
            pytest.skip(f"needs RabbitMQ at its usual port of this host: {error}")
        if isinstance(queue, OwnQueues):
            stack.callback(queue.delete)
        command = [sys.executable, str(PROGRAM), url, str(store), queues, "60", *types]
        for _ in range(2):
            stack.enter_context(_process(command, code))
        stack.enter_context(scheduling(url, store, queues))
        yield tasks


@contextmanager
def _process(command: Sequence[str], code: Path) -> Iterator[None]:
    root = str(Path(__file__).parents[2])
    environment = {"PYTHONPATH": f"{root}:{code}", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def scheduling(url: str, store: Path, queues: str) -> Iterator[None]:
    """Schedule what is ready, in a thread."""
    stop = threading.Event()

    def run() -> None:
        with (
            TaskDatabaseConnection(store, url) as tasks,
            queue_of(tasks, queues) as queue,
            TaskScheduler(tasks=tasks, queue=queue) as scheduler,
        ):
            while not stop.is_set():
                scheduler.turn()
                scheduler.wait(1.0)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
