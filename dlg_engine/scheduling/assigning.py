"""Which worker gets which split. Rows are locked, so that several schedulers may do it at once.

A queue is locked for as long as somebody gives its splits away: its limits for users are counted
over all of them. A scheduler that finds one locked goes on with the next queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from dlg.exceptions import UsageError
from dlg.support import clock
from dlg_engine.scheduling import jobs
from dlg_engine.scheduling.models import (
    Assignment,
    Block,
    Experiment,
    Job,
    JobSplit,
    Queue,
    Slot,
    Worker,
)
from dlg_engine.scheduling.states import AT_WORK, UNFINISHED, WAITED_FOR, Event, SplitState


class NoRoomError(UsageError):
    """A worker has not the cores or the memory that a split needs, or is not there."""


def queues_with_work(session: Session) -> list[Queue]:
    """Return the queues in which splits wait, the most demanding first: they fit least often."""
    waiting = (
        select(Block.queue_id)
        .join(Job)
        .join(JobSplit)
        .where(JobSplit.status == SplitState.QUEUED, Job.status.in_(UNFINISHED))
    )
    order = (Queue.memory_mb.desc(), Queue.cores.desc(), Queue.id)
    return list(session.scalars(select(Queue).where(Queue.id.in_(waiting)).order_by(*order)))


def lock_queue(session: Session, queue: Queue) -> bool:
    """Take the lock of a queue; return False if somebody else has it."""
    found = select(Queue.id).where(Queue.id == queue.id).with_for_update(skip_locked=True)
    return session.scalar(found) is not None


def candidates(session: Session, queue: Queue) -> list[JobSplit]:
    """Return the splits of a queue that may be given away now, the oldest first, and lock them."""
    found = session.scalars(
        select(JobSplit)
        .join(Job)
        .join(Block)
        .join(Experiment)
        .where(
            Block.queue_id == queue.id,
            JobSplit.status == SplitState.QUEUED,
            Job.status.in_(UNFINISHED),
            Job.runnable_date.is_not(None),
            ~Job.mirror,
            Experiment.status.in_(WAITED_FOR),
            Experiment.failure == "",
        )
        .order_by(Job.runnable_date, Job.id, JobSplit.split_index)
        .with_for_update(of=JobSplit, skip_locked=True)
        .options(selectinload(JobSplit.job).selectinload(Job.block).selectinload(Block.experiment))
    ).all()
    if not queue.max_slots_per_user:
        return list(found)
    return _within_limit(found, _slots_of_users(session, queue), queue.max_slots_per_user)


def _slots_of_users(session: Session, queue: Queue) -> Counter[str]:
    rows = session.execute(
        select(Experiment.author, func.count())
        .join(Block, Block.experiment_id == Experiment.id)
        .join(Job)
        .join(JobSplit)
        .where(Block.queue_id == queue.id, JobSplit.status.in_(AT_WORK))
        .group_by(Experiment.author)
    )
    held: Counter[str] = Counter()
    for author, count in rows:
        held[author] = count
    return held


def _within_limit(splits: Iterable[JobSplit], held: Counter[str], most: int) -> list[JobSplit]:
    allowed: list[JobSplit] = []
    for split in splits:
        author = split.job.block.experiment.author
        if held[author] < most:
            held[author] += 1
            allowed.append(split)
    return allowed


class Room:
    """What workers have free: they are locked, and what is given away is counted."""

    def __init__(self, session: Session, workers: Iterable[int]) -> None:
        self.workers: dict[int, Worker] = {
            one.id: one
            for one in session.scalars(
                select(Worker)
                .where(Worker.id.in_(sorted(workers)))
                .order_by(Worker.id)
                .with_for_update()
                .execution_options(populate_existing=True)
            )
        }
        self.cores = {one.id: one.cores for one in self.workers.values()}
        self.memory = {one.id: one.memory_mb for one in self.workers.values()}
        self.by_queue: Counter[tuple[int, int]] = Counter()
        self._count(session)

    def _count(self, session: Session) -> None:
        rows = session.execute(
            select(Worker.id, Block.queue_id, JobSplit.cores, JobSplit.memory_mb)
            .join(JobSplit, JobSplit.worker_id == Worker.id)
            .join(Job)
            .join(Block)
            .where(Worker.id.in_(list(self.workers)), JobSplit.status.in_(AT_WORK))
        )
        for worker, queue, cores, memory in rows:
            self.take(worker, queue, cores, memory)

    def take(self, worker: int, queue: int, cores: int, memory: int) -> None:
        """Count something as given to a worker."""
        self.cores[worker] -= cores
        self.memory[worker] -= memory
        self.by_queue[worker, queue] += 1

    def fits(self, worker: Worker, queue: Queue) -> bool:
        """Return whether a worker is there and has room for a slot of a queue."""
        one = self.workers.get(worker.id)
        if one is None or not one.active or self.cores[one.id] < queue.cores:
            return False
        # A worker that does not tell its memory is believed to have enough.
        return not one.memory_mb or self.memory[one.id] >= queue.memory_mb

    def best(self, slots: Sequence[Slot], queue: Queue) -> Worker | None:
        """Return the worker to be given the next split: by priority, then the least busy."""
        fitting = [
            slot
            for slot in slots
            if self.fits(slot.worker, queue)
            and self.by_queue[slot.worker_id, queue.id] < slot.quantity
        ]
        if not fitting:
            return None
        return max(
            fitting, key=lambda slot: (slot.priority, self.cores[slot.worker_id], -slot.worker_id)
        ).worker


def give_away(session: Session, queue: Queue, scheduler: str | None) -> list[JobSplit]:
    """Give splits of a queue, which is locked, to its workers while they have room.

    Only to those that are connected to `scheduler`, if one is named.
    """
    waiting = candidates(session, queue)
    if not waiting:
        return []
    serving = select(Slot).join(Worker).where(Slot.queue_id == queue.id, Worker.active)
    if scheduler is not None:
        serving = serving.where(Worker.scheduler == scheduler)
    slots = session.scalars(serving.options(selectinload(Slot.worker))).all()
    room = Room(session, (slot.worker_id for slot in slots))
    given: list[JobSplit] = []
    for split in waiting:
        worker = room.best(slots, queue)
        if worker is None:
            break
        give(session, split, worker, queue)
        room.take(worker.id, queue.id, queue.cores, queue.memory_mb)
        given.append(split)
    session.flush()
    return given


def give_to(session: Session, split: JobSplit, worker: Worker) -> None:
    """Give one split to one worker; raise NoRoomError if it cannot take it."""
    queue = split.job.block.queue
    session.refresh(queue, with_for_update=True)
    session.refresh(split, with_for_update=True)
    if not Room(session, [worker.id]).fits(worker, queue):
        raise NoRoomError(
            f"worker {worker.name} has not {queue.cores} cores and {queue.memory_mb} MB free, as "
            f"queue {queue.name} wants, or is not there"
        )
    give(session, split, worker, queue)
    session.flush()


def give(session: Session, split: JobSplit, worker: Worker, queue: Queue) -> None:
    """Note that a worker has a split, under a number that was never used."""
    jobs.move(split, Event.ASSIGN)
    assignment = Assignment(
        split_id=split.id, job_id=split.job_id, worker_id=worker.id, given=clock.now()
    )
    session.add(assignment)
    split.worker, split.assignment = worker, assignment
    split.cores, split.memory_mb = queue.cores, queue.memory_mb
    split.attempts += 1
    split.stop_told = False
    split.ended = None


def configuration_of(split: JobSplit) -> dict[str, Any]:
    """Return what the worker is sent: the block, the limits of its queue, and its range."""
    block = split.job.block
    queue = block.queue
    found: dict[str, Any] = dict(block.command)
    found["queue"] = queue.name
    found["nb_slots"] = block.required_slots
    found["limits"] = {
        "virtual_memory_in_megabytes": queue.memory_mb,
        "max_cpu_percent": 100 * queue.cores,
        "timeout_in_minutes": queue.time_limit_min,
    }
    if split.start_index is not None and split.end_index is not None:
        found["range"] = [split.start_index, split.end_index]
    return found


def as_existing(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration without what only workers of ours know: the others refuse it."""
    found = {key: one for key, one in configuration.items() if key != "limits"}
    if "result" in found:
        found["result"] = _unsigned(found["result"])
    if "outputs" in found:
        found["outputs"] = {name: _unsigned(one) for name, one in found["outputs"].items()}
    if "loop" in found:
        found["loop"] = as_existing(found["loop"])
    return found


def _unsigned(output: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in output.items() if key != "signature"}
