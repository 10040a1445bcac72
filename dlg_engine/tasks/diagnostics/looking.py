"""How all that looks at a database of tasks opens it, and what its queries share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import Session

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.records import read_metadata
from dlg_engine.tasks.task_database import TaskDatabaseConnection

MOST = 1000
"""How many rows a list has, if nobody asks for more."""


@contextmanager
def looking(database: Database | None) -> Iterator[Session]:
    """Look at one state of a database; None is that of the settings."""
    if database is not None:
        with database.reading() as session:
            yield session
        return
    with TaskDatabaseConnection() as tasks, tasks.database.reading() as session:
        yield session


def of_tasks(
    job_name: str | None, task_type: str | None = None, namespace: str | None = None
) -> list[ColumnElement[bool]]:
    """Return the conditions for tasks of a job and of a type, where these are given.

    A job that was submitted twice has a namespace for each time.
    """
    found: list[ColumnElement[bool]] = []
    if job_name is not None:
        found.append(schema.task.c.job_name == job_name)
    if task_type is not None:
        found.append(schema.task_type.c.name == task_type)
    if namespace is not None:
        found.append(schema.task.c.namespace == namespace)
    return found


def with_types(query: Select[Any]) -> Select[Any]:
    """Join the types of tasks to a query that has the tasks."""
    return query.join(schema.task_type, schema.task_type.c.id == schema.task.c.type_id)


def with_tasks(query: Select[Any]) -> Select[Any]:
    """Join the tasks, and their types, to a query that has the attempts."""
    return with_types(query.join(schema.task, schema.task.c.id == schema.attempt.c.task_id))


def plain_metadata(
    session: Session, owner: str, numbers: list[int]
) -> dict[int, Mapping[str, Any]]:
    """Return the values of metadata of several owners of a kind, without their times."""
    found = read_metadata(session, owner, numbers)
    return {
        number: {name: item.value for name, item in sorted(items.items())}
        for number, items in found.items()
    }
