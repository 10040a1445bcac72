"""Pools of workers as processes."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from dlg.exceptions import UsageError
from dlg_engine.tasks.worker_pool import WorkerPool
from dlg_engine.tasks.worker_process import WorkPlan
from tests.dlg_engine.tasks.databases import opened


def test_no_process_is_left_where_the_database_is_gone(tmp_path: Path) -> None:
    place = tmp_path / "here"
    place.mkdir()
    with opened("sqlite", place):
        pass
    before = set(multiprocessing.active_children())
    plan = WorkPlan(
        database=f"sqlite:///{place}/tasks.db", store=str(place / "store"), queue="sql"
    )
    pool = WorkerPool(plan, 2, scheduler=False)
    pool.start()
    pool.run(is_over=lambda: True)  # which is asked when all are ready
    children = set(multiprocessing.active_children()) - before
    killed = min(children, key=lambda child: child.name)
    killed.kill()
    killed.join()
    place.rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        pool.close()
    assert len(children) == 2
    assert not any(child.is_alive() for child in children)
