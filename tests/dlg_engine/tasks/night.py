"""A database of tasks as a survey has it: a job that is over, with failures, and one that runs."""

from __future__ import annotations

import json
import logging
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dlg_engine.tasks.logging_database import EasLoggingHandler
from dlg_engine.tasks.registering import NewTask, Ref
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.task_types import TaskTypeList
from dlg_engine.tasks.working import TaskWorker

RADII = (1.0, 2.0, 4.0, 8.0)
PERIODS = (1.7, 4.3, 10.6, 26.5)
BROKEN = 3
"""The planet whose light curve cannot be made."""
PATIENCE_S = 60.0


def night(name: str = "transits", namespace: str = "run 1", planets: int = 16) -> list[NewTask]:
    """Return a job: for each planet make a light curve and search it, then count."""
    job: list[NewTask] = [
        NewTask(task_type="null", job_name=name, task_name=name, namespace=namespace,
                configured=False)
    ]  # fmt: skip
    searches: list[Ref] = []
    for planet in range(planets):
        about = {
            "planet": planet,
            "radius": RADII[planet % 4],
            "period": PERIODS[planet // 4 % 4],
        }
        make = Ref(len(job))
        job.append(
            NewTask(
                task_type="make", job_name=name, task_name=f"star {planet}", parent=Ref(0),
                metadata=about, outputs={"lightcurve": f"star_{planet:03d}.svg"},
            )
        )  # fmt: skip
        searches.append(Ref(len(job)))
        job.append(
            NewTask(
                task_type="search", job_name=name, task_name=f"search {planet}", parent=Ref(0),
                metadata=about, inputs={"lightcurve": (make, "lightcurve")},
                outputs={"verdict": f"verdict_{planet:03d}.json"},
            )
        )  # fmt: skip
    job.append(
        NewTask(
            task_type="count", job_name=name, task_name="recovery", parent=Ref(0),
            input_metadata=searches, outputs={"map": "map.png"},
        )
    )  # fmt: skip
    return job


class Night:
    """The database, and what runs its tasks."""

    def __init__(self, tasks: TaskDatabaseConnection, folder: Path) -> None:
        self.tasks, self.folder = tasks, folder
        types = TaskTypeList()
        for name in ("null", "make", "search", "count"):
            types.add(name)
        tasks.task_type_list_to_db(types)
        self.queue = TaskQueueSQL(tasks.database)
        self.logs = EasLoggingHandler(tasks.database)
        self.broken = {BROKEN}
        self.passes_all = False
        folder.mkdir(exist_ok=True)

    def close(self) -> None:
        """Let go of the queue and the log."""
        self.logs.close()
        self.queue.close()

    def submit(self, **how: object) -> list[int]:
        """Register a job and schedule what can be run."""
        numbers = self.tasks.tasks_register(night(**how))  # type: ignore[arg-type]  # as given
        with TaskScheduler(tasks=self.tasks, queue=self.queue) as scheduler:
            scheduler.turn()
        return numbers

    def work(self, name: str = "host1:1", *, most: int | None = None) -> int:
        """Run what is in the queues, as a worker of this name; return how many attempts."""
        handlers = {"make": self.make, "search": self.search, "count": self.count}
        worker = TaskWorker(
            self.tasks, self.queue, handlers, {"search": self.judge}, name=name
        )  # fmt: skip
        done = 0
        try:
            while (most is None or done < most) and worker.do_one():
                done += 1
        finally:
            worker.close()
        return done

    def make(self, attempt: TaskExecutionAttempt) -> None:
        """Draw a light curve, or fail."""
        about = _metadata(attempt)
        self.say(attempt, logging.INFO, f"a star with a planet of {about['radius']} Earth radii")
        if about["planet"] in self.broken:
            self.say(attempt, logging.ERROR, "the star has gone out")
            raise ValueError("the star has gone out: <b>no flux</b>")
        depth = 4 * about["radius"]
        points = " ".join(f"{10 * i},{20 + (depth if i % 8 == 4 else i % 3)}" for i in range(40))
        text = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 70">'
            f'<polyline points="{points}" fill="none" stroke="steelblue"/></svg>'
        )
        self.give(attempt, "lightcurve", text.encode())

    def search(self, attempt: TaskExecutionAttempt) -> None:
        """Find big planets with short periods."""
        about = _metadata(attempt)
        found = about["radius"] >= 4 or (about["radius"] >= 2 and about["period"] < 10)
        told = {"found": found, "power": about["radius"] * 3.1}
        self.say(attempt, logging.WARNING if not found else logging.INFO, f"found: {found}")
        number = int(attempt.attempt_id or 0)
        self.tasks.execution_attempt_update(number, metadata=told)
        self.give(attempt, "verdict", json.dumps(told).encode())

    def judge(self, attempt: TaskExecutionAttempt) -> None:
        """Refuse verdicts by which nothing was found."""
        good = self.passes_all or bool(attempt.metadata["found"].value)
        for version in attempt.output_files.values():
            self.tasks.file_version_update(int(version.product_version_id or 0), passed_qc=good)

    def count(self, attempt: TaskExecutionAttempt) -> None:
        """Draw a map."""
        self.give(attempt, "map", png())

    def give(self, attempt: TaskExecutionAttempt, name: str, content: bytes) -> None:
        """Register what an attempt has made."""
        file = self.folder / f"{attempt.attempt_id}-{name}"
        file.write_bytes(content)
        self.tasks.execution_attempt_register_output(attempt, name, file, {})

    def say(self, attempt: TaskExecutionAttempt, level: int, text: str) -> None:
        """Write a message of an attempt."""
        self.logs.set_task_attempt_id(attempt.attempt_id)
        self.logs.emit(logging.LogRecord("night", level, __file__, 1, text, (), None))
        self.logs.flush()

    @contextmanager
    def held(self, worker: str = "host2:7") -> Iterator[Callable[[], None]]:
        """Have one attempt of a light curve running; calling what is given lets it end."""
        begun, go_on = threading.Event(), threading.Event()

        def wait(attempt: TaskExecutionAttempt) -> None:
            begun.set()
            assert go_on.wait(PATIENCE_S)
            self.give(attempt, "lightcurve", b"text")

        def run() -> None:
            store = self.tasks.file_store_path
            own = TaskDatabaseConnection(store, self.tasks.database)
            queue = TaskQueueSQL(self.tasks.database)
            doing = TaskWorker(own, queue, {"make": wait}, name=worker)
            try:
                doing.do_one()
            finally:
                doing.close()
                queue.close()

        thread = threading.Thread(target=run, name="held")
        thread.start()
        try:
            assert begun.wait(PATIENCE_S)
            yield go_on.set
        finally:
            go_on.set()
            thread.join(PATIENCE_S)
        assert not thread.is_alive()


def _metadata(attempt: TaskExecutionAttempt) -> dict[str, float]:
    assert attempt.task_object is not None
    return {key: item.value for key, item in attempt.task_object.metadata.items()}


def png() -> bytes:
    """Return a small picture."""
    rows = b"".join(b"\0" + bytes((x * y) % 256 for x in range(48)) for y in range(32))

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 48, 32, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")
