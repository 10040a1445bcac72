"""Jobs, and tasks page by page: those of a job, those below a task, or those one looks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.pages.scope import Scope, verdict

MOST_COUNTED = 10_000
"""Beyond so many tasks a list does not say how many there are."""
ROOTS = 0
"""As a parent: tasks that have none."""
_task, _type, _attempt = schema.task, schema.task_type, schema.attempt


@dataclass(frozen=True, slots=True)
class Job:
    """A job: the tasks of one name in one namespace."""

    job: str
    namespace: str
    first: int
    """The number of its first task."""
    roots: int
    """How many tasks it has that are below no other; if one, that is its first."""
    tasks: int
    created: float
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, the newest first."""

    jobs: Sequence[Job]
    next: int | None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task in a list."""

    id: int
    parent: int | None
    name: str
    type: str
    job: str
    namespace: str
    state: str
    verdict: str
    created: float
    attempts: int
    below: Mapping[str, int]
    """How many tasks are right below it, by state."""


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Some tasks, the oldest first."""

    tasks: Sequence[TaskRow]
    total: int
    """How many fit; MOST_COUNTED + 1 for more than that."""
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tasks are looked for."""

    scope: Scope = field(default_factory=Scope)
    parent: int | None = None
    state: str = ""
    type: str = ""
    text: str = ""
    """A part of the name, or the number."""

    def clauses(self) -> list[ColumnElement[bool]]:
        """Return the conditions, for a query on tasks with their types."""
        found = self.scope.clauses()
        if self.parent is not None:
            column = _task.c.parent_id
            found.append(column == self.parent if self.parent != ROOTS else column.is_(None))
        if self.state:
            found.append(_task.c.state == self.state)
        if self.type:
            found.append(_type.c.name == self.type)
        if self.text:
            fits = _task.c.task_name.icontains(self.text, autoescape=True)
            number = int(self.text) if self.text.isdecimal() and len(self.text) < 10 else 0  # noqa: PLR2004
            found.append(or_(fits, _task.c.id == number))
        return found


def jobs(session: Session, limit: int, before: int | None = None) -> JobPage:
    """Return jobs whose first tasks are older than `before`, with their tasks by state."""
    first = func.min(_task.c.id)
    groups = select(
        _task.c.job_name, _task.c.namespace, first.label("first"),
        func.count().label("tasks"), func.min(_task.c.created).label("created"),
        func.sum(case((_task.c.parent_id.is_(None), 1), else_=0)).label("roots"),
    ).group_by(_task.c.job_name, _task.c.namespace)  # fmt: skip
    if before is not None:
        groups = groups.having(first < before)
    rows = session.execute(groups.order_by(first.desc()).limit(limit + 1)).all()
    states = _states(session, rows[:limit])
    found = [
        Job(
            row.job_name or "", row.namespace, row.first, int(row.roots), row.tasks, row.created,
            states.get((row.job_name, row.namespace), {}),
        )
        for row in rows[:limit]
    ]  # fmt: skip
    return JobPage(found, found[-1].first if len(rows) > limit else None)


def _states(session: Session, rows: Sequence[Any]) -> dict[tuple[Any, str], dict[str, int]]:
    if not rows:
        return {}
    columns = (_task.c.job_name, _task.c.namespace, _task.c.state)
    names = {row.job_name for row in rows}
    fits: ColumnElement[bool] = _task.c.job_name.in_([name for name in names if name is not None])
    if None in names:
        fits = or_(fits, _task.c.job_name.is_(None))
    spaces = {row.namespace for row in rows}
    query = select(*columns, func.count()).where(fits, _task.c.namespace.in_(spaces))
    found: dict[tuple[Any, str], dict[str, int]] = {}
    for name, space, state, count in session.execute(query.group_by(*columns)):
        found.setdefault((name, space), {})[state] = count
    return found


def tasks(session: Session, wanted: Wanted, limit: int, after: int = 0) -> TaskPage:
    """Return tasks with higher numbers than `after`."""
    joined = _task.join(_type, _type.c.id == _task.c.type_id)
    clauses = wanted.clauses()
    query = (
        select(_task, _type.c.name.label("type_name"), verdict().label("verdict"))
        .select_from(joined)
        .where(*clauses, _task.c.id > after)
        .order_by(_task.c.id)
        .limit(limit + 1)
    )
    found = as_rows(session, session.execute(query).all())
    some = select(_task.c.id).select_from(joined).where(*clauses).limit(MOST_COUNTED + 1)
    total = session.scalar(select(func.count()).select_from(some.subquery())) or 0
    return TaskPage(found[:limit], total, found[limit - 1].id if len(found) > limit else None)


def as_rows(session: Session, rows: Sequence[Any]) -> list[TaskRow]:
    """Return rows of tasks, which have `type_name` and `verdict` besides, with what is counted."""
    numbers = [row.id for row in rows]
    below: dict[int, dict[str, int]] = {}
    columns = (_task.c.parent_id, _task.c.state)
    query = select(*columns, func.count()).where(_task.c.parent_id.in_(numbers))
    for parent, state, count in session.execute(query.group_by(*columns)):
        below.setdefault(parent, {})[state] = count
    tried = select(_attempt.c.task_id, func.count()).where(_attempt.c.task_id.in_(numbers))
    attempts: dict[int, int] = dict(session.execute(tried.group_by(_attempt.c.task_id)).all())
    return [
        TaskRow(
            id=row.id, parent=row.parent_id, name=row.task_name or "", type=row.type_name,
            job=row.job_name or "", namespace=row.namespace, state=row.state,
            verdict=row.verdict, created=row.created, attempts=attempts.get(row.id, 0),
            below=below.get(row.id, {}),
        )
        for row in rows
    ]  # fmt: skip
