"""A process that is killed while it brings a file into the store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.dlg_engine.tasks import dying
from tests.dlg_engine.tasks.databases import some_types


def test_no_file_is_lost_or_half_there_wherever_a_process_is_killed(tmp_path: Path) -> None:
    database, store, source = (tmp_path / name for name in ("tasks.db", "store", "source"))
    content = b"light" * 500_000
    source.write_bytes(content)
    with TaskDatabaseConnection(store, database) as tasks:
        tasks.task_type_list_to_db(some_types())
        task = tasks.task_register(task_type="make")
        product = tasks.file_product_register(task, "d", "a.lc", "lc")
        arguments = (dying.__file__, database, store, source, product)
        program = [sys.executable, *map(str, arguments)]
        done = subprocess.run(program, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
        lines = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
        killed = [line for line in lines if line[1]]
        assert len(killed) >= 8
        kept = 0
        for attempt, _, source_is_whole in lines:
            versions = tasks.file_version_by_product(product, attempt)
            for number in versions:
                tasks.file_version_verify(number)
            kept += len(versions)
            assert versions or source_is_whole  # never neither
        assert kept >= 1
        tasks.file_store_sweep(older_than_s=-60)
        files = [path for path in store.rglob("*") if path.is_file()]
        assert len(files) == kept
