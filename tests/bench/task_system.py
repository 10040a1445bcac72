"""How fast tasks are registered, and how fast workers get through them.

    python tests/bench/task_system.py [register|work] [ENGINE ...]

Engines are sqlite, mariadb and postgresql, and amqp for RabbitMQ beside PostgreSQL (of this host,
as the tests use them). A task that is registered has five values of metadata and one input. A task
that is worked on does nothing: it is taken, run, recorded and judged by one of four processes. A
hop is the time from the end of a task to the start of the next one, in a chain of a hundred.
"""

from __future__ import annotations

import secrets
import statistics
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from common import emit

sys.path.insert(0, str(Path(__file__).parents[2]))

from sqlalchemy import func, select

from dlg_engine.tasks import schema
from dlg_engine.tasks.amqp_queue import TaskQueueAmqp
from dlg_engine.tasks.registering import NewTask, Ref
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.task_types import TaskTypeList
from tests.dlg_engine.tasks import workhorse
from tests.dlg_engine.tasks.databases import empty_database, opened

RUNS = 3
REGISTERED, WORKED, CHAIN, WORKERS = 20_000, 1_000, 100, 4


def register(kind: str, directory: Path) -> float:
    """Return how many tasks a second are registered in bulk."""
    with opened(kind, directory) as tasks:
        maker = tasks.task_register(task_type="make")
        product = tasks.file_product_register(maker, "d", "a.lc", "lc")
        new = [
            NewTask(
                task_type="search",
                task_name=f"task {number}",
                inputs={"lc": product},
                metadata={
                    "size": 0.5 * number,
                    "index": number,
                    "name": f"star {number}",
                    "flag": True,
                    "times": [1, 2, 3],
                },
            )
            for number in range(REGISTERED)
        ]
        begun = perf_counter()
        tasks.tasks_register(new)
        return REGISTERED / (perf_counter() - begun)


def work(kind: str, directory: Path, chained: bool) -> tuple[float, float]:
    """Return how many tasks a second four processes do, and the median hop in seconds."""
    prefix = f"dlg-{secrets.token_hex(6)}-" if kind == "amqp" else ""
    null, count = prefix + "null", CHAIN if chained else WORKED
    with (
        empty_database("postgresql" if kind == "amqp" else kind, directory) as url,
        TaskDatabaseConnection(directory / "store", url) as tasks,
        TaskQueueAmqp() if prefix else TaskQueueSQL(tasks.database) as queue,
        TaskScheduler(tasks=tasks, queue=queue) as scheduler,
    ):
        types = TaskTypeList()
        types.task_list = {null: [], prefix + "make": []}
        tasks.task_type_list_to_db(types)
        new = [
            NewTask(task_type=null, input_metadata=[Ref(n - 1)] if chained and n else [])
            for n in range(count)
        ]
        tasks.tasks_register(new)
        kinds = f"amqp:{prefix}" if prefix else "sql"
        program = [sys.executable, workhorse.__file__, url, str(directory / "store"), kinds, "60"]
        workers = [subprocess.Popen(program) for _ in range(WORKERS)]
        try:
            scheduler.turn()
            while _done(tasks) < count:
                scheduler.wait(0.2)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
            if isinstance(queue, TaskQueueAmqp):
                queue._do(lambda channel: [channel.queue_delete(n) for n in types.task_list])
        return _speed(tasks, count)


def _done(tasks: TaskDatabaseConnection) -> int:
    with tasks.database.reading() as session:
        query = select(func.count()).where(schema.task.c.state == "done")
        return int(session.scalar(query) or 0)


def _speed(tasks: TaskDatabaseConnection, count: int) -> tuple[float, float]:
    """Look at the times that the workers noted: starting them is not counted."""
    table = schema.attempt
    with tasks.database.reading() as session:
        query = select(table.c.started, table.c.ended).order_by(table.c.started)
        times = [(float(row[0]), float(row[1])) for row in session.execute(query)]
    skipped = count // 4  # until all workers are up
    rest = times[skipped:]
    took = max(end for _, end in rest) - rest[0][0]
    hops = [after[0] - before[1] for before, after in pairwise(times)]
    return len(rest) / took, statistics.median(hops)


def main() -> None:
    """Print a line for each measurement."""
    what = [word for word in sys.argv[1:] if word in ("register", "work")] or ["register", "work"]
    kinds = [word for word in sys.argv[1:] if word not in ("register", "work")]
    if "register" in what:
        for kind in kinds or ["sqlite", "mariadb", "postgresql"]:
            found = []
            for _ in range(RUNS):
                with tempfile.TemporaryDirectory() as directory:
                    found.append(register(kind, Path(directory)))
            emit(bench="tasks registered", engine=kind, tasks_per_s=statistics.median(found))
    if "work" in what:
        for kind in kinds or ["sqlite", "mariadb", "postgresql", "amqp"]:
            speeds, hops = [], []
            for _ in range(RUNS):
                with tempfile.TemporaryDirectory() as directory:
                    speeds.append(work(kind, Path(directory), chained=False)[0])
                with tempfile.TemporaryDirectory() as directory:
                    hops.append(work(kind, Path(directory), chained=True)[1])
            emit(
                bench="tasks worked on",
                queue=kind,
                workers=WORKERS,
                tasks_per_s=statistics.median(speeds),
                hop_s=statistics.median(hops),
            )


if __name__ == "__main__":
    main()
