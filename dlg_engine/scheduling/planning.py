"""From an experiment of a prefix to rows: what is to be run, in which order and in which queue."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from dlg.exceptions import DaliugeException, UsageError
from dlg.support import clock
from dlg_engine.scheduling import cache, jobs
from dlg_engine.scheduling.binding import SchedulingDatabase, here, lock_jobs, work
from dlg_engine.scheduling.models import Block, Experiment, Job, JobSplit, Queue, Worker
from dlg_engine.scheduling.queues import new_queue
from dlg_engine.scheduling.states import BlockState, Event, ExperimentState, SplitState

UNTOLD = (JobSplit.status == SplitState.CANCELLING) & ~JobSplit.stop_told


class InvalidExperimentError(UsageError):
    """An experiment cannot be run as it is."""


class UnknownQueueError(UsageError):
    """A block names a queue that the administrator has not set up."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be known of an experiment."""

    name: str
    author: str
    cache: Path
    blocks: Mapping[str, Mapping[str, Any]]
    """As `setup` of an experiment returns them: what each needs, and its configuration."""
    signatures: Mapping[str, str] = field(default_factory=dict)
    """The complete signature of each block, as far as they are known."""


def key_of(command: Mapping[str, Any]) -> str:
    """Return what tells blocks apart that make different files."""
    named = "\n".join(sorted(cache.outputs_of(command)))
    return hashlib.sha256(named.encode()).hexdigest()


def create_experiment(
    plan: Plan, *, any_queue: bool = False, database: SchedulingDatabase | None = None
) -> Experiment:
    """Add an experiment, pending; with `any_queue` its queues are made where they are missing.

    Raises UnknownQueueError for those otherwise.
    """
    with work(database=database) as session:
        experiment = Experiment(
            name=plan.name, author=plan.author, cache=str(plan.cache.absolute()),
            created=clock.now(),
        )  # fmt: skip
        session.add(experiment)
        queues = _queues(session, plan, any_queue)
        rows: dict[str, Block] = {}
        for order, (name, one) in enumerate(plan.blocks.items()):
            rows[name] = block = _block(name, order, one["configuration"])
            block.signature = plan.signatures.get(name, "")
            block.queue = queues[str(one["configuration"]["queue"])]
            # Datasets are no blocks: what needs them alone needs nothing.
            block.needs = [rows[needed] for needed in one["dependencies"] if needed in rows]
            experiment.blocks.append(block)
        session.flush()
        return experiment


def _block(name: str, order: int, command: Mapping[str, Any]) -> Block:
    environment = command.get("environment") or {}
    named = f"{environment['name']} ({environment['version']})" if environment else ""
    return Block(
        name=name,
        order=order,
        analyzer="result" in command,
        algorithm=str(command["algorithm"]),
        environment=named,
        channel=str(command["channel"]),
        required_slots=int(command.get("nb_slots") or 1),
        command=dict(command),
        key=key_of(command),
    )


def _queues(session: Session, plan: Plan, any_queue: bool) -> dict[str, Queue]:
    wanted = sorted({str(one["configuration"]["queue"]) for one in plan.blocks.values()})
    found = {one.name: one for one in session.scalars(select(Queue).where(Queue.name.in_(wanted)))}
    missing = [name for name in wanted if name not in found]
    if missing and not any_queue:
        known = ", ".join(session.scalars(select(Queue.name).order_by(Queue.name))) or "none"
        raise UnknownQueueError(
            f"{plan.name}: there is no queue {missing[0]!r}; there are: {known}"
        )
    if missing:
        lock_jobs(session)
        for name in missing:
            there = session.scalar(select(Queue).where(Queue.name == name))
            found[name] = there or new_queue(session, name)
    return found


def schedule(session: Session, experiment: Experiment) -> None:
    """Make the jobs of a pending experiment, and let those run that need nothing."""
    jobs.move(experiment, Event.SCHEDULE)
    experiment.started, experiment.ended, experiment.failure = clock.now(), None, ""
    for block in experiment.blocks:
        if block.job is not None:
            session.delete(block.job)
            session.flush()
            session.expire(block, ["job"])
        if block.status is not BlockState.PENDING:
            jobs.move(block, Event.RESET)
        block.started = block.ended = None
        block.job = Job(key=block.key)
    session.flush()
    for block in experiment.blocks:
        if block.job is not None and _is_made(block):
            jobs.skip(block.job)
    for block in experiment.blocks:
        if block.job is not None:
            jobs.release(block.job)
    session.flush()
    jobs.settle(experiment)


def _is_made(block: Block) -> bool:
    """Return whether the results of a block, and of all that it needs, are there."""
    if any(needed.status is not BlockState.DONE for needed in block.needs):
        return False
    try:
        return cache.prepared(block.command, block.signature, Path(block.experiment.cache))[1]
    except (OSError, DaliugeException):
        return False  # it is told when its turn comes


def reset_experiment(
    experiment: Experiment, *, database: SchedulingDatabase | None = None
) -> None:
    """Let an experiment that is over be pending again; its results stay in the cache."""
    with work(experiment, database=database) as session:
        lock_jobs(session)
        experiment = here(session, experiment)
        session.refresh(experiment)
        jobs.move(experiment, Event.RESET)


def something_to_stop(session: Session) -> bool:
    """Return whether an experiment or a split is to be cancelled."""
    experiments = select(Experiment.id).where(Experiment.status == ExperimentState.CANCELLING)
    splits = select(JobSplit.id).where(UNTOLD)
    return any(session.scalar(one.limit(1)) is not None for one in (experiments, splits))


def splits_to_stop(session: Session, scheduler: str | None) -> list[JobSplit]:
    """Return the splits whose workers have to be told to stop them, each once.

    Only those of workers that are connected to `scheduler`, if one is named.
    """
    untold = select(JobSplit).join(Worker).where(UNTOLD)
    if scheduler is not None:
        untold = untold.where(Worker.scheduler == scheduler)
    found = session.scalars(
        untold.order_by(JobSplit.id).options(selectinload(JobSplit.worker))
    ).all()
    for split in found:
        split.stop_told = True
    return list(found)


def delete_experiment(
    experiment: Experiment, *, database: SchedulingDatabase | None = None
) -> None:
    """Forget an experiment that is pending or over; its results stay in the cache."""
    with work(experiment, database=database) as session:
        lock_jobs(session)
        experiment = here(session, experiment)
        session.refresh(experiment)
        if experiment.status in jobs.OPEN:
            raise UsageError(
                f"{experiment.name} is {experiment.status.name.lower()}: cancel it first"
            )
        session.delete(experiment)


def experiments_of(session: Session, names: Iterable[str] = ()) -> list[Experiment]:
    """Return the experiments of these names, or all, the newest first."""
    wanted = list(names)
    query = select(Experiment).order_by(Experiment.id.desc())
    return list(session.scalars(query.where(Experiment.name.in_(wanted)) if wanted else query))
