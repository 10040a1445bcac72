"""Jobs grow by each decision once, whoever is killed meanwhile."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from dlg_engine.tasks import schema
from dlg_engine.tasks.job_products import products_of_job
from dlg_engine.tasks.job_submission import submit_job, wait_for_job
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.dlg_engine.tasks.databases import empty_database
from tests.graphs.queue_workers import PROGRAM, scheduling

ITERATIONS, WIDTH, KILLS, WORKERS = 40, 3, 10, 3
PATIENCE_S = 120.0
JOB: dict[str, Any] = {
    "task_list": [
        {
            "task": "execution_do_while_loop", "name": "loop", "iteration_name": "i",
            "requires_metadata_from_child": ["one"], "max_iterations": 100,
            "repeat_criterion": f"(requested_metadata['one']['i'] < {ITERATIONS})",
            "task_list": [
                {"task": "values", "name": "one", "i": "(metadata['i_index'])"},
                {
                    "task": "execution_for_loop", "parameter": "k", "values": list(range(WIDTH)),
                    "wait_for": ["one"],
                    "task_list": [
                        {
                            "task": "null",
                            "outputs": {"x": "'x_{i_index}_{k}.txt'.format(**metadata)"},
                        }
                    ],
                },
            ],
        },
        {
            "task": "concatenate", "inputs": {"x": {"gather": "loop", "output": "x"}},
            "outputs": {"all": "all.txt"},
        },
    ]
}  # fmt: skip


class Herd:
    """Worker processes, of which one after the other is killed."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.processes = [self._start() for _ in range(WORKERS)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command, stdout=subprocess.DEVNULL)

    def kill_who_works(self, tasks: TaskDatabaseConnection, job_id: int) -> None:
        """Kill a process that has an attempt in its hands, and start another in its place."""
        table = schema.attempt
        query = select(table.c.worker).where(table.c.state == "running")
        while not wait_for_job(tasks, job_id, 0).is_over:
            with tasks.database.reading() as session:
                holders = {int(name.rpartition(":")[2]) for name in session.scalars(query)}
            for number, process in enumerate(self.processes):
                if process.pid in holders:
                    self.end(number)
                    self.processes[number] = self._start()
                    return

    def end(self, number: int) -> None:
        self.processes[number].kill()
        self.processes[number].wait(PATIENCE_S)


@contextmanager
def herd(command: list[str]) -> Iterator[Herd]:
    found = Herd(command)
    try:
        yield found
    finally:
        for number in range(WORKERS):
            found.end(number)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.services)]
)
def test_a_job_comes_to_the_same_whoever_is_killed(kind: str, tmp_path: Path) -> None:
    store, chance = tmp_path / "store", random.Random(7)
    with ExitStack() as stack:
        url = stack.enter_context(empty_database(kind, tmp_path))
        tasks = stack.enter_context(TaskDatabaseConnection(store, url))
        job = submit_job(tasks, JOB)
        stack.enter_context(scheduling(url, store, "sql"))
        types = ["null", "values", "concatenate"]
        command = [sys.executable, str(PROGRAM), url, str(store), "sql", "0.3", *types]
        workers = stack.enter_context(herd(command))
        for _ in range(KILLS):
            if wait_for_job(tasks, job.job_id, chance.uniform(0.3, 1.0)).is_over:
                break
            workers.kill_who_works(tasks, job.job_id)
        progress = wait_for_job(tasks, job.job_id, PATIENCE_S)
        # In each iteration a task, those of the inner loop, and the decision; and who gathers.
        assert progress.states == {"done": ITERATIONS * (WIDTH + 2) + 1}
        assert len(products_of_job(tasks, job.job_id)) == ITERATIONS * WIDTH + 1
        assert set(_passed(tasks)) == {1}


def _passed(tasks: TaskDatabaseConnection) -> list[int]:
    """Return how many attempts of each task were passed."""
    table = schema.attempt
    query = select(func.count()).where(table.c.state == "passed").group_by(table.c.task_id)
    with tasks.database.reading() as session:
        return list(session.scalars(query))
