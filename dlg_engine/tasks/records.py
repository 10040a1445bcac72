"""What all that reads and writes entries shares: the database, its transactions, metadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Select, Table, bindparam, select
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg.support.database import Database
from dlg_engine.tasks import schema, values, watching
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.statements import chunks, ids_of, upsert
from dlg_engine.tasks.task_objects import MetadataItem

OWNERS: Mapping[str, tuple[Table, Table]] = {
    "task": (schema.task, schema.task_metadata),
    "attempt": (schema.attempt, schema.attempt_metadata),
    "product": (schema.product, schema.product_metadata),
    "version": (schema.version, schema.version_metadata),
}
"""What can have metadata, and the table for it."""


class Records:
    """A database of tasks and the store of its files.

    Each method is one transaction, and what it did is kept when it returns. Several become one
    inside `with transaction():`, which keeps all or, after an error, nothing.
    """

    def __init__(self, database: Database, file_store: Path) -> None:
        self._database = database
        self._session: Session | None = None
        self.file_store_path = file_store

    @property
    def database(self) -> Database:
        """Return the database that is open."""
        return self._database

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Keep all that is done inside, or nothing if an error leaves it; may be nested."""
        if self._session is not None:
            yield self._session
            return
        with self._database.transaction() as session:
            self._session = session
            try:
                yield session
            finally:
                self._session = None
        watching.tell(self._database)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        if self._session is not None:
            yield self._session
            return
        with self._database.reading() as session:
            yield session

    def _id_of(self, table: Table, name: str) -> int:
        with self.transaction() as session:
            return ids_of(session, table, [name])[name]

    def _exists(self, table: Table, number: int) -> bool:
        with self._reading() as session:
            found = session.scalar(select(table.c.id).where(table.c.id == number))
            return found is not None


def need(session: Session, table: Table, kind: str, number: int) -> Any:
    """Return the row with a number; raise NoSuchEntryError if there is none."""
    row = session.execute(select(table).where(table.c.id == number)).one_or_none()
    if row is None:
        raise NoSuchEntryError(kind, number)
    return row


def write_metadata(session: Session, owner: str, number: int, metadata: Mapping[str, Any]) -> None:
    """Set values of metadata of one owner; others that it has stay."""
    if not metadata:
        return
    rows = list(metadata_rows(session, [(number, metadata)]))
    names = ("owner_id", "key_id", "set_at", "value", "number")
    made = [dict(zip(names, row, strict=True)) for row in rows]
    upsert(session, OWNERS[owner][1], made, ("set_at", "value", "number"))


def metadata_rows(
    session: Session, entries: Iterable[tuple[int, Mapping[str, Any]]]
) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each value: owner, key, time, text, number."""
    listed = list(entries)
    keys = ids_of(session, schema.metadata_key, {key for _, found in listed for key in found})
    now = clock.now()
    for owner, found in listed:
        for key, value in found.items():
            when = now
            if isinstance(value, MetadataItem):
                value, when = value.value, value.timestamp  # noqa: PLW2901  what is in the item
            text = values.encode(key, value)
            yield owner, keys[key], when, text, values.number_of(value)


def read_metadata(
    session: Session, owner: str, numbers: Iterable[int], keyword: str | None = None
) -> dict[int, dict[str, MetadataItem]]:
    """Return the metadata of several owners of a kind; one without any has an empty dictionary."""
    found: dict[int, dict[str, MetadataItem]] = {}
    query = _METADATA[owner]
    if keyword is not None:
        query = query.where(schema.metadata_key.c.name == keyword)
    for chunk in chunks(numbers):
        found |= {number: {} for number in chunk}
        for number, name, text, when in session.execute(query, {"numbers": chunk}):
            found[number][name] = MetadataItem(name, values.decode(text), when)
    return found


def _metadata_of(table: Table) -> Select[Any]:
    key = schema.metadata_key
    return (
        select(table.c.owner_id, key.c.name, table.c.value, table.c.set_at)
        .join(key, key.c.id == table.c.key_id)
        .where(table.c.owner_id.in_(bindparam("numbers", expanding=True)))
    )


_METADATA = {owner: _metadata_of(table) for owner, (_, table) in OWNERS.items()}


class MetadataRecords(Records):
    """Metadata of tasks, attempts, products and versions."""

    def metadata_keyword_id(self, keyword: str) -> int:
        """Return the number of a keyword, which is made if it is new."""
        return self._id_of(schema.metadata_key, keyword)

    def hostname_get_id(self, name: str) -> int:
        """Return the number of a host, which is made if it is new."""
        return self._id_of(schema.host, name)

    def semantic_type_get_id(self, name: str) -> int:
        """Return the number of a semantic type, which is made if it is new."""
        return self._id_of(schema.semantic_type, name)

    def metadata_register(
        self,
        metadata: Mapping[str, Any],
        task_id: int | None = None,
        scheduling_attempt_id: int | None = None,
        product_id: int | None = None,
        product_version_id: int | None = None,
    ) -> None:
        """Set values of metadata of one entry; values keep their types.

        Raises NoSuchEntryError if there is no such entry, MetadataValueError for a value that is
        neither number, text, boolean, None, nor a list or dictionary of these.
        """
        owner, number = _owner(task_id, scheduling_attempt_id, product_id, product_version_id)
        with self.transaction() as session:
            need(session, OWNERS[owner][0], owner, number)
            write_metadata(session, owner, number, metadata)

    def metadata_fetch_all(
        self,
        task_id: int | None = None,
        scheduling_attempt_id: int | None = None,
        product_id: int | None = None,
        product_version_id: int | None = None,
    ) -> dict[str, MetadataItem]:
        """Return all metadata of one entry."""
        owner, number = _owner(task_id, scheduling_attempt_id, product_id, product_version_id)
        with self._reading() as session:
            return read_metadata(session, owner, [number])[number]

    def metadata_fetch_item(
        self,
        keyword: str,
        task_id: int | None = None,
        scheduling_attempt_id: int | None = None,
        product_id: int | None = None,
        product_version_id: int | None = None,
    ) -> MetadataItem | None:
        """Return one value of one entry; None if it has none."""
        owner, number = _owner(task_id, scheduling_attempt_id, product_id, product_version_id)
        with self._reading() as session:
            return read_metadata(session, owner, [number], keyword)[number].get(keyword)


def _owner(*numbers: int | None) -> tuple[str, int]:
    given = [(kind, n) for kind, n in zip(OWNERS, numbers, strict=True) if n is not None]
    if len(given) != 1:
        raise TaskSystemError("name one task, attempt, product or version whose metadata is meant")
    return given[0]
