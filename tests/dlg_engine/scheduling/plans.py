"""Experiments for tests: blocks by what they need, and the files that they would make."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlg_engine.scheduling import cache, helpers
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.models import (
    Block,
    Experiment,
    Job,
    JobSplit,
    Queue,
    Slot,
    Worker,
)
from dlg_engine.scheduling.planning import Plan, create_experiment

GOOD: Mapping[str, Any] = {"status": 0, "statistics": {"data": {"blocks": {"write": 3}}}}
BAD: Mapping[str, Any] = {"status": 1, "user_error": "Traceback ...\nValueError: no good"}
KILLED: Mapping[str, Any] = {"status": 1, "system_error": "it was killed by signal 9"}
UNITS = 3


def path_of(key: str) -> str:
    """Return where the output of a block with `key` lies in a cache."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{digest[:2]}/{digest[2:4]}/{digest[4:6]}/{digest[6:]}"


def command(
    key: str, needs: Sequence[str] = (), *, slots: int = 1, queue: str = "queue"
) -> dict[str, Any]:
    """Return the configuration of a block whose output has `key`."""
    return {
        "algorithm": "user/any/1",
        "channel": "a",
        "inputs": {
            f"in{i}": {"channel": "a", "endpoint": f"in{i}", "path": path_of(one)}
            for i, one in enumerate(needs)
        },
        "outputs": {"out": {"channel": "a", "endpoint": "out", "path": path_of(key)}},
        "parameters": {},
        "queue": queue,
        "nb_slots": slots,
        "environment": {"name": "python", "version": "1"},
    }


def plan(
    where: Path, blocks: Mapping[str, Sequence[str]], *, author: str = "user", **how: Any
) -> Plan:
    """Return the plan of an experiment; a block is named by the key of its output."""
    return Plan(
        name=f"{author}/{author}/any/1/{'-'.join(blocks)}",
        author=author,
        cache=where,
        blocks={
            name: {"dependencies": list(needs), "configuration": command(name, needs, **how)}
            for name, needs in blocks.items()
        },
    )


def write_output(directory: Path, path: str, first: int = 0, last: int = UNITS - 1) -> None:
    """Write the files that a worker would write for a range."""
    stem = directory / path
    stem.parent.mkdir(parents=True, exist_ok=True)
    index = "".join(f"{i} {i}\n" for i in range(first, last + 1)).encode()
    for ending, content in ((".data", b"binary\nuser/any/1\n"), (".index", index)):
        file = stem.with_name(f"{stem.name}.{first}.{last}{ending}")
        file.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        file.with_name(file.name + ".checksum").write_text(digest)


def write_results(split: JobSplit, database: SchedulingDatabase) -> None:
    """Write what a worker would write for a split."""
    with database.reading() as session:
        found = session.get_one(JobSplit, split.id)
        block = found.job.block
        first = 0 if found.start_index is None else found.start_index
        last = UNITS - 1 if found.end_index is None else found.end_index
        for path in cache.outputs_of(block.command):
            write_output(Path(block.experiment.cache), path, first, last)


class Desk:
    """A database with a queue, and short ways to look into it."""

    def __init__(self, database: SchedulingDatabase, cache_directory: Path) -> None:
        self.database, self.cache = database, cache_directory

    def add_queue(self, name: str = "queue", **fields: Any) -> Queue:
        """Add a queue."""
        with self.database.transaction() as session:
            queue = Queue(name=name, **fields)
            session.add(queue)
        return queue

    def add_worker(
        self, name: str, queues: Iterable[Queue], *, cores: int = 4, quantity: int = 4
    ) -> Worker:
        """Add a worker that serves queues."""
        with self.database.transaction() as session:
            worker = Worker(name=name, active=True, cores=cores)
            session.add(worker)
            session.flush()
            for queue in queues:
                session.add(Slot(queue_id=queue.id, worker_id=worker.id, quantity=quantity))
        return worker

    def add(self, blocks: Mapping[str, Sequence[str]], **how: Any) -> Experiment:
        """Add an experiment and schedule it."""
        made = create_experiment(plan(self.cache, blocks, **how), database=self.database)
        assert helpers.schedule_experiment(made, database=self.database)
        return made

    def advance(self) -> list[JobSplit]:
        """Do what a scheduler does; return what it gave to workers."""
        helpers.process_newly_cancelled_experiments(database=self.database)
        helpers.split_new_jobs(database=self.database)
        return helpers.assign_splits_to_workers(database=self.database)

    def do(self, split: JobSplit) -> None:
        """Do what a worker does with a split."""
        helpers.on_split_started(split, database=self.database)
        write_results(split, self.database)
        helpers.on_split_done(split, GOOD, database=self.database)

    @contextmanager
    def look(self) -> Iterator[Look]:
        """Look at the present state."""
        with self.database.reading() as session:
            yield Look(session)

    def drain(self) -> int:
        """Go on until nothing is left to be done; return how many splits were done."""
        count = 0
        while given := self.advance():
            for split in given:
                self.do(split)
                count += 1
        return count

    def states(self, experiment: Experiment) -> tuple[str, dict[str, str]]:
        """Return how an experiment stands and its blocks."""
        with self.database.reading() as session:
            found = session.get_one(Experiment, experiment.id)
            return found.status.name, {one.name: one.status.name for one in found.blocks}


class Look:
    """One state of the database."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def job(self, experiment: Experiment, block: str) -> Job:
        """Return the job of a block."""
        found = self.session.query(Block).filter_by(experiment_id=experiment.id, name=block)
        job: Job = found.one().job
        return job

    def all(self, kind: Any) -> list[Any]:
        """Return all rows of a table."""
        return list(self.session.query(kind).order_by(kind.id))
