"""The example experiment gives the same files on three nodes as on one machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jsonschema_rs")

PREFIX = Path(__file__).parents[2] / "graphs" / "beat" / "prefix"
NAME = "demo/demo/recognition/1/faces"
PATIENCE_S = 120


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """Return the port of the master of a cluster of three nodes."""
    command = ["local-cluster", "-n", "3", "--port", "0", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "dlg_engine.cli", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        yield told["master"]["url"].rpartition(":")[2]
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def dlg(*arguments: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dlg_engine.cli", *arguments],
        capture_output=True, text=True, cwd=cwd, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_three_nodes_write_the_files_that_one_machine_writes(master: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    dlg("beat", "run", NAME, "--prefix", str(PREFIX), "--cache", str(here), cwd=tmp_path)
    named = ("--experiment", NAME, "--prefix", str(PREFIX))
    dlg("submit", *named, "-H", "127.0.0.1", "-P", master, cwd=tmp_path)
    wanted = {str(file.relative_to(here)): file.read_bytes() for file in here.rglob("*.*")}
    caches = list(tmp_path.glob("dlg-cluster/*/work/*/beat-cache"))
    found: dict[str, bytes] = {}
    for cache in caches:
        for file in cache.rglob("*.*"):
            name = str(file.relative_to(cache))
            assert found.setdefault(name, file.read_bytes()) == wanted[name]
    assert len(caches) > 1
    assert found.keys() == wanted.keys()
