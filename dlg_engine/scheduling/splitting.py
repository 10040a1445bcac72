"""Jobs become splits: as many ranges of data indices as a block has slots, each for one worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dlg.beat.made import make_room
from dlg.exceptions import DaliugeException
from dlg_engine.scheduling import cache, jobs
from dlg_engine.scheduling.binding import lock_jobs
from dlg_engine.scheduling.models import Block, Experiment, Job, JobSplit
from dlg_engine.scheduling.states import AT_WORK, UNFINISHED, WAITED_FOR, JobState

Range = tuple[int, int]


def jobs_to_split(session: Session) -> list[Job]:
    """Return the jobs that can run and have no splits yet, those first that could first."""
    return list(
        session.scalars(
            select(Job)
            .join(Block)
            .join(Experiment)
            .where(
                Job.runnable_date.is_not(None),
                Job.status == JobState.QUEUED,
                ~Job.mirror,
                ~Job.splits.any(),
                Experiment.status.in_(WAITED_FOR),
                Experiment.failure == "",
            )
            .order_by(Job.runnable_date, Job.id)
        )
    )


def split(session: Session, job: Job) -> None:
    """Give a job its splits, unless another one makes the same or its results are there."""
    block = job.block
    work = _look(block)
    lock_jobs(session)
    if job not in jobs_to_split(session):
        return  # somebody was quicker
    if work.made:
        jobs.skip(job)
        jobs.release_dependents(job)
        jobs.settle(block.experiment)
        return
    main = _main_of(session, job)
    if main is not None:
        follow(main, [job])
        return
    if _busy(session, job) or _clashes(session, block):
        return
    if work.failure:
        jobs.fail(job, work.failure)
        return
    mark_similar(session, job)
    block.command = work.command
    make_room(work.command, block.experiment.cache)
    for index, limits in enumerate(work.ranges):
        first, last = limits or (None, None)
        job.splits.append(JobSplit(split_index=index, start_index=first, end_index=last))
    session.flush()


@dataclass(frozen=True)
class _Work:
    """What is to be done for a block."""

    command: dict[str, Any]
    made: bool = False
    ranges: Sequence[Range | None] = ()
    """Of its splits, None for one without limits."""
    failure: str = ""


def _look(block: Block) -> _Work:
    """Return what is to be done, as its files tell."""
    cache_directory = Path(block.experiment.cache)
    try:
        command, made = cache.prepared(block.command, block.signature, cache_directory)
    except (OSError, DaliugeException) as error:
        return _Work(dict(block.command), failure=f"its inputs cannot be read: {error}")
    if made or block.required_slots <= 1:
        return _Work(command, made, [None])
    try:
        ranges = find_ranges(command, block.required_slots, cache_directory)
    except (OSError, ValueError, DaliugeException) as error:
        return _Work(command, failure=f"its inputs cannot be divided: {error}")
    if not ranges:
        return _Work(command, failure="its inputs cannot be divided: they have no data")
    return _Work(command, ranges=ranges)


def mark_similar(session: Session, job: Job) -> None:
    """Let all other jobs that would make the same follow `job`, and delete their splits."""
    others = session.scalars(
        select(Job)
        .join(Block)
        .where(
            Block.signature == job.block.signature,
            Job.key == job.key, Job.id != job.id, Job.status == JobState.QUEUED, ~Job.mirror,
            ~Job.splits.any(JobSplit.status.in_(AT_WORK)),
        )
        .order_by(Job.id)
    ).all()  # fmt: skip
    # Assigned meanwhile it has begun, and is the one to be followed.
    jobs.drop_splits(others)
    follow(job, others)


def follow(main: Job, others: Sequence[Job]) -> None:
    """Let jobs follow `main`, which makes what they would make."""
    for one in others:
        one.mirror = True
        if main.status is JobState.PROCESSING:
            jobs.start_one(one)


def _main_of(session: Session, job: Job) -> Job | None:
    """Return the job that makes the same already."""
    return session.scalars(
        select(Job)
        .join(Block)
        .where(Job.key == job.key, Job.id != job.id, ~Job.mirror)
        .where(
            Block.signature == job.block.signature, Job.status.in_(UNFINISHED), Job.splits.any()
        )
        .limit(1)
    ).first()


def _busy(session: Session, job: Job) -> bool:
    """Return whether a worker still has a part of a job that is over and made the same."""
    found = select(JobSplit.id).join(Job).where(Job.key == job.key, JobSplit.status.in_(AT_WORK))
    return session.scalar(found.limit(1)) is not None


def _clashes(session: Session, block: Block) -> bool:
    """Return whether an earlier experiment still needs what this would write anew.

    The files have the same names although they are made of something else: of a library that has
    changed meanwhile, say.
    """
    found = (
        select(Block.id)
        .join(Experiment)
        .where(
            Block.key == block.key, Block.signature != block.signature,
            Block.experiment_id < block.experiment_id, Experiment.status.in_(jobs.OPEN),
        )
    )  # fmt: skip
    return session.scalar(found.limit(1)) is not None


def find_ranges(command: Mapping[str, Any], parts: int, directory: Path) -> list[Range]:
    """Return at most `parts` ranges of data indices, by the inputs on the channel of a block."""
    # Slow to import, and few blocks are divided.
    from dlg.beat.data import (  # noqa: PLC0415
        foundSplitRanges,
        load_data_index,
        load_data_index_db,
    )

    lists: list[list[int]] = []
    for one in command["inputs"].values():
        if one["channel"] != command["channel"]:
            continue
        if "database" in one:
            lists.extend(load_data_index_db(str(directory), one["path"]) or [])
        else:
            lists.append(load_data_index(str(directory), one["path"]))
    return [(int(first), int(last)) for first, last in foundSplitRanges(lists, parts)]
