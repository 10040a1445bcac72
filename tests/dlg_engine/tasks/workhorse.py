"""A worker as a process, for tests that kill it.

    python workhorse.py DATABASE STORE sql|amqp:PREFIX[:PORT] CADENCE_S [SLOW_S]

It makes a file in each task, or only notes a number if the task makes none; each third one takes
SLOW_S longer. It says that it is ready, and works until it is told to stop by SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from dlg.support import clock
from dlg_engine.tasks.amqp_queue import TaskQueueAmqp
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.working import TaskWorker


def queue_of(tasks: TaskDatabaseConnection, kind: str) -> TaskQueue:
    """Return the queue that the command line names."""
    if kind == "sql":
        return TaskQueueSQL(tasks.database)
    port = kind.split(":")[2:]
    return TaskQueueAmqp(port=int(port[0])) if port else TaskQueueAmqp()


def main() -> None:
    """See the module."""
    database, store, kind, cadence, *rest = sys.argv[1:]
    slow_s = float(rest[0]) if rest else 0.0
    prefix = kind.partition(":")[2].partition(":")[0]
    with TaskDatabaseConnection(store, database) as tasks, queue_of(tasks, kind) as queue:

        def work(attempt: TaskExecutionAttempt) -> None:
            assert attempt.task_object is not None
            if slow_s and int(attempt.task_id or 0) % 3 == 0:
                clock.sleep(slow_s)
            if not attempt.task_object.output_files:
                return
            scratch = Path(store).with_name(f"scratch-{os.getpid()}")
            scratch.write_text(str(attempt.task_id))
            tasks.execution_attempt_register_output(attempt, "lc", scratch, {})

        types = [prefix + "make", prefix + "null"]
        worker = TaskWorker(tasks, queue, dict.fromkeys(types, work), cadence_s=float(cadence))
        stop = threading.Event()

        def end(*_: Any) -> None:
            stop.set()
            raise SystemExit(0)

        signal.signal(signal.SIGTERM, end)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        try:
            worker.run(stop)
        finally:
            worker.close()


if __name__ == "__main__":
    main()
