"""What web servers and schedulers do with experiments, jobs and splits: fourteen helpers.

Each is one transaction, or takes part in that of the objects it is given; `binding` says in which
database. Any number of schedulers may call them at once, in any number of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select

from dlg_engine.scheduling import assigning, cache, jobs, planning, progress, splitting
from dlg_engine.scheduling.binding import SchedulingDatabase, database_of, here, lock_jobs, work
from dlg_engine.scheduling.models import Experiment, Job, JobSplit, Queue, Result, Worker
from dlg_engine.scheduling.states import Event, ExperimentState

Outcome = Mapping[str, Any] | Result
"""What an executor returns, or the row that was made of it."""


def schedule_experiment(
    experiment: Experiment, *, database: SchedulingDatabase | None = None
) -> bool:
    """Make a job of each block of a pending experiment; return False for one that is not pending.

    Blocks whose results are in the cache are done at once. A scheduler does the rest.
    """
    with work(experiment, database=database) as session:
        lock_jobs(session)
        experiment = here(session, experiment)
        session.refresh(experiment)
        if experiment.status is not ExperimentState.PENDING:
            return False
        planning.schedule(session, experiment)
        return True


def cancel_experiment(
    experiment: Experiment, *, database: SchedulingDatabase | None = None
) -> bool:
    """Note that an experiment is to be cancelled; return False where there is nothing to cancel.

    A scheduler does it. Work that other experiments wait for goes on.
    """
    with work(experiment, database=database) as session:
        lock_jobs(session)
        experiment = here(session, experiment)
        session.refresh(experiment)
        if experiment.status not in (ExperimentState.SCHEDULED, ExperimentState.RUNNING):
            return False
        jobs.move(experiment, Event.CANCEL)
        return True


def split_new_jobs(*, database: SchedulingDatabase | None = None) -> list[Job]:
    """Divide the jobs that can run and are not divided yet; return those it looked at."""
    where = database_of(database)
    with where.reading() as session:
        found = splitting.jobs_to_split(session)
    for job in found:
        # One after the other: reading the index of one holds up nobody, and fails nobody else.
        with work(job, database=where) as session:
            splitting.split(session, here(session, job))
    return found


def process_newly_cancelled_experiments(
    *, scheduler: str | None = None, database: SchedulingDatabase | None = None
) -> list[JobSplit]:
    """Cancel what was to be cancelled; return the splits that their workers are to be told of.

    Those stay so until their workers have stopped. An experiment of which nothing runs any more
    is pending again. With `scheduler`, only splits of workers that are connected to it.
    """
    where = database_of(database)
    with where.reading() as session:
        if not planning.something_to_stop(session):
            return []
    with work(database=where) as session:
        lock_jobs(session)
        cancelling = select(Experiment).where(Experiment.status == ExperimentState.CANCELLING)
        for experiment in session.scalars(cancelling.order_by(Experiment.id)).all():
            jobs.abandon(experiment)
            jobs.settle(experiment)
        session.flush()
        return planning.splits_to_stop(session, scheduler)


def is_cache_complete(path: str, nb_expected_blocks: int | None, cache: str | Path) -> bool:
    """Return whether the files of `path` in a cache are all there, whole, with so many units.

    A file that another host has written may take a moment to be seen: ask again. None stands for
    any number of units.
    """
    return _is_complete(path, nb_expected_blocks, Path(cache))


def assign_splits_to_workers(
    *, scheduler: str | None = None, database: SchedulingDatabase | None = None
) -> list[JobSplit]:
    """Give splits to workers of their queues that have room; return those that were given.

    With `scheduler`, only to workers that are connected to it.
    """
    where = database_of(database)
    with where.reading() as session:
        queues = assigning.queues_with_work(session)
    given: list[JobSplit] = []
    for queue in queues:
        with work(database=where) as session:
            own = session.get(Queue, queue.id)
            if own is not None and assigning.lock_queue(session, own):
                given += assigning.give_away(session, own, scheduler)
    return given


def get_configuration_for_split(
    split: JobSplit, *, database: SchedulingDatabase | None = None
) -> dict[str, Any]:
    """Return what a worker needs to know to run a split."""
    with work(split, database=database) as session:
        return assigning.configuration_of(here(session, split))


def on_split_started(split: JobSplit, *, database: SchedulingDatabase | None = None) -> None:
    """Note that a worker has begun with a split; the first one starts its block."""
    with work(split, database=database) as session:
        progress.started(session, here(session, split))


def on_split_done(
    split: JobSplit, result: Outcome, *, database: SchedulingDatabase | None = None
) -> None:
    """Note that a worker has finished a split; the last one finishes its block.

    Then what needs the block may run, and the blocks of others that would have made the same are
    finished too.
    """
    with work(split, database=database) as session:
        progress.done(session, here(session, split), _mapping(result))


def on_split_fail(
    split: JobSplit, result: Outcome, *, database: SchedulingDatabase | None = None
) -> None:
    """Note that a worker has failed with a split: its block and its experiment fail.

    What still runs for that experiment alone is stopped. A failure that is not the user's, but one
    of the system, is tried again a few times.
    """
    with work(split, database=database) as session:
        progress.failed(session, here(session, split), _mapping(result))


def on_split_cancelled(split: JobSplit, *, database: SchedulingDatabase | None = None) -> None:
    """Note that a worker has stopped a split; with the last one its job is cancelled."""
    with work(split, database=database) as session:
        progress.cancelled(session, here(session, split))


def retrieve_candidate_splits_for_queue(
    queue: Queue, *, database: SchedulingDatabase | None = None
) -> list[JobSplit]:
    """Return the splits of a queue that could be given to a worker now, the oldest first.

    Those are left out with which a user would hold more slots than the queue allows.
    """
    with work(queue, database=database) as session:
        return assigning.candidates(session, here(session, queue))


def assign_split_to_worker(
    split: JobSplit, worker: Worker, *, database: SchedulingDatabase | None = None
) -> None:
    """Give a split to a worker, with the cores of its queue.

    Raises NoRoomError if the worker has not as many, UnexpectedEventError if the split is not to
    be given away any more.
    """
    with work(split, worker, database=database) as session:
        assigning.give_to(session, here(session, split), here(session, worker))


def mark_similar_jobs_as_mirror(job: Job, *, database: SchedulingDatabase | None = None) -> None:
    """Let all jobs that would make the same as `job`, and have not begun, follow it."""
    with work(job, database=database) as session:
        lock_jobs(session)
        job = here(session, job)
        session.refresh(job)
        splitting.mark_similar(session, job)


def update_dependent_jobs(job: Job, *, database: SchedulingDatabase | None = None) -> None:
    """Make those jobs runnable that have waited for nothing else than `job`."""
    with work(job, database=database) as session:
        lock_jobs(session)
        job = here(session, job)
        session.refresh(job)
        jobs.release_dependents(job)


_is_complete = cache.is_complete


def _mapping(result: Outcome) -> Mapping[str, Any]:
    if not isinstance(result, Result):
        return result
    names = ("status", "stdout", "stderr", "user_error", "system_error", "timed_out", "statistics")
    return {name: getattr(result, name) for name in names}
