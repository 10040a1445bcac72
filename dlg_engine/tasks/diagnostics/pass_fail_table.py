"""Which tasks were passed, beside what they were about: the rows of a map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import (
    MOST,
    looking,
    of_tasks,
    plain_metadata,
    with_types,
)
from dlg_engine.tasks.statements import chunks

_attempt, _task, _type = schema.attempt, schema.task, schema.task_type


@dataclass(frozen=True, slots=True)
class PassFail:
    """A task with what came of it."""

    task_id: int
    job_name: str | None
    task_type: str
    task_name: str | None
    state: str
    attempts: int
    verdict: bool | None
    """On its last attempt: None if nobody has judged it, or there is none."""
    metadata: Mapping[str, Any]
    """What the task is about: its own metadata."""
    results: Mapping[str, Any]
    """The metadata of its last attempt."""


def fetch_pass_fail_table(
    job_name: str | None = None,
    task_type: str | None = None,
    *,
    after: int = 0,
    most: int = MOST,
    namespace: str | None = None,
    database: Database | None = None,
) -> tuple[PassFail, ...]:
    """Return tasks in their order with the verdicts on their last attempts.

    At most so many, and those whose numbers come after `after`.
    """
    of_task = _attempt.c.task_id == _task.c.id
    last = select(func.max(_attempt.c.id)).where(of_task).scalar_subquery()
    number = select(func.count()).where(of_task).scalar_subquery()
    chosen = (
        with_types(
            select(
                _task.c.id, _task.c.job_name, _type.c.name, _task.c.task_name, _task.c.state,
                number.label("attempts"), last.label("last"),
            ).select_from(_task)
        )
        .where(_task.c.id > after, *of_tasks(job_name, task_type, namespace))
        .order_by(_task.c.id)
        .limit(most)
    )  # fmt: skip
    with looking(database) as session:
        rows = session.execute(chosen).all()
        lasts = [row.last for row in rows if row.last is not None]
        verdicts = _verdicts(session, lasts)
        about = plain_metadata(session, "task", [row.id for row in rows])
        results = plain_metadata(session, "attempt", lasts)
    return tuple(
        PassFail(
            row.id, row.job_name, row.name, row.task_name, row.state, row.attempts,
            verdicts.get(row.last), about[row.id], results.get(row.last, {}),
        )
        for row in rows
    )  # fmt: skip


def _verdicts(session: Any, attempts: list[int]) -> dict[int | None, bool | None]:
    found: dict[int | None, bool | None] = {}
    for chunk in chunks(attempts):
        query = select(_attempt.c.id, _attempt.c.verdict).where(_attempt.c.id.in_(chunk))
        found |= dict(session.execute(query).all())
    return found
