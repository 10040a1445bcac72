"""Where the file of a version is: told by the database, and never outside the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from sqlalchemy import select
from sqlalchemy.orm import Session

from dlg_engine.tasks import schema
from dlg_engine.tasks.errors import NoSuchEntryError
from dlg_engine.tasks.registering import place_of


@dataclass(frozen=True, slots=True)
class VersionFile:
    """The file of a version."""

    place: PurePosixPath
    """Relative to the store."""
    filename: str
    mime: str
    size: int
    content_hash: str


def version_file(session: Session, version_id: int) -> VersionFile:
    """Return the file of a version.

    Raises NoSuchEntryError if there is none, TaskSystemError if its place would leave the store.
    """
    table, product = schema.version, schema.product
    query = (
        select(table, product.c.namespace, product.c.directory, product.c.filename)
        .add_columns(product.c.mime_type)
        .join(product, product.c.id == table.c.product_id)
        .where(table.c.id == version_id)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NoSuchEntryError("version", version_id)
    place_of(row.namespace, row.directory, row.repository_id)  # refuses what would leave the store
    place = PurePosixPath(row.namespace, row.directory, row.repository_id)
    return VersionFile(place, row.filename, row.mime_type or "", row.size, row.content_hash)
