"""Tasks with the tasks below them, as rows in the order in which a tree is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import looking, of_tasks, with_tasks
from dlg_engine.tasks.diagnostics.task_list import TaskRow, task_query
from dlg_engine.tasks.statements import chunks
from dlg_engine.tasks.states import UNFINISHED

_attempt, _task = schema.attempt, schema.task
RECENT_S = 300.0
"""How long ago an attempt may have ended that has ended recently."""
MOST_ROWS = 20_000
"""How many tasks a tree has at most."""


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A task in a tree."""

    depth: int
    """0 for those at the top."""
    task: TaskRow
    children: int
    """How many tasks are right below it, shown or not."""
    attempt_states: tuple[str, ...] = ()
    """Of a tree of what runs: how the attempts stand for which it is shown."""


def fetch_job_tree(
    job_name: str | None = None,
    parent_id: int | None = None,
    max_depth: int | None = 5,
    *,
    namespace: str | None = None,
    database: Database | None = None,
) -> tuple[TreeRow, ...]:
    """Return the tasks of a job, or below a task, down to a depth; None is all the way down.

    A task stands before those below it. Each level is one query.
    """
    top = _task.c.parent_id.is_(None) if parent_id is None else _task.c.parent_id == parent_id
    rows: dict[int, TaskRow] = {}
    with looking(database) as session:
        query = (
            task_query().where(top, *of_tasks(job_name, namespace=namespace)).order_by(_task.c.id)
        )
        level = _rows(session.execute(query.limit(MOST_ROWS)))
        depth = 0
        while level and len(rows) < MOST_ROWS:
            rows |= level
            depth += 1
            if max_depth is not None and depth >= max_depth:
                break
            level = _below(session, level, MOST_ROWS - len(rows))
        children = _children(session, rows)
    return tuple(_ordered(rows, children, {}))


def fetch_running_job_tree(
    job_name: str | None = None,
    include_recently_finished: bool = False,
    max_depth: int | None = 20,
    *,
    namespace: str | None = None,
    database: Database | None = None,
) -> tuple[TreeRow, ...]:
    """Return the tasks with attempts under way, below those that they belong to.

    With `include_recently_finished` also those whose attempts ended in the last five minutes.
    """
    wanted: ColumnElement[bool] = _attempt.c.state.in_([state.value for state in UNFINISHED])
    if include_recently_finished:
        wanted = or_(wanted, _attempt.c.ended > clock.now() - RECENT_S)
    query = with_tasks(select(_attempt.c.task_id, _attempt.c.state))
    states: dict[int, tuple[str, ...]] = {}
    with looking(database) as session:
        found = session.execute(
            query.where(wanted, *of_tasks(job_name, namespace=namespace)).limit(MOST_ROWS)
        )
        for number, state in found:
            states[number] = (*states.get(number, ()), state)
        rows = _with_ancestors(session, states)
        children = _children(session, rows)
    ordered = _ordered(rows, children, states)
    return tuple(row for row in ordered if max_depth is None or row.depth < max_depth)


def _rows(found: Iterable[Any]) -> dict[int, TaskRow]:
    return {row[0]: TaskRow(*row) for row in found}


def _below(session: Session, parents: Iterable[int], most: int) -> dict[int, TaskRow]:
    found: dict[int, TaskRow] = {}
    for chunk in chunks(parents):
        query = task_query().where(_task.c.parent_id.in_(chunk)).order_by(_task.c.id)
        found |= _rows(session.execute(query.limit(most - len(found))))
    return found


def _with_ancestors(session: Session, tasks: Iterable[int]) -> dict[int, TaskRow]:
    """Return tasks and all above them; a query for each level."""
    rows: dict[int, TaskRow] = {}
    wanted = set(tasks)
    while wanted:
        found: dict[int, TaskRow] = {}
        for chunk in chunks(sorted(wanted)):
            found |= _rows(session.execute(task_query().where(_task.c.id.in_(chunk))))
        rows |= found
        above = {row.parent_id for row in found.values() if row.parent_id is not None}
        wanted = above - rows.keys()
    return rows


def _children(session: Session, rows: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for chunk in chunks(rows):
        query = select(_task.c.parent_id, func.count()).where(_task.c.parent_id.in_(chunk))
        found |= dict(session.execute(query.group_by(_task.c.parent_id)).all())
    return found


def _ordered(
    rows: Mapping[int, TaskRow],
    children: Mapping[int, int],
    states: Mapping[int, tuple[str, ...]],
) -> Iterator[TreeRow]:
    """Yield each task before those below it, without recursion: jobs may be nested deeply."""
    below: dict[int | None, list[int]] = {}
    for number in sorted(rows):
        parent = rows[number].parent_id
        below.setdefault(parent if parent in rows else None, []).append(number)
    stack = [(0, number) for number in reversed(below.get(None, []))]
    while stack:
        depth, number = stack.pop()
        yield TreeRow(depth, rows[number], children.get(number, 0), states.get(number, ()))
        stack += [(depth + 1, child) for child in reversed(below.get(number, []))]
