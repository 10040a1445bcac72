"""Tasks and attempts as objects, many at once by a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.product_records import products_where
from dlg_engine.tasks.records import read_metadata
from dlg_engine.tasks.statements import chunks
from dlg_engine.tasks.states import AttemptState
from dlg_engine.tasks.task_objects import (
    FileProduct,
    FileProductVersion,
    MetadataItem,
    Task,
    TaskExecutionAttempt,
)
from dlg_engine.tasks.version_records import versions_where

_attempt, _task, _type = schema.attempt, schema.task, schema.task_type
_input, _named, _product = schema.task_input, schema.task_metadata_input, schema.product
_numbers: BindParameter[Any] = bindparam("numbers", expanding=True)


def _has(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return whether a table has something of a task: what has not is not asked for."""
    return select(column).where(column == _task.c.id).exists().label(name)


_TASKS = (
    select(
        _task,
        _type.c.name.label("type_name"),
        _has(_attempt.c.task_id, "tried"),
        _has(schema.task_metadata.c.owner_id, "described"),
        _has(_product.c.task_id, "makes"),
        _has(_input.c.task_id, "reads"),
        _has(_named.c.task_id, "asks"),
    )
    .join(_type, _type.c.id == _task.c.type_id)
    .where(_task.c.id.in_(_numbers))
)
_ATTEMPTS = select(
    _attempt,
    select(schema.attempt_metadata.c.owner_id)
    .where(schema.attempt_metadata.c.owner_id == _attempt.c.id)
    .exists()
    .label("described"),
    select(schema.version.c.id)
    .where(schema.version.c.attempt_id == _attempt.c.id)
    .exists()
    .label("made"),
).order_by(_attempt.c.id)
_ATTEMPTS_OF = _ATTEMPTS.where(_attempt.c.task_id.in_(_numbers))
_INPUTS = (
    select(_input.c.task_id, schema.semantic_type.c.name, _input.c.product_id)
    .join(schema.semantic_type, schema.semantic_type.c.id == _input.c.semantic_type_id)
    .where(_input.c.task_id.in_(_numbers))
)
_LAST = (
    select(_attempt.c.task_id, func.max(_attempt.c.id).label("last"))
    .where(
        _attempt.c.state == AttemptState.PASSED.value,
        _attempt.c.task_id.in_(select(_named.c.input_id).where(_named.c.task_id.in_(_numbers))),
    )
    .group_by(_attempt.c.task_id)
    .subquery()
)
_NAMED = (
    select(_named.c.task_id, _task.c.task_name, _task.c.id, _LAST.c.last)
    .join(_task, _named.c.input_id == _task.c.id)
    .outerjoin(_LAST, _LAST.c.task_id == _task.c.id)
    .where(_named.c.task_id.in_(_numbers))
)


def look_up_task(session: Session, task_id: int) -> Task | None:
    """Return a task with all that belongs to it."""
    return look_up_tasks(session, [task_id]).get(task_id)


def look_up_tasks(session: Session, tasks: Sequence[int]) -> dict[int, Task]:
    """Return tasks by number with all that belongs to them."""
    if not tasks:
        return {}
    rows = session.execute(_TASKS, {"numbers": list(tasks)}).all()
    attempts = _attempts_of(session, [row.id for row in rows if row.tried])
    makers = [row.id for row in rows if row.makes]
    outputs: dict[int, dict[str, FileProduct]] = {number: {} for number in makers}
    if makers:
        for product in products_where(session, _product.c.task_id.in_(makers)).values():
            outputs[int(product.generator_task or 0)][str(product.semantic_type)] = product
    inputs = file_inputs_of(session, [row.id for row in rows if row.reads])
    named = metadata_inputs_of(session, [row.id for row in rows if row.asks])
    metadata = read_metadata(session, "task", [row.id for row in rows if row.described])
    found: dict[int, Task] = {}
    for row in rows:
        passed, rest = attempts.get(row.id, ({}, {}))
        found[row.id] = Task(
            task_id=row.id,
            parent_id=row.parent_id,
            created_time=row.created,
            task_type=row.type_name,
            job_name=row.job_name,
            task_name=row.task_name,
            working_directory=row.working_directory,
            namespace=row.namespace,
            state=row.state,
            input_files=inputs.get(row.id, {}),
            input_metadata=named.get(row.id, {}),
            execution_attempts_passed=passed,
            execution_attempts_incomplete=rest,
            metadata=metadata.get(row.id, {}),
            output_files=outputs.get(row.id, {}),
        )
    return found


