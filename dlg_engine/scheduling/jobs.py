"""How jobs stand, and what follows from it for blocks, mirrors, dependents and experiments.

All of it happens under `lock_jobs`. States are changed by `move` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from dlg.support import clock
from dlg_engine.scheduling.models import Block, Experiment, Job, JobSplit
from dlg_engine.scheduling.states import (
    AT_WORK,
    UNFINISHED,
    BlockState,
    Event,
    ExperimentState,
    JobState,
    SplitState,
    step,
)

OPEN = (ExperimentState.SCHEDULED, ExperimentState.RUNNING, ExperimentState.CANCELLING)
"""Experiments that are not over."""


def move(one: Experiment | Block | Job | JobSplit, event: Event) -> None:
    """Take one step; nothing else sets a status."""
    one.status = step(one.status, event, str(one.id))


def session_of(one: Any) -> Session:
    """Return the session that an object belongs to while it is worked on."""
    found = object_session(one)
    if found is None:
        raise RuntimeError(f"{one!r} belongs to no open session")
    return found


def mirrors_of(job: Job) -> list[Job]:
    """Return the jobs that follow `job`, the runnable ones first."""
    found = session_of(job).scalars(
        select(Job)
        .where(Job.key == job.key, Job.mirror, Job.id != job.id, Job.status.in_(UNFINISHED))
        .order_by(Job.runnable_date.is_(None), Job.runnable_date, Job.id)
    )
    return list(found)


def together(job: Job) -> list[Job]:
    """Return `job` and those that follow it, each of which is waited for."""
    followers = [] if job.mirror else mirrors_of(job)
    return [job, *followers] if job.status in UNFINISHED else followers


def begin(job: Job) -> None:
    """Let a job, and those that follow it, be at work."""
    for one in together(job):
        if one.status is JobState.QUEUED:
            start_one(one)


def start_one(job: Job) -> None:
    """Let one job be at work, with its block and its experiment."""
    move(job, Event.START)
    job.started = job.block.started = clock.now()
    move(job.block, Event.START)
    experiment = job.block.experiment
    if experiment.status is ExperimentState.SCHEDULED:
        move(experiment, Event.START)


def finish(job: Job, statistics: dict[str, Any] | None) -> None:
    """Let a job, and those that follow it, be done; what needs their results may run."""
    for one in together(job):
        move(one, Event.FINISH)
        one.statistics = statistics
        _end(one, Event.FINISH)
        release_dependents(one)
        settle(one.block.experiment)


def skip(job: Job) -> None:
    """Let a job be done because its results are there."""
    move(job, Event.SKIP)
    _end(job, Event.SKIP)


def fail(job: Job, reason: str) -> None:
    """Let a job fail, with those that follow it and their experiments."""
    for one in together(job):
        if one.status not in UNFINISHED:
            continue  # given up meanwhile, with the experiment of another one
        move(one, Event.FAIL)
        _end(one, Event.FAIL)
        stop_splits(one)
        experiment = one.block.experiment
        experiment.failure = experiment.failure or f"{one.block.name}: {reason}"
        abandon(experiment)
        settle(experiment)


def _end(job: Job, event: Event) -> None:
    move(job.block, event)
    job.ended = job.block.ended = clock.now()
    job.mirror, job.awaited_since = False, None  # what is over follows nobody


def release_dependents(job: Job) -> None:
    """Make those jobs runnable that have waited for nothing else than `job`."""
    for block in job.block.needed_by:
        if block.job is not None:
            release(block.job)


def release(job: Job) -> None:
    """Make `job` runnable if all that it needs is done."""
    ready = all(block.status is BlockState.DONE for block in job.block.needs)
    if ready and job.runnable_date is None and job.status is JobState.QUEUED:
        job.runnable_date = clock.now()


def abandon(experiment: Experiment) -> None:
    """Stop all work for an experiment that nobody else needs."""
    for block in experiment.blocks:
        if block.job is not None and block.job.status in UNFINISHED:
            give_up(block.job)


def give_up(job: Job) -> None:
    """Cancel a job, now or when its workers have stopped; what another one needs goes on there."""
    if not job.mirror and job.splits and hand_over(job):
        _cancel(job)
        return
    stop_splits(job)
    if has_work(job):
        move(job, Event.CANCEL)
    else:
        _cancel(job)


def stop_splits(job: Job) -> None:
    """Cancel the splits of a job: at once those that wait, others when they have stopped."""
    for split in locked_splits(job):
        if split.status in (SplitState.QUEUED, SplitState.ASSIGNED, SplitState.PROCESSING):
            move(split, Event.CANCEL)


def hand_over(job: Job) -> bool:
    """Give the splits of a job to one that follows it; return whether there is one."""
    heirs = [one for one in mirrors_of(job) if one.block.experiment_id != job.block.experiment_id]
    heirs = [one for one in heirs if not doomed(one.block.experiment)]
    if not heirs:
        return False
    heir = heirs[0]
    splits = locked_splits(job)
    # The one at work stops being so before the other one begins: there is only ever one.
    at_work = job.status is JobState.PROCESSING
    if at_work:
        move(job, Event.LOSE)
        move(job.block, Event.LOSE)
    session_of(job).flush()
    heir.mirror = False
    heir.awaited_since, job.awaited_since = job.awaited_since, None
    for split in splits:
        split.job = heir
    if at_work and heir.status is JobState.QUEUED:
        start_one(heir)
    if heir.runnable_date is None:
        heir.runnable_date = job.runnable_date
    session_of(job).flush()
    return True


def doomed(experiment: Experiment) -> bool:
    """Return whether nobody waits for an experiment any more."""
    waiting = experiment.status in (ExperimentState.SCHEDULED, ExperimentState.RUNNING)
    return not waiting or bool(experiment.failure)


def stopped(job: Job) -> None:
    """Cancel a job for good if none of its parts is with a worker any more."""
    if job.status is JobState.CANCELLING and not has_work(job):
        move(job, Event.STOP)
        _ended_without_result(job)
    settle(job.block.experiment)


def _cancel(job: Job) -> None:
    move(job, Event.CANCEL)
    move(job, Event.STOP)
    _ended_without_result(job)


def _ended_without_result(job: Job) -> None:
    job.mirror = False
    job.awaited_since = None
    move(job.block, Event.STOP)
    job.ended = job.block.ended = clock.now()


def has_work(job: Job) -> bool:
    """Return whether a worker has a part of a job."""
    found = select(JobSplit.id).where(JobSplit.job_id == job.id, JobSplit.status.in_(AT_WORK))
    return session_of(job).scalar(found.limit(1)) is not None


def settle(experiment: Experiment) -> None:
    """Let an experiment be over if nothing of it is waited for any more."""
    if experiment.status not in OPEN or _goes_on(experiment):
        return
    if experiment.status is ExperimentState.CANCELLING:
        move(experiment, Event.STOP)
    else:
        move(experiment, Event.FAIL if experiment.failure else Event.FINISH)
    experiment.ended = clock.now()


def _goes_on(experiment: Experiment) -> bool:
    session = session_of(experiment)
    jobs = select(Job.id).join(Block).where(Block.experiment_id == experiment.id)
    waited_for = jobs.where(Job.status.in_((*UNFINISHED, JobState.CANCELLING)))
    at_work = jobs.join(JobSplit).where(JobSplit.status.in_(AT_WORK))
    return any(session.scalar(found.limit(1)) is not None for found in (waited_for, at_work))


def locked_splits(job: Job) -> Sequence[JobSplit]:
    """Return the splits of a job as they are now; nobody can give them to a worker meanwhile."""
    return (
        session_of(job)
        .scalars(
            select(JobSplit)
            .where(JobSplit.job_id == job.id)
            .order_by(JobSplit.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        .all()
    )


def drop_splits(jobs: Iterable[Job]) -> None:
    """Delete the splits of jobs."""
    for job in jobs:
        for split in locked_splits(job):
            session_of(job).delete(split)
        session_of(job).flush()
        session_of(job).expire(job, ["splits"])
