"""The workers as rows: who is there, with how many cores, for which queues, and what they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from dlg.support import clock
from dlg_engine.scheduling.models import ANY, Block, Job, JobSplit, Queue, Slot, Worker
from dlg_engine.scheduling.progress import is_small
from dlg_engine.scheduling.states import AT_WORK, SplitState


def enrol(
    session: Session, name: str, facts: Mapping[str, Any], scheduler: str, cores: int
) -> Worker:
    """Note that a worker is there; one that tells nothing of itself is taken to have `cores`."""
    worker = session.scalar(select(Worker).where(Worker.name == name).with_for_update())
    if worker is None:
        worker = Worker(name=name, cores=cores)
        session.add(worker)
        _serve(session, worker, _texts(facts.get("queues")))
    worker.active, worker.scheduler, worker.heard_at = True, scheduler, clock.now()
    worker.beats, worker.info = "session" in facts, ""
    worker.cores = _number(facts.get("cores"), worker.cores) or worker.cores
    worker.memory_mb = _number(facts.get("memory_mb"), worker.memory_mb)
    session.flush()
    return worker


def _serve(session: Session, worker: Worker, names: Sequence[str]) -> None:
    """Let a new worker serve the queues it names, or all."""
    worker.serves_all = not names
    queues = select(Queue).where(Queue.name.in_(names)) if names else select(Queue)
    for queue in session.scalars(queues):
        worker.slots.append(Slot(queue=queue, quantity=ANY))


def dismiss(session: Session, name: str) -> list[JobSplit]:
    """Note that a worker has gone; return the splits that it had."""
    worker = session.scalar(select(Worker).where(Worker.name == name).with_for_update())
    if worker is None:
        return []
    worker.active = False
    session.flush()
    return held_by(session, name)


def held_by(session: Session, name: str) -> list[JobSplit]:
    """Return the splits that a worker has."""
    return list(
        session.scalars(
            select(JobSplit)
            .join(Worker)
            .where(Worker.name == name, JobSplit.status.in_(AT_WORK))
            .order_by(JobSplit.id)
        )
    )


def timed_splits(session: Session, scheduler: str) -> list[tuple[JobSplit, str, float]]:
    """Return splits of queues with a time limit on workers that do not see to it.

    Each comes with the name of its worker and the limit in seconds.
    """
    rows = session.execute(
        select(JobSplit, Worker.name, Queue.time_limit_min)
        .join(Worker)
        .join(Job)
        .join(Block)
        .join(Queue)
        .where(
            ~Worker.beats, Worker.scheduler == scheduler, Queue.time_limit_min > 0,
            JobSplit.status == SplitState.PROCESSING,
        )
    )  # fmt: skip
    return [(split, name, 60 * minutes) for split, name, minutes in rows]


def split_of(session: Session, name: str, number: int) -> JobSplit | None:
    """Return the split that a worker has under a number; None if it has none under that."""
    if not is_small(number):
        return None
    return session.scalar(
        select(JobSplit)
        .join(Worker)
        .where(JobSplit.assignment_id == number, Worker.name == name, JobSplit.status.in_(AT_WORK))
        .options(selectinload(JobSplit.worker))
    )


def complain(session: Session, name: str, text: str) -> None:
    """Keep what a worker complains of."""
    worker = session.scalar(select(Worker).where(Worker.name == name))
    if worker is not None:
        worker.info = text


def take_over(session: Session, scheduler: str) -> list[str]:
    """Return the names of the workers that were connected to a scheduler before it ended.

    None of them is given anything until it has said what it has.
    """
    found = session.scalars(
        select(Worker)
        .where(Worker.active, Worker.scheduler == scheduler)
        .order_by(Worker.id)
        .with_for_update()
    ).all()
    for worker in found:
        worker.active = False
    return [worker.name for worker in found]


def _number(value: Any, default: int) -> int:
    return value if type(value) is int and 0 <= value < 1 << 31 else default


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
