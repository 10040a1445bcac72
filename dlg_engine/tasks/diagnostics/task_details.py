"""All that is known of one task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.attempt_list import AttemptRow, attempt_query
from dlg_engine.tasks.diagnostics.log_list import LogRow, fetch_logs
from dlg_engine.tasks.diagnostics.looking import looking, plain_metadata
from dlg_engine.tasks.diagnostics.product_list import ProductRow, products_of
from dlg_engine.tasks.diagnostics.task_list import TaskRow, task_query
from dlg_engine.tasks.errors import NoSuchEntryError

_task, _attempt, _product = schema.task, schema.attempt, schema.product


@dataclass(frozen=True, slots=True)
class AttemptDetails:
    """An attempt with what it has found out."""

    attempt: AttemptRow
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TaskDetails:
    """A task with its attempts, what it reads and makes, and the messages it has left."""

    task: TaskRow
    working_directory: str
    namespace: str
    configured: bool
    metadata: Mapping[str, Any]
    attempts: tuple[AttemptDetails, ...]
    inputs: Mapping[str, ProductRow]
    """By the semantic type that they have for this task."""
    waits_for: tuple[TaskRow, ...]
    """Tasks whose metadata it wants to see."""
    outputs: tuple[ProductRow, ...]
    children: int
    logs: tuple[LogRow, ...]


def fetch_task(
    task_id: int, *, most_logs: int = 200, database: Database | None = None
) -> TaskDetails:
    """Return all that is known of a task; raise NoSuchEntryError if there is none."""
    about = select(_task.c.working_directory, _task.c.namespace, _task.c.configured)
    with looking(database) as session:
        row = session.execute(task_query().where(_task.c.id == task_id)).one_or_none()
        if row is None:
            raise NoSuchEntryError("task", task_id)
        folder, space, configured = session.execute(about.where(_task.c.id == task_id)).one()
        below = select(func.count()).where(_task.c.parent_id == task_id)
        found = TaskDetails(
            task=TaskRow(*row),
            working_directory=folder,
            namespace=space,
            configured=configured,
            metadata=plain_metadata(session, "task", [task_id])[task_id],
            attempts=_attempts(session, task_id),
            inputs=_inputs(session, task_id),
            waits_for=_waits_for(session, task_id),
            outputs=products_of(session, [_product.c.task_id == task_id]),
            children=session.scalar(below) or 0,
            logs=(),
        )
    logs = fetch_logs(task_id=task_id, most=most_logs, database=database)
    return replace(found, logs=logs)


def _attempts(session: Session, task_id: int) -> tuple[AttemptDetails, ...]:
    query = attempt_query().where(_attempt.c.task_id == task_id).order_by(_attempt.c.id)
    rows = [AttemptRow(*row) for row in session.execute(query)]
    metadata = plain_metadata(session, "attempt", [row.attempt_id for row in rows])
    return tuple(AttemptDetails(row, metadata[row.attempt_id]) for row in rows)


def _inputs(session: Session, task_id: int) -> dict[str, ProductRow]:
    table, kind = schema.task_input, schema.semantic_type
    query = select(kind.c.name, table.c.product_id).join(
        kind, kind.c.id == table.c.semantic_type_id
    )
    names = dict(session.execute(query.where(table.c.task_id == task_id)).all())
    read = select(table.c.product_id).where(table.c.task_id == task_id)
    products = {
        one.product_id: one
        for one in products_of(session, [_product.c.id.in_(read)], most=len(names) or 1)
    }
    return {name: products[number] for name, number in sorted(names.items())}


def _waits_for(session: Session, task_id: int) -> tuple[TaskRow, ...]:
    table = schema.task_metadata_input
    wanted = select(table.c.input_id).where(table.c.task_id == task_id)
    query = task_query().where(_task.c.id.in_(wanted)).order_by(_task.c.id)
    return tuple(TaskRow(*row) for row in session.execute(query))
