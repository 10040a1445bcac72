"""The files that the tasks of a job have made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from dlg_engine.tasks import schema
from dlg_engine.tasks.statements import chunks
from dlg_engine.tasks.task_database import TaskDatabaseConnection


@dataclass(frozen=True, slots=True)
class JobProduct:
    """The newest version of a file that a job has made."""

    path: str
    """Where the job has it, with `/` between its parts."""
    product_id: int
    version_id: int
    content_hash: str
    size: int
    passed_qc: bool | None
    """The verdict of quality control; None as long as nobody has judged."""
    file: Path
    """Where the store has it."""


def products_of_job(tasks: TaskDatabaseConnection, job_id: int) -> list[JobProduct]:
    """Return the newest versions of all files that a job has made, by their paths."""
    version, product, task = schema.version, schema.product, schema.task
    newest = (
        select(func.max(version.c.id))
        .join(product, product.c.id == version.c.product_id)
        .join(task, task.c.id == product.c.task_id)
        .where(task.c.parent_id == job_id)
        .group_by(version.c.product_id)
    )
    found: list[JobProduct] = []
    with tasks.database.reading() as session:
        for chunk in chunks(session.scalars(newest)):
            query = (
                select(
                    version.c.id, version.c.product_id, version.c.repository_id,
                    version.c.content_hash, version.c.size, version.c.passed_qc,
                    product.c.namespace, product.c.directory, product.c.filename,
                )
                .join(product, product.c.id == version.c.product_id)
                .where(version.c.id.in_(chunk))
            )  # fmt: skip
            for row in session.execute(query):
                folder = tasks.file_store_path / row.namespace / row.directory
                path = f"{row.directory}/{row.filename}" if row.directory else row.filename
                found.append(
                    JobProduct(
                        path, row.product_id, row.id, row.content_hash, row.size, row.passed_qc,
                        folder / row.repository_id,
                    )
                )  # fmt: skip
    return sorted(found, key=lambda one: one.path)
