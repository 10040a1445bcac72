"""Databases for tests: a file each, or a schema of its own in PostgreSQL where that runs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dlg.exceptions import UsageError
from dlg.support.database import Database
from dlg_engine.scheduling.binding import SchedulingDatabase
from tests.dlg_engine.scheduling.plans import Desk

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"


@contextmanager
def postgres_schema() -> Iterator[str]:
    """Give the address of an empty schema; skip where there is no server."""
    from sqlalchemy import text

    try:
        server = Database(POSTGRES)
    except UsageError as error:
        pytest.skip(f"needs PostgreSQL at its usual port of this host: {error}")
    name = f"dlg_{secrets.token_hex(6)}"
    with server.engine.begin() as connection:
        connection.execute(text(f"create schema {name}"))
    try:
        yield f"{POSTGRES}?options=-csearch_path%3D{name}"
    finally:
        with server.engine.begin() as connection:
            connection.execute(text(f"drop schema {name} cascade"))
        server.close()


@contextmanager
def opened(kind: str, directory: Path) -> Iterator[SchedulingDatabase]:
    """Open a new database."""
    if kind == "sqlite":
        database = SchedulingDatabase(directory / "jobs.db")
        try:
            yield database
        finally:
            database.close()
        return
    with postgres_schema() as url:
        database = SchedulingDatabase(url)
        try:
            yield database
        finally:
            database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SchedulingDatabase]:
    with opened(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def desk(database: SchedulingDatabase, tmp_path: Path) -> Desk:
    (tmp_path / "cache").mkdir()
    return Desk(database, tmp_path / "cache")
