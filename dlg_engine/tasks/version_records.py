"""Versions of products: files in the store, with the verdict of quality control on each."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import exc, select, update
from sqlalchemy.orm import Session

from dlg.support import clock
from dlg.support.database import after_commit
from dlg_engine.tasks import file_store, schema
from dlg_engine.tasks.errors import EntryExistsError, NoSuchEntryError
from dlg_engine.tasks.product_records import ProductRecords
from dlg_engine.tasks.progress import products_passed, settle
from dlg_engine.tasks.records import need, read_metadata, write_metadata
from dlg_engine.tasks.statements import chunks
from dlg_engine.tasks.states import AttemptState
from dlg_engine.tasks.task_objects import FileProductVersion

SWEEP_AFTER_S = 86_400.0
"""How old a file must be that the database does not know, before it is taken for left over."""


class VersionRecords(ProductRecords):
    """Versions of products."""

    @staticmethod
    def file_version_get_hash(timestamp: float, filename: str, *file_info_fields: object) -> str:
        """Return a name of 32 characters for a file in the store, with the suffix of its own."""
        return file_store.name_for(timestamp, filename, *file_info_fields)

    @staticmethod
    def file_version_get_md5_hash(file_path: str | Path) -> str:
        """Return the MD5 of a file."""
        return file_store.md5_of(Path(file_path))

    def file_version_register(  # noqa: PLR0913, PLR0917  the interface has so many
        self,
        product_id: int,
        generated_by_task_execution: int,
        file_path_input: str | Path,
        preserve: bool = False,
        created_time: float | None = None,
        modified_time: float | None = None,
        passed_qc: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> int:
        """Bring a file into the store, and return the number of the version it is.

        The original is removed when the database has it, unless it is to be preserved. Raises
        FileNotFoundError if there is none, EntryExistsError if the attempt has made a version of
        the product before.
        """
        now = clock.now()
        created = now if created_time is None else created_time
        with self.transaction() as session:
            product = need(session, schema.product, "product", product_id)
            need(session, schema.attempt, "attempt", generated_by_task_execution)
            name, found = self._store(product, Path(file_path_input), created)
            row = {
                "product_id": product_id,
                "attempt_id": generated_by_task_execution,
                "repository_id": name,
                "created": created,
                "modified": now if modified_time is None else modified_time,
                "md5": found.md5,
                "content_hash": found.content_hash,
                "size": found.size,
                "passed_qc": passed_qc,
            }
            try:
                with session.begin_nested():
                    made: Any = session.execute(schema.version.insert().values(row))
            except exc.IntegrityError as error:
                self._path(product, name).unlink(missing_ok=True)
                raise EntryExistsError(
                    f"attempt {generated_by_task_execution} has registered product {product_id} "
                    "already"
                ) from error
            number = int(made.inserted_primary_key[0])
            write_metadata(session, "version", number, metadata or {})
            if passed_qc is not None:
                self._judged(session, generated_by_task_execution)
            self._remove_later(session, file_path_input, preserve)
            return number

    def _store(self, product: Any, source: Path, created: float) -> tuple[str, file_store.Stored]:
        name = file_store.name_for(created, product.filename, product.id, secrets.token_hex(16))
        return name, file_store.copy(source, self._path(product, name))

    def _path(self, product: Any, name: str) -> Path:
        folder: Path = self.file_store_path / product.namespace / product.directory
        return folder / name

    @staticmethod
    def _remove_later(session: Session, source: str | Path, preserve: bool) -> None:
        if not preserve:
            after_commit(session, lambda: Path(source).unlink(missing_ok=True))

    @staticmethod
    def _judged(session: Session, attempt_id: int) -> None:
        if settle(session, attempt_id) is AttemptState.PASSED:
            table = schema.version
            query = select(table.c.product_id).where(
                table.c.attempt_id == attempt_id, table.c.passed_qc.is_(True)
            )
            products_passed(session, session.scalars(query).all())

    def file_version_update(
        self,
        product_version_id: int,
        file_path_input: str | Path | None = None,
        preserve: bool = False,
        modified_time: float | None = None,
        passed_qc: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Change what is given; a new file gets a name of its own, and has not been judged yet."""
        with self.transaction() as session:
            row = need(session, schema.version, "version", product_version_id)
            values: dict[str, Any] = {}
            if file_path_input is not None:
                product = need(session, schema.product, "product", row.product_id)
                name, found = self._store(product, Path(file_path_input), row.created)
                values = {
                    "repository_id": name,
                    "md5": found.md5,
                    "content_hash": found.content_hash,
                    "size": found.size,
                    "modified": clock.now(),
                    "passed_qc": None,
                }
                old = self._path(product, row.repository_id)
                after_commit(session, lambda: old.unlink(missing_ok=True))
                self._remove_later(session, file_path_input, preserve)
            given = {"modified": modified_time, "passed_qc": passed_qc}
            values |= {name: value for name, value in given.items() if value is not None}
            if values:
                of = schema.version.c.id == product_version_id
                session.execute(update(schema.version).where(of).values(values))
            write_metadata(session, "version", product_version_id, metadata or {})
            if passed_qc is not None:
                self._judged(session, row.attempt_id)

    def file_version_delete(self, product_version_id: int) -> None:
        """Delete a version and its file."""
        with self.transaction() as session:
            need(session, schema.version, "version", product_version_id)
            self._forget_files(session, schema.version.c.id, [product_version_id])

    def _forget_files(self, session: Session, column: Any, numbers: list[int]) -> None:
        """Delete versions; their files go when the database has forgotten them."""
        table, product = schema.version, schema.product
        paths: list[Path] = []
        for chunk in chunks(numbers):
            query = (
                select(table.c.repository_id, product.c.namespace, product.c.directory)
                .join(product, product.c.id == table.c.product_id)
                .where(column.in_(chunk))
            )
            paths += [self._path(row, row.repository_id) for row in session.execute(query)]
            session.execute(table.delete().where(column.in_(chunk)))
        for path in paths:
            after_commit(session, _Removal(path))

    def file_version_exists_in_db(self, product_version_id: int) -> bool:
        """Return whether there is such a version."""
        return self._exists(schema.version, product_version_id)

    def file_version_exists_in_file_system(self, product_version_id: int) -> bool:
        """Return whether the file of a version is in the store; False for an unknown version."""
        return self.file_version_path_for_id(product_version_id, must_exist=True) is not None

    def file_version_path_for_id(
        self, product_version_id: int, full_path: bool = True, must_exist: bool = False
    ) -> str | None:
        """Return where the file of a version is, from the root of the store or of the system."""
        with self._reading() as session:
            table, product = schema.version, schema.product
            query = (
                select(table.c.repository_id, product.c.namespace, product.c.directory)
                .join(product, product.c.id == table.c.product_id)
                .where(table.c.id == product_version_id)
            )
            row = session.execute(query).one_or_none()
        if row is None:
            return None
        path = self._path(row, row.repository_id)
        if must_exist and not path.is_file():
            return None
        return str(path if full_path else path.relative_to(self.file_store_path))

    def file_version_lookup(self, product_version_id: int) -> FileProductVersion | None:
        """Return a version; None if there is none."""
        with self._reading() as session:
            found = versions_where(session, schema.version.c.id == product_version_id)
        return found.get(product_version_id)

    def file_version_by_product(
        self, product_id: int, attempt_id: int | None = None, must_have_passed_qc: bool = False
    ) -> list[int]:
        """Return the versions of a product, oldest first."""
        table = schema.version
        query = select(table.c.id).where(table.c.product_id == product_id).order_by(table.c.id)
        if attempt_id is not None:
            query = query.where(table.c.attempt_id == attempt_id)
        if must_have_passed_qc:
            query = query.where(table.c.passed_qc.is_(True))
        with self._reading() as session:
            return list(session.scalars(query))

    def file_version_verify(self, product_version_id: int) -> None:
        """Raise DamagedFileError unless the file of a version is what was registered."""
        version = self.file_version_lookup(product_version_id)
        path = self.file_version_path_for_id(product_version_id)
        if version is None or path is None:
            raise NoSuchEntryError("version", product_version_id)
        found = file_store.stored(Path(path))
        file_store.check(Path(path), found, str(version.content_hash), int(version.file_size or 0))

    def file_store_sweep(self, older_than_s: float = SWEEP_AFTER_S) -> list[Path]:
        """Remove what crashes have left in the store; return the files."""
        table = schema.version
        before = clock.now() - older_than_s  # first, so that what is registered now is spared

        def known(name: str) -> bool:
            with self._reading() as session:
                query = select(table.c.id).where(table.c.repository_id == name)
                return session.scalar(query) is not None

        root = self.file_store_path
        return list(file_store.sweep(root, known, before)) if os.path.isdir(root) else []  # noqa: PTH112


class _Removal:
    """Removes a file when it is called."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> None:
        self._path.unlink(missing_ok=True)


def versions_where(session: Session, condition: Any) -> dict[int, FileProductVersion]:
    """Return the versions for which a condition holds, by number."""
    table = schema.version
    rows = session.execute(select(table).where(condition).order_by(table.c.id)).all()
    metadata = read_metadata(session, "version", [row.id for row in rows])
    return {
        row.id: FileProductVersion(
            product_version_id=row.id,
            product_id=row.product_id,
            generated_by_task_execution=row.attempt_id,
            repository_id=row.repository_id,
            created_time=row.created,
            modified_time=row.modified,
            file_md5=row.md5,
            content_hash=row.content_hash,
            file_size=row.size,
            passed_qc=row.passed_qc,
            metadata=metadata[row.id],
        )
        for row in rows
    }
