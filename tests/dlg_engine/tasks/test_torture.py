"""Workers are killed at random and servers in the midst: nothing is lost, all has its effect once.

All 10,000 items are done with the option --full-size.
"""

from __future__ import annotations

import random
import secrets
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.amqp_queue import TaskQueueAmqp
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.registering import NewTask
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.task_types import TaskTypeList
from tests.dlg_engine.tasks import workhorse
from tests.dlg_engine.tasks.databases import empty_database
from tests.dlg_engine.tasks.own_servers import OwnServer, own_server

FEW_ITEMS, ALL_ITEMS = 2_000, 10_000
WORKERS, KILLS = 8, 12
CADENCE_S, SLOW_S = 0.4, 0.01
PATIENCE_S = 540.0

KINDS = [
    pytest.param("sqlite", "sql", marks=pytest.mark.long),
    *(pytest.param(kind, "sql", marks=pytest.mark.services) for kind in ("postgresql", "mariadb")),
    pytest.param("postgresql", "amqp", marks=pytest.mark.services),
]


class Herd:
    """Workers as processes; one that is killed is followed by another."""

    def __init__(self, arguments: list[str], size: int) -> None:
        self._program = [sys.executable, workhorse.__file__, *arguments]
        self._living = [self._start() for _ in range(size)]

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(self._program, stdout=subprocess.PIPE, text=True)

    def kill(self, chance: random.Random, number: int = 1) -> None:
        for place in chance.sample(range(len(self._living)), number):
            self._living[place].kill()
            self._bury(self._living[place])
            self._living[place] = self._start()

    def wait_until_ready(self) -> None:
        for process in self._living:
            if process.stdout is not None and not process.stdout.closed:
                assert process.stdout.readline() == "ready\n"
                process.stdout.close()

    def check(self) -> None:
        """Fail if one has ended by itself."""
        assert {process.poll() for process in self._living} == {None}

    def end(self) -> None:
        for process in self._living:
            process.terminate()
        for process in self._living:
            self._bury(process)

    @staticmethod
    def _bury(process: subprocess.Popen[str]) -> None:
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


def _done(tasks: TaskDatabaseConnection) -> int:
    with tasks.database.reading() as session:
        query = select(func.count()).where(schema.task.c.state == "done")
        return int(session.scalar(query) or 0)


@dataclass
class Torture:
    """What happens while `items` items are done."""

    items: int
    tasks: TaskDatabaseConnection
    scheduler: TaskScheduler
    herd: Herd
    server: OwnServer | None

    def run(self) -> None:
        chance, steps = random.Random(7), 0
        end = clock.monotonic() + PATIENCE_S
        restart: threading.Thread | None = None
        while (done := self._turn()) < self.items:
            assert clock.monotonic() < end, f"{done} of {self.items} are done"
            if steps <= KILLS and done > self.items * (steps + 1) / (KILLS + 3):
                if steps == KILLS // 2:
                    restart = self._disaster(chance)
                else:
                    self.herd.kill(chance)
                steps += 1
                continue
            self.scheduler.wait(0.1)
        assert steps == KILLS + 1
        if restart is not None:
            restart.join()
        self.herd.wait_until_ready()
        self.herd.check()

    def _turn(self) -> int:
        self.scheduler.turn()
        return int(self.scheduler._patience.repeated(lambda: _done(self.tasks)))

    def _disaster(self, chance: random.Random) -> threading.Thread | None:
        """Kill the server and start it again; without any, kill all who have the file open."""
        if self.server is None:
            self.herd.kill(chance, WORKERS)
            return None
        # They are connected: only one that was there before is waited for.
        self.herd.wait_until_ready()
        thread = threading.Thread(target=self.server.restart)
        thread.start()
        thread.join(0.5)  # it is gone by then, and we find it so
        return thread


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
    assert len(versions) == len(numbers) // 2
    for number in versions:
        tasks.file_version_verify(number)


@contextmanager
def _servers(
    kind: str, queues: str, directory: Path
) -> Iterator[tuple[str, int, OwnServer | None]]:
    """Give the database, the port of the broker, and the server that is to be killed."""
    if queues == "amqp":
        with own_server("rabbitmq") as broker, empty_database(kind, directory) as url:
            yield url, make_url(broker.url).port or 0, broker
    elif kind == "sqlite":
        with empty_database(kind, directory) as url:
            yield url, 0, None
    else:
        with own_server(kind) as server:
            yield server.url, 0, server


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "queues"), KINDS)
def test_every_task_is_done_once_whoever_is_killed(
    kind: str, queues: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    items = ALL_ITEMS if request.config.getoption("--full-size") else FEW_ITEMS
    prefix = f"dlg-{secrets.token_hex(6)}-" if queues == "amqp" else ""
    make, null = prefix + "make", prefix + "null"
    types = TaskTypeList()
    types.task_list = {make: [], null: []}
    store = tmp_path / "store"
    with (
        _servers(kind, queues, tmp_path) as (url, port, server),
        TaskDatabaseConnection(store, url) as tasks,
        TaskQueueAmqp(port=port) if port else TaskQueueSQL(tasks.database) as queue,
    ):
        tasks.task_type_list_to_db(types)
        numbers = tasks.tasks_register(
            [
                NewTask(task_type=make, outputs={"lc": f"{n}.lc"})
                if n % 2
                else NewTask(task_type=null)
                for n in range(items)
            ]
        )
        kinds = f"amqp:{prefix}:{port}" if port else queues
        arguments = [url, str(store), kinds, str(CADENCE_S), str(SLOW_S)]
        began = clock.monotonic()
        _torture(items, tasks, queue, arguments, server)
        sys.stdout.write(f"{kind} {queues}: {items / (clock.monotonic() - began):.0f} items/s\n")
        _check(tasks, numbers)


def _torture(
    items: int,
    tasks: TaskDatabaseConnection,
    queue: TaskQueue,
    arguments: list[str],
    server: OwnServer | None,
) -> None:
    herd = Herd(arguments, WORKERS)
    try:
        with TaskScheduler(tasks=tasks, queue=queue) as scheduler:
            Torture(items, tasks, scheduler, herd, server).run()
    finally:
        herd.end()
