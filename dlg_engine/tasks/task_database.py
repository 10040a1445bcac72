"""The database of tasks, through which everybody reads and writes entries."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select

from dlg.support.database import Database
from dlg_engine.tasks import file_store, schema
from dlg_engine.tasks.connect_db import DatabaseConnector
from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.lookups import file_inputs
from dlg_engine.tasks.migrating import need_tables
from dlg_engine.tasks.settings import Settings
from dlg_engine.tasks.task_objects import MetadataItem, Task
from dlg_engine.tasks.temporary_directory import TemporaryDirectory
from dlg_engine.tasks.type_records import TypeRecords
from dlg_engine.tasks.version_records import versions_where


class TaskDatabaseConnection(TypeRecords):
    """An open database of tasks with the store of its files.

    Without `database` (an address, the path of an SQLite file, or one that is open already) it is
    that of the settings. Tables are made in an empty database. An object is for one thread.
    """

    def __init__(
        self,
        file_store_path: str | Path | None = None,
        database: str | Path | Database | None = None,
    ) -> None:
        self._owned: Database | None = None
        store = Path(file_store_path or Settings().settings["dataPath"]).absolute()
        if not isinstance(database, Database):
            database = self._owned = Database(_address() if database is None else database)
            need_tables(database)
        super().__init__(database, store)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close_db()

    def __del__(self) -> None:
        if getattr(self, "_owned", None) is not None:
            self.close_db()

    def commit(self) -> None:
        """Do nothing: each method has kept what it did. Several are one in `transaction()`."""

    def close_db(self) -> None:
        """Close the database, if it was opened here."""
        if self._owned is not None:
            self._owned.close()
            self._owned = None

    def task_open_file_input(
        self,
        task: Task,
        input_name: str,
        tmp_dir: TemporaryDirectory,
        execution_id: int | None = None,
        must_have_passed_qc: bool = True,
    ) -> tuple[str, dict[str, MetadataItem]]:
        """Copy the newest version of an input into a directory; return its path and metadata.

        Raises NoSuchEntryError if the task has no such input or there is no version of it (that
        has passed quality control), DamagedFileError if the file is not what was registered.
        """
        if task.task_id is None:
            raise TaskSystemError("the task is not registered")
        with self._reading() as session:
            products = file_inputs(session, task.task_id)
            if input_name not in products:
                known = ", ".join(products) or "none"
                raise NoSuchEntryError(
                    f"input of task {task.task_id}", input_name, f"it has {known}"
                )
            product = products[input_name]
            table = schema.version
            query = select(table.c.id).where(table.c.product_id == product.product_id)
            if execution_id is not None:
                query = query.where(table.c.attempt_id == execution_id)
            if must_have_passed_qc:
                query = query.where(table.c.passed_qc.is_(True))
            number = session.scalar(query.order_by(table.c.id.desc()).limit(1))
            if number is None:
                kind = "version passed by quality control" if must_have_passed_qc else "version"
                raise NoSuchEntryError(kind, f"{product.directory}/{product.filename}")
            version = versions_where(session, table.c.id == number)[number]
        source = Path(str(self.file_version_path_for_id(number)))
        target = Path(tmp_dir.tmp_dir) / str(product.filename)
        wanted = str(version.content_hash), int(version.file_size or 0)
        file_store.checked_copy(source, target, *wanted)
        return str(target), version.metadata


def _address() -> str:
    interface = DatabaseConnector().interface(connect=False)
    return interface.url.render_as_string(hide_password=False)
