"""What a drop's end asks for is carried out once, also if a worker is at it already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlg_engine.embedded import run_graph

ECHO = {
    "categoryType": "Application",
    "dropclass": "dlg.apps.bash_shell_app.BashShellApp",
    "command": "echo %i0 > %o0",
}
FILE = {"categoryType": "Data", "dropclass": "dlg.data.drops.file.FileDROP"}


def test_an_inline_run_that_writes_files_comes_to_rest(tmp_path: Path) -> None:
    specs: list[dict[str, Any]] = [
        {**ECHO, "oid": "make", "command": "echo 1 > %o0", "outputs": ["a"]},
        {**FILE, "oid": "a", "consumers": ["use"]},
        {**ECHO, "oid": "use", "outputs": ["result"]},
        {**FILE, "oid": "result"},
    ]
    report = run_graph(specs, runner="inline", workdir=tmp_path, timeout=30)
    assert report.status == "FINISHED"
    assert report.counts == {"COMPLETED": len(specs)}
