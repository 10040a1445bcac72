"""Attempts as rows: what became of each, and on which worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from dlg.support import clock
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import with_tasks
from dlg_engine.tasks.states import HELD

_attempt, _task, _type, _host = schema.attempt, schema.task, schema.task_type, schema.host


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt in a list."""

    attempt_id: int
    task_id: int
    task_type: str
    task_name: str | None
    job_name: str | None
    state: str
    verdict: bool | None
    queued: float | None
    started: float | None
    heartbeat: float | None
    ended: float | None
    lease_until: float | None
    host: str | None
    worker: str | None
    wall_s: float | None
    cpu_s: float | None
    cpu_with_children_s: float | None
    error_text: str | None

    def is_stalled(self, now: float | None = None) -> bool:
        """Return whether its worker has not been heard of for too long."""
        now = clock.now() if now is None else now
        return (
            self.state in HELD_STATES and self.lease_until is not None and self.lease_until < now
        )


HELD_STATES = frozenset(state.value for state in HELD)


def attempt_query() -> Select[Any]:
    """Return a query for the columns of `AttemptRow`, in their order."""
    found = with_tasks(
        select(
            _attempt.c.id, _attempt.c.task_id, _type.c.name, _task.c.task_name, _task.c.job_name,
            _attempt.c.state, _attempt.c.verdict, _attempt.c.queued, _attempt.c.started,
            _attempt.c.heartbeat, _attempt.c.ended, _attempt.c.lease_until, _host.c.name,
            _attempt.c.worker, _attempt.c.wall_s, _attempt.c.cpu_s,
            _attempt.c.cpu_with_children_s, _attempt.c.error_text,
        ).select_from(_attempt)
    )  # fmt: skip
    return found.outerjoin(_host, _host.c.id == _attempt.c.host_id)
