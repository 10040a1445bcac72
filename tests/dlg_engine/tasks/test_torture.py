"""Workers that are killed at random: nothing is lost, and all has its effect once."""

from __future__ import annotations

import random
import secrets
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.amqp_queue import TaskQueueAmqp
from dlg_engine.tasks.errors import QueueUnavailableError
from dlg_engine.tasks.registering import NewTask
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.task_types import TaskTypeList
from tests.dlg_engine.tasks import workhorse
from tests.dlg_engine.tasks.databases import SERVERS, empty_database

ITEMS, WORKERS, KILLS = 480, 4, 12
CADENCE_S, SLOW_S = 0.4, 0.05
PATIENCE_S = 240.0

KINDS = [
    pytest.param("sqlite", "sql", marks=pytest.mark.long),
    *(pytest.param(kind, "sql", marks=pytest.mark.services) for kind in SERVERS),
    pytest.param("postgresql", "amqp", marks=pytest.mark.services),
]


class Herd:
    """Workers as processes; one that is killed is followed by another."""

    def __init__(self, arguments: list[str], size: int) -> None:
        self._program = [sys.executable, workhorse.__file__, *arguments]
        self._living = [self._start() for _ in range(size)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._program, stdout=subprocess.DEVNULL)

    def kill_one(self, chance: random.Random) -> None:
        place = chance.randrange(len(self._living))
        self._living[place].kill()
        self._living[place].wait()
        self._living[place] = self._start()

    def end(self) -> None:
        for process in self._living:
            process.terminate()
        for process in self._living:
            process.wait(30)


def _done(tasks: TaskDatabaseConnection) -> int:
    with tasks.database.reading() as session:
        query = select(func.count()).where(schema.task.c.state == "done")
        return int(session.scalar(query) or 0)


def _torture(tasks: TaskDatabaseConnection, scheduler: TaskScheduler, herd: Herd) -> None:
    chance, killed = random.Random(7), 0
    end = clock.monotonic() + PATIENCE_S
    while (done := _done(tasks)) < ITEMS:
        assert clock.monotonic() < end, f"{done} of {ITEMS} are done"
        scheduler.turn()
        if killed < KILLS and done > ITEMS * (killed + 1) / (KILLS + 2):
            herd.kill_one(chance)
            killed += 1
        scheduler.wait(0.05)
    assert killed == KILLS


def _check(tasks: TaskDatabaseConnection, numbers: list[int]) -> None:
    attempt, version, product = schema.attempt, schema.version, schema.product
    with tasks.database.reading() as session:
        passed = select(attempt.c.task_id).where(attempt.c.state == "passed")
        assert Counter(session.scalars(passed)) == Counter(numbers)
        states = Counter(session.scalars(select(attempt.c.state)))
        assert set(states) <= {"passed", "lost"}, states
        of = (
            select(version.c.id)
            .join(product, product.c.id == version.c.product_id)
            .join(attempt, attempt.c.id == version.c.attempt_id)
            .where(attempt.c.state == "passed")
        )
        versions = list(session.scalars(of))
        assert session.scalar(select(func.count()).select_from(schema.queue_item)) == 0
    assert len(versions) == ITEMS // 2
    for number in versions:
        tasks.file_version_verify(number)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("kind", "queues"), KINDS)
def test_every_task_is_done_once_whoever_is_killed(kind: str, queues: str, tmp_path: Path) -> None:
    prefix = f"dlg-{secrets.token_hex(6)}-" if queues == "amqp" else ""
    make, null = prefix + "make", prefix + "null"
    types = TaskTypeList()
    types.task_list = {make: [], null: []}
    store = tmp_path / "store"
    with empty_database(kind, tmp_path) as url, TaskDatabaseConnection(store, url) as tasks:
        tasks.task_type_list_to_db(types)
        numbers = tasks.tasks_register(
            [
                NewTask(task_type=make, outputs={"lc": f"{n}.lc"})
                if n % 2
                else NewTask(task_type=null)
                for n in range(ITEMS)
            ]
        )
        queue = TaskQueueAmqp() if queues == "amqp" else TaskQueueSQL(tasks.database)
        try:
            queue.queue_declare(make)
        except QueueUnavailableError as error:
            pytest.skip(f"needs RabbitMQ at its usual port of this host: {error}")
        scheduler = TaskScheduler(tasks=tasks, queue=queue)
        kinds = f"{queues}:{prefix}" if prefix else queues
        arguments = [url, str(store), kinds, str(CADENCE_S), str(SLOW_S)]
        herd = Herd(arguments, WORKERS)
        try:
            _torture(tasks, scheduler, herd)
        finally:
            herd.end()
            if isinstance(queue, TaskQueueAmqp):
                queue._do(lambda channel: [channel.queue_delete(name) for name in (make, null)])
            scheduler.close()
            queue.close()
        _check(tasks, numbers)
