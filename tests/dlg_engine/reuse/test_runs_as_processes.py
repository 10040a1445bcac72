"""Runs of the command line that share a store, and that are killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dlg_engine.reuse import upkeep
from dlg_engine.reuse.store import Store

FILE = "dlg.data.file.FileDROP"
BASH = "dlg.apps.bash.BashShellApp"
LENGTH = 12
PATIENCE_S = 60


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Return a chain of commands, each of which adds lines to what it reads, and one to a log."""
    specs: list[dict[str, Any]] = []
    for i in range(LENGTH):
        read = "cat %i0 > %o0; " if i else ""
        specs.append(
            {"oid": f"a{i}", "categoryType": "Application", "dropclass": BASH,
             "command": f"{read}seq {i} 3000 >> %o0; echo {i} >> {tmp_path}/$DLG_SESSION_ID",
             "inputs": [f"d{i - 1}"] if i else [], "outputs": [f"d{i}"]}
        )  # fmt: skip
        specs.append(
            {"oid": f"d{i}", "categoryType": "Data", "dropclass": FILE, "filepath": f"{i}.txt"}
        )
    path = tmp_path / "chain.json"
    path.write_text(json.dumps(specs))
    return path


def start(graph: Path, number: int) -> subprocess.Popen[bytes]:
    """Return a run that is under way."""
    root = graph.parent
    places = ["--store", str(root / "store"), "--workdir", str(root / f"runs{number}")]
    command = [sys.executable, "-m", "dlg_engine.cli", "run", str(graph), "--reuse", "-q"]
    return subprocess.Popen([*command, *places])


def result(graph: Path, number: int) -> str:
    (path,) = (graph.parent / f"runs{number}").glob(f"*/{LENGTH - 1}.txt")
    return path.read_text()


def ran(graph: Path, number: int) -> list[int]:
    """Return the commands that a run has really run."""
    (session,) = (graph.parent / f"runs{number}").iterdir()
    log = graph.parent / session.name
    return [int(line) for line in log.read_text().split()] if log.exists() else []


EXPECTED = "".join(f"{n}\n" for i in range(LENGTH) for n in range(i, 3001))


def test_runs_at_the_same_time_share_a_store(graph: Path) -> None:
    runs = [start(graph, number) for number in range(3)]
    for number, run in enumerate(runs):
        assert run.wait(PATIENCE_S) == 0
        assert result(graph, number) == EXPECTED
    assert not list(upkeep.verify(Store(graph.parent / "store")))


@pytest.mark.slow
def test_a_store_that_is_used_cleared_and_checked_at_the_same_time_serves_nothing_wrong(
    graph: Path,
) -> None:
    """Each of four runs starts when another ends, while others clear the store to nothing."""
    store = graph.parent / "store"
    runs = {number: start(graph, number) for number in range(2)}
    for number in range(2, 8):
        first = min(runs)
        Store(store)  # there is one, whoever comes first
        upkeep.gc(Store(store), max_size=20_000 * (number % 2))
        assert runs.pop(first).wait(PATIENCE_S) == 0
        assert result(graph, first) == EXPECTED
        assert not list(upkeep.verify(Store(store)))
        runs[number] = start(graph, number)
    for number, run in runs.items():
        assert run.wait(PATIENCE_S) == 0
        assert result(graph, number) == EXPECTED
    upkeep.gc(Store(store), max_size=0)
    assert not list(upkeep.verify(Store(store)))


@pytest.mark.slow
def test_a_run_after_a_kill_takes_up_what_was_complete(graph: Path) -> None:
    chance = random.Random(3)
    store = Store(graph.parent / "store")
    kept = 0
    for number in range(6):
        run = start(graph, number)
        with suppress(subprocess.TimeoutExpired):  # it may have finished
            run.wait(chance.uniform(0.2, 0.6))
        run.send_signal(signal.SIGKILL)
        run.wait(PATIENCE_S)
        assert not list(upkeep.verify(store))
        kept = len(upkeep.listed(store))
    last = start(graph, 9)
    assert last.wait(PATIENCE_S) == 0
    assert result(graph, 9) == EXPECTED
    assert ran(graph, 9) == list(range(kept, LENGTH))
    upkeep.gc(store)
    assert not any(store.under_way.iterdir())
