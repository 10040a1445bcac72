"""A scheduler that runs puts into queues what comes, until it is told to stop."""

from __future__ import annotations

import threading

from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_queues import TaskScheduler


def test_what_is_registered_while_it_runs_gets_into_its_queue(
    lite: TaskDatabaseConnection,
) -> None:
    stop = threading.Event()

    def schedule() -> None:
        with (
            TaskDatabaseConnection(lite.file_store_path, lite.database.engine.url.database) as own,
            TaskQueueSQL(own.database) as queue,
            TaskScheduler(tasks=own, queue=queue) as scheduler,
        ):
            scheduler.run(stop)

    thread = threading.Thread(target=schedule)
    with TaskQueueSQL(lite.database) as queue:
        thread.start()
        lite.task_register(task_type="null")
        while not queue.queue_length("null"):
            queue.ring()  # whoever registers by hand rings by hand
            queue.wait(["null"], 0.5)
        stop.set()
        queue.ring()
        while thread.is_alive():
            queue.ring()
            thread.join(0.5)
        assert len(queue.queue_fetch_list("null")) == 1
