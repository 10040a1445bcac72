"""Requests about tasks made of their description: nothing fails that way, all is as told."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from hypothesis import strategies as st

from dlg.http.server import in_thread
from dlg_engine.daemon.task_pages import TaskPagesOptions, make_server
from dlg_engine.rest.task_service import TaskService
from tests.dlg_engine.rest.test_fuzz import STREAM, kinds_of, make_requests
from tests.dlg_engine.tasks.databases import ENGINES, opened
from tests.dlg_engine.tasks.night import Night

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports
    import schemathesis
    from schemathesis.core.result import Ok

NUMBERS = st.integers(1, 12)


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_no_request_about_tasks_fails(engine: str, tmp_path: Path) -> None:
    with opened(engine, tmp_path) as tasks:
        night = Night(tasks, tmp_path / "made")
        night.submit(planets=5)
        night.work()
        service = TaskService(tasks.database, tasks.file_store_path, "sql")
        tried = 0
        with in_thread(make_server(TaskPagesOptions(database="", port=0), service)) as server:
            schema = schemathesis.openapi.from_url(f"{server.url}/api/openapi.json")
            for found in schema.get_all_operations():
                assert isinstance(found, Ok)
                operation = found.ok()
                if STREAM not in kinds_of(operation):  # which has no end
                    make_requests(operation, server.url, {"id": NUMBERS})
                    tried += 1
            service.changes.close()
        night.close()
    assert tried > 12
