"""Jobs grow: what follows from a decision is registered with it, in one transaction, once.

The plan of a job is the same whenever it is made of its document, so that whoever takes a decision
can work out what follows. A job is locked meanwhile: of two who decide the same, one does, and who
comes later, as after the death of the first, finds what was decided.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dlg.jobs.parsing import parse_job
from dlg.jobs.planning import plan_job
from dlg.jobs.unfolding import Unfolding
from dlg.support.garbage import held_off
from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.job_registering import (
    DESCRIPTION,
    PLAN,
    JobPlan,
    digest_of,
    register_steps,
)
from dlg_engine.tasks.records import Records, read_metadata
from dlg_engine.tasks.statements import repeated

MOST_PLANS = 4
"""Of how many jobs the plans are kept."""


@dataclass(slots=True)
class _Grown:
    """A job as far as it is known here."""

    job: JobPlan
    decided: dict[int, bool] = field(default_factory=dict)


class JobGrowth:
    """Takes decisions of jobs in a database. An object is for one thread."""

    def __init__(self, tasks: Records) -> None:
        self._tasks = tasks
        self._grown: OrderedDict[int, _Grown] = OrderedDict()

    def decide(self, job_id: int, step: int, taken: bool) -> bool:
        """Note a decision and register what follows; return what was decided, now or before."""
        return repeated(lambda: self._decide(job_id, step, taken))

    def _decide(self, job_id: int, step: int, taken: bool) -> bool:
        grown = self._known(job_id)
        try:
            with self._tasks.transaction() as session:
                need_job(session, job_id)
                _catch_up(session, grown)
                if step not in grown.decided:
                    _grow(session, grown, step, taken)
        except BaseException:
            del self._grown[job_id]  # it may be ahead of the database
            raise
        return grown.decided[step]

    def _known(self, job_id: int) -> _Grown:
        if job_id in self._grown:
            self._grown.move_to_end(job_id)
            return self._grown[job_id]
        while len(self._grown) >= MOST_PLANS:
            self._grown.popitem(last=False)
        self._grown[job_id] = _Grown(planned(self._tasks, job_id))
        return self._grown[job_id]


def need_job(session: Session, job_id: int) -> None:
    """Lock a job until the end of the transaction; raise NoSuchEntryError if there is none."""
    table = schema.task
    lock = select(table.c.id).where(table.c.id == job_id).with_for_update()
    if session.scalar(lock) is None:
        raise NoSuchEntryError("job", job_id)


def _catch_up(session: Session, grown: _Grown) -> None:
    """Take over what others have decided; what follows from that they have registered."""
    table = schema.job_step
    query = select(table.c.step, table.c.outcome).where(
        table.c.job_id == grown.job.job_id, table.c.outcome.is_not(None)
    )
    for step, outcome in session.execute(query):
        if step not in grown.decided:
            grown.decided[step] = outcome
            grown.job.unfolding.decide(step, outcome)


def _grow(session: Session, grown: _Grown, step: int, taken: bool) -> None:
    table = schema.job_step
    mine = (table.c.job_id == grown.job.job_id, table.c.step == step)
    session.execute(update(table).where(*mine).values(outcome=taken))
    grown.decided[step] = taken
    register_steps(session, grown.job, grown.job.unfolding.decide(step, taken))


def planned(tasks: Records, job_id: int) -> JobPlan:
    """Return a job of the database with its plan, before anything is decided.

    Raises TaskSystemError if this release makes another plan of it than the one that submitted it.
    """
    with tasks.database.reading() as session:
        table = schema.task
        namespace = session.scalar(select(table.c.namespace).where(table.c.id == job_id))
        metadata = read_metadata(session, "task", [job_id])[job_id]
    if namespace is None or PLAN not in metadata:
        raise NoSuchEntryError("job", job_id)
    with held_off():
        plan = plan_job(parse_job(json.loads(metadata[DESCRIPTION].value), f"job {job_id}"))
        if digest_of(plan) != metadata[PLAN].value:
            raise TaskSystemError(
                f"job {job_id} was submitted by a release that plans it differently: finish it "
                "with that one, or submit it again"
            )
        unfolding = Unfolding(plan)
        unfolding.begin()
    return JobPlan(job_id, namespace, unfolding)
