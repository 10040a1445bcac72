"""Databases for tests: a file of SQLite, or an empty database of a server where one runs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from dlg.exceptions import UsageError
from dlg.support.database import Database
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_types import Resources, TaskTypeList

SERVERS = {
    "postgresql": "postgresql://postgres@127.0.0.1:5432/",
    "mariadb": "mariadb://root@127.0.0.1:3306/",
}
ENGINES = ["sqlite", *(pytest.param(name, marks=pytest.mark.services) for name in SERVERS)]
"""For `parametrize`."""


@contextmanager
def empty_database(kind: str, directory: Path) -> Iterator[str]:
    """Give the address of an empty database; skip where there is no server."""
    if kind == "sqlite":
        yield f"sqlite:///{directory / 'tasks.db'}"
        return
    where = SERVERS[kind]
    try:
        server = Database(where + ("postgres" if kind == "postgresql" else ""))
    except UsageError as error:
        pytest.skip(f"needs {kind} at its usual port of this host: {error}")
    name = f"dlg_{secrets.token_hex(6)}"
    options = {"isolation_level": "AUTOCOMMIT"}
    with server.engine.connect().execution_options(**options) as connection:
        connection.execute(text(f"create database {name}"))
        try:
            yield where + name
        finally:
            force = " with (force)" if kind == "postgresql" else ""
            connection.execute(text(f"drop database {name}{force}"))
    server.close()


@contextmanager
def opened(kind: str, directory: Path) -> Iterator[TaskDatabaseConnection]:
    """Open a new database with some types of tasks."""
    with (
        empty_database(kind, directory) as url,
        TaskDatabaseConnection(directory / "store", url) as tasks,
    ):
        tasks.task_type_list_to_db(some_types())
        yield tasks


def some_types() -> TaskTypeList:
    """Return three types of tasks and two containers."""
    types = TaskTypeList()
    types.worker_containers = {"base": Resources(), "gpu": Resources(4, 2, 16.5)}
    types.add("null")
    types.add("make", ["base"])
    types.add("search", ["gpu"])
    return types
