"""Products and their versions: what tasks make, or read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.looking import MOST, looking, of_tasks, plain_metadata
from dlg_engine.tasks.statements import chunks

_task, _type, _product, _version = schema.task, schema.task_type, schema.product, schema.version
_kind = schema.semantic_type


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A file in the store, as one attempt made it."""

    version_id: int
    product_id: int
    attempt_id: int
    created: float
    size: int
    md5: str
    content_hash: str
    passed_qc: bool | None
    """None if nobody has judged it."""
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A file that a task makes, or will make."""

    product_id: int
    task_id: int
    """The task that makes it."""
    namespace: str
    directory: str
    filename: str
    semantic_type: str
    mime_type: str | None
    passed: bool
    versions: tuple[VersionRow, ...]

    @property
    def path(self) -> str:
        """Return the directory and the name as one."""
        return f"{self.directory}/{self.filename}" if self.directory else self.filename


def fetch_products(
    job_name: str | None = None,
    task_id: int | None = None,
    *,
    after: int = 0,
    most: int = MOST,
    namespace: str | None = None,
    database: Database | None = None,
) -> tuple[ProductRow, ...]:
    """Return products by number, of a job or a task, at most so many and those after `after`."""
    conditions: list[ColumnElement[bool]] = [_product.c.id > after]
    if task_id is not None:
        conditions.append(_product.c.task_id == task_id)
    if job_name is not None:
        conditions += of_tasks(job_name, namespace=namespace)
    with looking(database) as session:
        return products_of(session, conditions, most)


def products_of(
    session: Session, conditions: list[ColumnElement[bool]], most: int = MOST
) -> tuple[ProductRow, ...]:
    """Return the products for which conditions on them or their makers hold."""
    query = (
        select(
            _product.c.id, _product.c.task_id, _product.c.namespace, _product.c.directory,
            _product.c.filename, _kind.c.name, _product.c.mime_type, _product.c.passed,
        )
        .join(_kind, _kind.c.id == _product.c.semantic_type_id)
        .join(_task, _task.c.id == _product.c.task_id)
        .where(*conditions)
        .order_by(_product.c.id)
        .limit(most)
    )  # fmt: skip
    rows = session.execute(query).all()
    versions = _versions(session, [row[0] for row in rows])
    return tuple(ProductRow(*row, tuple(versions.get(row[0], ()))) for row in rows)


def _versions(session: Session, products: list[int]) -> dict[int, list[VersionRow]]:
    found: dict[int, list[VersionRow]] = {}
    for chunk in chunks(products):
        query = (
            select(
                _version.c.id, _version.c.product_id, _version.c.attempt_id, _version.c.created,
                _version.c.size, _version.c.md5, _version.c.content_hash, _version.c.passed_qc,
            )
            .where(_version.c.product_id.in_(chunk))
            .order_by(_version.c.id)
        )  # fmt: skip
        rows = session.execute(query).all()
        metadata = plain_metadata(session, "version", [row.id for row in rows])
        for row in rows:
            made = VersionRow(*row, metadata[row.id])
            found.setdefault(made.product_id, []).append(made)
    return found