Attempts = dict[int, TaskExecutionAttempt]


def _attempts_of(session: Session, tasks: Sequence[int]) -> dict[int, tuple[Attempts, Attempts]]:
    """Return the attempts of tasks: those that were passed, and the others."""
    found: dict[int, tuple[Attempts, Attempts]] = {number: ({}, {}) for number in tasks}
    if tasks:
        rows = session.execute(_ATTEMPTS_OF, {"numbers": tasks}).all()
        for number, attempt in _attempts_from(session, rows).items():
            passed = attempt.state == AttemptState.PASSED
            found[int(attempt.task_id or 0)][0 if passed else 1][number] = attempt
    return found


def file_inputs(session: Session, task_id: int) -> dict[str, FileProduct]:
    """Return the products that a task reads, by the semantic type they have for it."""
    return file_inputs_of(session, [task_id])[task_id]


def file_inputs_of(session: Session, tasks: Sequence[int]) -> dict[int, dict[str, FileProduct]]:
    """Return the products that tasks read, by task and the semantic type they have for it."""
    found: dict[int, dict[str, FileProduct]] = {number: {} for number in tasks}
    rows = session.execute(_INPUTS, {"numbers": list(tasks)}).all() if tasks else []
    if rows:
        products = products_where(session, _product.c.id.in_({row.product_id for row in rows}))
        for row in rows:
            found[row.task_id][row.name] = products[row.product_id]
    return found


def metadata_inputs(session: Session, task_id: int) -> dict[str, dict[str, MetadataItem]]:
    """Return the metadata of the last passed attempts of the tasks that one has named."""
    return metadata_inputs_of(session, [task_id])[task_id]


def metadata_inputs_of(
    session: Session, tasks: Sequence[int]
) -> dict[int, dict[str, dict[str, MetadataItem]]]:
    """Return the same of several tasks."""
    made: dict[int, dict[str, dict[str, MetadataItem]]] = {number: {} for number in tasks}
    rows = session.execute(_NAMED, {"numbers": list(tasks)}).all() if tasks else []
    numbers = {row.last for row in rows if row.last is not None}
    found = read_metadata(session, "attempt", sorted(numbers))
    for row in rows:
        made[row.task_id][row.task_name or str(row.id)] = found.get(row.last, {})
    return made


def attempts_where(session: Session, condition: Any) -> Attempts:
    """Return the attempts for which a condition holds, by number, with metadata and files."""
    return _attempts_from(session, session.execute(_ATTEMPTS.where(condition)).all())


def _attempts_from(session: Session, rows: Sequence[Any]) -> Attempts:
    metadata = read_metadata(session, "attempt", [row.id for row in rows if row.described])
    files = output_files(session, [row.id for row in rows if row.made])
    return {row.id: _attempt_of(row, metadata.get(row.id), files.get(row.id)) for row in rows}


def _attempt_of(row: Any, metadata: Any, files: Any) -> TaskExecutionAttempt:
    return TaskExecutionAttempt(
        attempt_id=row.id,
        task_id=row.task_id,
        state=row.state,
        queued_time=row.queued,
        start_time=row.started,
        latest_heartbeat_time=row.heartbeat,
        end_time=row.ended,
        all_products_passed_qc=row.verdict,
        error_fail=row.error_fail,
        error_text=row.error_text,
        run_time_wall_clock=row.wall_s,
        run_time_cpu=row.cpu_s,
        run_time_cpu_inc_children=row.cpu_with_children_s,
        metadata=metadata,
        output_files=files,
    )


def output_files(
    session: Session, attempts: Iterable[int]
) -> dict[int, dict[str, FileProductVersion]]:
    """Return what attempts have made, by attempt and semantic type."""
    found: dict[int, dict[str, FileProductVersion]] = {}
    table, product, kind = schema.version, schema.product, schema.semantic_type
    for chunk in chunks(attempts):
        found |= {number: {} for number in chunk}
        versions = versions_where(session, table.c.attempt_id.in_(chunk))
        if not versions:
            continue
        names = (
            select(table.c.id, kind.c.name)
            .join(product, product.c.id == table.c.product_id)
            .join(kind, kind.c.id == product.c.semantic_type_id)
            .where(table.c.attempt_id.in_(chunk))
        )
        for number, name in session.execute(names):
            version = versions[number]
            found[int(version.generated_by_task_execution or 0)][name] = version
    return found
