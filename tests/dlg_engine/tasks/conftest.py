"""A database of tasks for each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.dlg_engine.tasks.databases import ENGINES, empty_database, opened


@pytest.fixture(params=ENGINES)
def tasks(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TaskDatabaseConnection]:
    with opened(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=ENGINES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[TaskDatabaseConnection]:
    with opened("sqlite", tmp_path) as found:
        yield found
