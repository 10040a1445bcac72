"""One task with all that belongs to it: attempts, products with their versions, what it needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import NoSuchEntryError
from dlg_engine.tasks.pages.listing import TaskRow, as_rows
from dlg_engine.tasks.pages.scope import verdict
from dlg_engine.tasks.records import read_metadata
from dlg_engine.tasks.task_objects import MetadataItem

MOST = 200
"""How many attempts, products, inputs or followers are told of one task: the newest."""
DEEPEST = 64
LONGEST_VALUE = 4_000
LONGEST_ERROR = 20_000
_task, _type, _attempt = schema.task, schema.task_type, schema.attempt
_product, _version, _semantic = schema.product, schema.version, schema.semantic_type


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to run a task."""

    id: int
    state: str
    worker: str
    host: str
    queued: float | None
    started: float | None
    heartbeat: float | None
    lease_until: float | None
    ended: float | None
    verdict: bool | None
    error: str
    wall_s: float | None
    cpu_s: float | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """A file that an attempt has made of a product."""

    id: int
    attempt: int
    created: float
    size: int
    md5: str
    content_hash: str
    passed: bool | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Product:
    """A file that the task makes, or will make."""

    id: int
    semantic: str
    directory: str
    filename: str
    mime: str
    passed: bool
    versions: Sequence[Version]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A task that this one needs something of, or that needs something of this one."""

    task: int
    name: str
    type: str
    state: str
    by: str
    """The semantic type of the file between them; "" where it is metadata."""
    there: bool
    """Whether what is needed is there."""


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """A task with all that belongs to it."""

    task: TaskRow
    above: Sequence[TaskRow]
    """Its parent, the parent of that and so on, the highest first."""
    directory: str
    configured: bool
    missing: int
    tries: int
    not_before: float | None
    metadata: Mapping[str, Any]
    attempts: Sequence[Attempt]
    products: Sequence[Product]
    needs: Sequence[Neighbour]
    followers: Sequence[Neighbour]
    cut: bool
    """Whether there is more of something than is told."""


def look(session: Session, task_id: int) -> TaskDetail:
    """Return a task; raise NoSuchEntryError if there is none."""
    chain = _chain(session, task_id)
    rows = as_rows(session, chain)
    row = chain[0]
    attempts, products = _attempts(session, task_id), _products(session, task_id)
    needs, followers = _needs(session, task_id), _followers(session, task_id)
    metadata = read_metadata(session, "task", [task_id])[task_id]
    return TaskDetail(
        task=rows[0], above=rows[:0:-1], directory=row.working_directory,
        configured=row.configured, missing=row.missing, tries=row.tries,
        not_before=row.not_before, metadata=plain(metadata), attempts=attempts,
        products=products, needs=needs[:MOST], followers=followers[:MOST],
        cut=any(len(some) >= MOST for some in (attempts, products, needs, followers)),
    )  # fmt: skip


def plain(metadata: Mapping[str, MetadataItem]) -> dict[str, Any]:
    """Return metadata by keyword; what is very long is cut, and a text then."""
    found: dict[str, Any] = {}
    for key, item in metadata.items():
        text = json.dumps(item.value, ensure_ascii=False)
        found[key] = item.value if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} ..."
    return found


def _chain(session: Session, task_id: int) -> list[Any]:
    """Return the rows of a task, its parent, and so on."""
    query = select(_task, _type.c.name.label("type_name"), verdict().label("verdict"))
    query = query.join(_type, _type.c.id == _task.c.type_id)
    found: list[Any] = []
    number: int | None = task_id
    while number is not None and len(found) < DEEPEST:
        row = session.execute(query.where(_task.c.id == number)).one_or_none()
        if row is None:
            raise NoSuchEntryError("task", number)
        found.append(row)
        number = row.parent_id
    return found


def _attempts(session: Session, task_id: int) -> list[Attempt]:
    query = (
        select(_attempt, schema.host.c.name.label("host_name"))
        .outerjoin(schema.host, schema.host.c.id == _attempt.c.host_id)
        .where(_attempt.c.task_id == task_id)
        .order_by(_attempt.c.id.desc())
        .limit(MOST)
    )
    rows = session.execute(query).all()
    metadata = read_metadata(session, "attempt", [row.id for row in rows])
    return [
        Attempt(
            id=row.id, state=row.state, worker=row.worker or "", host=row.host_name or "",
            queued=row.queued, started=row.started, heartbeat=row.heartbeat,
            lease_until=row.lease_until, ended=row.ended, verdict=row.verdict,
            error=(row.error_text or "")[-LONGEST_ERROR:], wall_s=row.wall_s, cpu_s=row.cpu_s,
            metadata=plain(metadata[row.id]),
        )
        for row in rows
    ]  # fmt: skip


def _products(session: Session, task_id: int) -> list[Product]:
    query = (
        select(_product, _semantic.c.name.label("semantic"))
        .join(_semantic, _semantic.c.id == _product.c.semantic_type_id)
        .where(_product.c.task_id == task_id)
        .order_by(_product.c.id)
        .limit(MOST)
    )
    rows = session.execute(query).all()
    versions = _versions(session, [row.id for row in rows])
    return [
        Product(
            row.id, row.semantic, row.directory, row.filename, row.mime_type or "", row.passed,
            versions.get(row.id, []),
        )
        for row in rows
    ]  # fmt: skip


def _versions(session: Session, products: Sequence[int]) -> dict[int, list[Version]]:
    newest = (
        select(_version)
        .where(_version.c.product_id.in_(products))
        .order_by(_version.c.id.desc())
        .limit(MOST)
    )
    rows = session.execute(newest).all()
    metadata = read_metadata(session, "version", [row.id for row in rows])
    found: dict[int, list[Version]] = {}
    for row in rows:
        found.setdefault(row.product_id, []).append(
            Version(
                row.id, row.attempt_id, row.created, row.size, row.md5, row.content_hash,
                row.passed_qc, plain(metadata[row.id]),
            )
        )  # fmt: skip
    return found


def _needs(session: Session, task_id: int) -> list[Neighbour]:
    inputs, named = schema.task_input, schema.task_metadata_input
    files = (
        select(
            _task.c.id, _task.c.task_name, _type.c.name.label("type_name"), _task.c.state,
            _semantic.c.name.label("semantic"), _product.c.passed,
        )
        .join(_product, _product.c.task_id == _task.c.id)
        .join(inputs, inputs.c.product_id == _product.c.id)
        .join(_semantic, _semantic.c.id == inputs.c.semantic_type_id)
        .join(_type, _type.c.id == _task.c.type_id)
        .where(inputs.c.task_id == task_id)
        .order_by(_task.c.id)
        .limit(MOST)
    )  # fmt: skip
    values = (
        select(_task.c.id, _task.c.task_name, _type.c.name.label("type_name"), _task.c.state)
        .join(named, named.c.input_id == _task.c.id)
        .join(_type, _type.c.id == _task.c.type_id)
        .where(named.c.task_id == task_id)
        .order_by(_task.c.id)
        .limit(MOST)
    )
    return [*_neighbours(session.execute(files)), *_neighbours(session.execute(values))]


def _followers(session: Session, task_id: int) -> list[Neighbour]:
    inputs, named = schema.task_input, schema.task_metadata_input
    columns = (_task.c.id, _task.c.task_name, _type.c.name.label("type_name"), _task.c.state)
    files = (
        select(*columns, _semantic.c.name.label("semantic"), _product.c.passed)
        .join(inputs, inputs.c.task_id == _task.c.id)
        .join(_product, _product.c.id == inputs.c.product_id)
        .join(_semantic, _semantic.c.id == inputs.c.semantic_type_id)
        .join(_type, _type.c.id == _task.c.type_id)
        .where(_product.c.task_id == task_id)
        .order_by(_task.c.id)
        .limit(MOST)
    )
    values = (
        select(*columns)
        .join(named, named.c.task_id == _task.c.id)
        .join(_type, _type.c.id == _task.c.type_id)
        .where(named.c.input_id == task_id)
        .order_by(_task.c.id)
        .limit(MOST)
    )
    return [*_neighbours(session.execute(files)), *_neighbours(session.execute(values))]


def _neighbours(rows: Iterable[Any]) -> list[Neighbour]:
    return [
        Neighbour(
            row.id, row.task_name or "", row.type_name, row.state, getattr(row, "semantic", ""),
            bool(getattr(row, "passed", row.state == "done")),
        )
        for row in rows
    ]  # fmt: skip
