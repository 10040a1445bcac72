"""What pages and programs are told: queues, workers and experiments as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from dlg.exceptions import UsageError
from dlg_engine.scheduling.models import (
    Block,
    Experiment,
    Job,
    JobSplit,
    Queue,
    Result,
    Slot,
    Worker,
)
from dlg_engine.scheduling.states import AT_WORK, UNFINISHED, SplitState

LONGEST_TEXT = 20_000
"""How much of the output of a split is told."""


class NoExperimentError(UsageError):
    """An experiment was asked for that is not there."""


def queues(session: Session) -> list[dict[str, Any]]:
    """Return all queues with what waits and runs in them."""
    counts = _splits_by_queue(session)
    found = session.scalars(
        select(Queue)
        .options(selectinload(Queue.slots).selectinload(Slot.worker))
        .order_by(Queue.name)
    )
    return [
        {
            "name": one.name, "cores": one.cores, "memory_mb": one.memory_mb,
            "time_limit_min": one.time_limit_min, "max_slots_per_user": one.max_slots_per_user,
            "waiting": counts[one.id, False], "running": counts[one.id, True],
            "workers": sorted(slot.worker.name for slot in one.slots if slot.worker.active),
        }
        for one in found
    ]  # fmt: skip


def _splits_by_queue(session: Session) -> Counter[tuple[int, bool]]:
    open_states = (SplitState.QUEUED, *AT_WORK)
    rows = session.execute(
        select(Block.queue_id, JobSplit.status, func.count())
        .join(Job, Job.block_id == Block.id)
        .join(JobSplit)
        .where(JobSplit.status.in_(open_states), Job.status.in_(UNFINISHED))
        .group_by(Block.queue_id, JobSplit.status)
    )
    counts: Counter[tuple[int, bool]] = Counter()
    for queue, status, number in rows:
        counts[queue, status in AT_WORK] += number
    return counts


def workers(session: Session) -> list[dict[str, Any]]:
    """Return all workers with what they have."""
    used: dict[int, tuple[int, int, int]] = {
        worker: (number, cores, memory)
        for worker, number, cores, memory in session.execute(
            select(
                Worker.id,
                func.count(),
                func.sum(JobSplit.cores),
                func.sum(JobSplit.memory_mb),
            )
            .join(JobSplit, JobSplit.worker_id == Worker.id)
            .where(JobSplit.status.in_(AT_WORK))
            .group_by(Worker.id)
        )
    }
    found = session.scalars(
        select(Worker)
        .options(selectinload(Worker.slots).selectinload(Slot.queue))
        .order_by(Worker.name)
    )
    return [_worker(one, *used.get(one.id, (0, 0, 0))) for one in found]


def _worker(one: Worker, running: int, cores: int, memory: int) -> dict[str, Any]:
    return {
        "name": one.name, "active": one.active, "beats": one.beats, "cores": one.cores,
        "cores_used": cores, "memory_mb": one.memory_mb, "memory_used_mb": memory,
        "running": running, "since": one.heard_at, "scheduler": one.scheduler,
        "info": one.info, "queues": sorted(slot.queue.name for slot in one.slots),
    }  # fmt: skip


def experiments(session: Session, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Return the newest experiments, or those that are older than the one with a number."""
    query = select(Experiment).order_by(Experiment.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Experiment.id < before)
    found = session.scalars(query).all()
    counts: dict[int, Counter[str]] = {one.id: Counter() for one in found}
    rows = session.execute(
        select(Block.experiment_id, Block.status, func.count())
        .where(Block.experiment_id.in_(counts))
        .group_by(Block.experiment_id, Block.status)
    )
    for experiment, status, number in rows:
        counts[experiment][status.name.lower()] = number
    return [_experiment(one, counts[one.id]) for one in found]


def _experiment(one: Experiment, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": one.id, "name": one.name, "author": one.author, "status": one.status.name.lower(),
        "failure": one.failure, "created": one.created, "started": one.started,
        "ended": one.ended, "blocks": dict(counts),
    }  # fmt: skip


def find_experiment(session: Session, number: int) -> Experiment:
    """Return the experiment with a number; raise NoExperimentError if there is none."""
    found = session.get(Experiment, number)
    if found is None:
        raise NoExperimentError(f"there is no experiment {number}")
    return found


def experiment(session: Session, number: int) -> dict[str, Any]:
    """Return an experiment with its blocks, and what has become of their splits."""
    one = find_experiment(session, number)
    counts = Counter(block.status.name.lower() for block in one.blocks)
    return {**_experiment(one, counts), "details": [_block(block) for block in one.blocks]}


def _block(one: Block) -> dict[str, Any]:
    job = one.job
    return {
        "name": one.name, "status": one.status.name.lower(), "algorithm": one.algorithm,
        "analyzer": one.analyzer, "queue": one.queue.name, "environment": one.environment,
        "started": one.started, "ended": one.ended,
        "needs": [needed.name for needed in one.needs],
        "mirror": job is not None and job.mirror,
        "cached": job is not None and job.status.value == "skipped",
        "statistics": None if job is None else job.statistics,
        "splits": [] if job is None else [_split(split) for split in job.splits],
    }  # fmt: skip


def _split(one: JobSplit) -> dict[str, Any]:
    limits = None if one.start_index is None else [one.start_index, one.end_index]
    return {
        "index": one.split_index, "status": one.status.value, "range": limits,
        "worker": one.worker.name if one.worker else None, "attempts": one.attempts,
        "started": one.started, "ended": one.ended,
        "result": None if one.result is None else _result(one.result),
    }  # fmt: skip


def _result(one: Result) -> dict[str, Any]:
    texts = ("stdout", "stderr", "user_error", "system_error")
    found: dict[str, Any] = {name: getattr(one, name)[-LONGEST_TEXT:] for name in texts}
    return {**found, "status": one.status, "timed_out": one.timed_out}
