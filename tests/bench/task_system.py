"""How fast tasks are registered, and how fast workers get through them.

    python tests/bench/task_system.py [register|work] [ENGINE ...]

Engines are sqlite, mariadb and postgresql, and amqp for RabbitMQ beside PostgreSQL (of this host,
as the tests use them). A task that is registered has five values of metadata and one input. A task
that is worked on does nothing: it is taken, run, recorded and judged by one of four processes. A
hop is the time from the end of the function of a task to the start of that of the next one, in a
chain of a hundred: by then the first is recorded, its product passed and the next one scheduled.
A hop to another is the same where the one who did the first is busy when the second is ready.
The original pipeline does 1.8 tasks a second in each worker and takes up to 90 s for a hop.
"""

from __future__ import annotations

import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
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
REGISTERED, WORKED, CHAIN, WORKERS = 20_000, 10_000, 100, 4
SLOW_S = 0.02
TYPE = "null"
ORIGINAL_TASKS_PER_S, ORIGINAL_HOP_S, ORIGINAL_REGISTERED_PER_S = 1.8, 90.0, 270


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


Times = dict[int, tuple[float, float]]


def work(kind: str, directory: Path, new: list[NewTask], slow_s: float = 0.0) -> Times:
    """Let four processes do some tasks; return when each began and ended, by its number."""
    prefix = f"dlg-{secrets.token_hex(6)}-" if kind == "amqp" else ""
    null = prefix + TYPE
    with (
        empty_database("postgresql" if kind == "amqp" else kind, directory) as url,
        TaskDatabaseConnection(directory / "store", url) as tasks,
        TaskQueueAmqp() if prefix else TaskQueueSQL(tasks.database) as queue,
        TaskScheduler(tasks=tasks, queue=queue) as scheduler,
    ):
        types = TaskTypeList()
        types.task_list = {null: [], prefix + "make": []}
        tasks.task_type_list_to_db(types)
        tasks.tasks_register([replace(task, task_type=null) for task in new])
        kinds = f"amqp:{prefix}" if prefix else "sql"
        program = [sys.executable, workhorse.__file__, url, str(directory / "store"), kinds]
        program += ["60", str(slow_s)]
        workers = [subprocess.Popen(program, stdout=subprocess.PIPE) for _ in range(WORKERS)]
        try:
            for worker in workers:
                assert worker.stdout is not None
                worker.stdout.readline()
            scheduler.turn()
            while _done(tasks) < len(new):
                scheduler.wait(0.2)
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()
            if isinstance(queue, TaskQueueAmqp):
                queue._do(lambda channel: [channel.queue_delete(n) for n in types.task_list])
        return _times(tasks)


def _done(tasks: TaskDatabaseConnection) -> int:
    with tasks.database.reading() as session:
        query = select(func.count()).where(schema.task.c.state == "done")
        return int(session.scalar(query) or 0)


def _times(tasks: TaskDatabaseConnection) -> Times:
    table = schema.attempt
    with tasks.database.reading() as session:
        rows = session.execute(select(table.c.task_id, table.c.started, table.c.ended)).all()
    return {row.task_id: (row.started, row.ended) for row in rows}


def speed(kind: str, directory: Path) -> float:
    """Return how many tasks a second are done that need nothing of each other."""
    times = work(kind, directory, [NewTask(task_type=TYPE)] * WORKED)
    took = max(end for _, end in times.values()) - min(begin for begin, _ in times.values())
    return WORKED / took


def hop(kind: str, directory: Path) -> float:
    """Return how long it is from the end of a task to the start of the one behind it."""
    new = [NewTask(task_type=TYPE, input_metadata=[Ref(n - 1)] if n else []) for n in range(CHAIN)]
    times = work(kind, directory, new)
    return _median_hop(times, pairwise(range(1, CHAIN + 1)))


def hop_to_another(kind: str, directory: Path) -> float:
    """Return the same where a task that takes its time is to be done before that one."""
    new: list[NewTask] = []
    for _ in range(0, CHAIN, 3):  # numbers that three divides are those that take longer
        before = len(new) - 2
        first = NewTask(task_type=TYPE, input_metadata=[Ref(before)] if new else [])
        here = Ref(len(new) + 1)
        second = NewTask(task_type=TYPE, input_metadata=[Ref(len(new))])
        new += [first, second, NewTask(task_type=TYPE, input_metadata=[here])]
    times = work(kind, directory, new, SLOW_S)
    return _median_hop(times, ((n, n + 2) for n in range(2, len(new) - 1, 3)))


def _median_hop(times: Times, pairs: Iterable[tuple[int, int]]) -> float:
    return statistics.median(times[after][0] - times[before][1] for before, after in pairs)


def median_of(measure: Callable[[str, Path], float], kind: str) -> float:
    """Return the median of several measurements, each in a directory of its own."""
    found = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as directory:
            found.append(measure(kind, Path(directory)))
    return statistics.median(found)


def main() -> None:
    """Print a line for each measurement."""
    what = [word for word in sys.argv[1:] if word in ("register", "work")] or ["register", "work"]
    kinds = [word for word in sys.argv[1:] if word not in ("register", "work")]
    if "register" in what:
        for kind in kinds or ["sqlite", "mariadb", "postgresql"]:
            found = median_of(register, kind)
            ratio = found / ORIGINAL_REGISTERED_PER_S
            emit(bench="tasks registered", engine=kind, tasks_per_s=found, to_original=ratio)
    if "work" in what:
        for kind in kinds or ["sqlite", "mariadb", "postgresql", "amqp"]:
            tasks_per_s, hop_s = median_of(speed, kind), median_of(hop, kind)
            emit(
                bench="tasks worked on",
                queue=kind,
                workers=WORKERS,
                tasks_per_s=tasks_per_s,
                to_original=tasks_per_s / (WORKERS * ORIGINAL_TASKS_PER_S),
                hop_s=hop_s,
                hop_to_another_s=median_of(hop_to_another, kind),
                longest_hop_of_original_to_it=ORIGINAL_HOP_S / hop_s,
            )


if __name__ == "__main__":
    main()
