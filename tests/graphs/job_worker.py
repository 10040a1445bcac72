"""A worker of the task system that does the tasks of jobs, as a process.

    python job_worker.py DATABASE STORE sql|amqp:PREFIX CADENCE_S TYPE...

It says `ready`, and works until it is told to stop by SIGTERM. CADENCE_S is how often it says that
it lives.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace

from dlg_engine.tasks.amqp_queue import TaskQueueAmqp
from dlg_engine.tasks.job_working import job_handlers
from dlg_engine.tasks.queue_contract import LEASE_S, Delivery, TaskQueue
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.working import TaskWorker


class OwnQueues(TaskQueue):
    """Queues of a broker that others use too: their names begin with something of ours."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.queues = prefix, TaskQueueAmqp()
        self.used: set[str] = set()

    def close(self) -> None:
        self.queues.close()

    def delete(self) -> None:
        """Delete all queues."""
        names = [self.prefix + name for name in self.used]
        self.queues._do(lambda channel: [channel.queue_delete(name) for name in names])

    def queue_declare(self, queue_name: str) -> None:
        self.used.add(queue_name)
        self.queues.queue_declare(self.prefix + queue_name)

    def queue_publish(self, queue_name: str, item_id: int) -> None:
        self.used.add(queue_name)
        self.queues.queue_publish(self.prefix + queue_name, item_id)

    def queue_length(self, queue_name: str) -> int:
        return self.queues.queue_length(self.prefix + queue_name)

    def queue_fetch_list(self, queue_name: str) -> list[int]:
        return self.queues.queue_fetch_list(self.prefix + queue_name)

    def claim(
        self, queue_names: Sequence[str], worker: str, lease_s: float = LEASE_S
    ) -> Delivery | None:
        found = self.queues.claim([self.prefix + name for name in queue_names], worker, lease_s)
        return found and replace(found, queue=found.queue.removeprefix(self.prefix))

    def acknowledge(self, delivery: Delivery) -> None:
        self.queues.acknowledge(delivery)

    def give_back(self, delivery: Delivery) -> None:
        self.queues.give_back(delivery)

    def wait(self, queue_names: Sequence[str], timeout_s: float) -> None:
        self.queues.wait([self.prefix + name for name in queue_names], timeout_s)


def queue_of(tasks: TaskDatabaseConnection, kind: str) -> TaskQueue:
    """Return the queues that the command line names."""
    if kind == "sql":
        return TaskQueueSQL(tasks.database)
    return OwnQueues(kind.partition(":")[2])


def main() -> None:
    """See the module."""
    database, store, kind, cadence, *types = sys.argv[1:]
    with TaskDatabaseConnection(store, database) as tasks, queue_of(tasks, kind) as queue:
        worker = TaskWorker(tasks, queue, job_handlers(tasks, types), cadence_s=float(cadence))

        # Nothing is to be tidied up that the death of a worker would not tidy up.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        try:
            worker.run(threading.Event())
        finally:
            worker.close()


if __name__ == "__main__":
    main()
