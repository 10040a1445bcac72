"""What a run leaves behind to be compared with others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import UsageError
from dlg.reproducibility.compare import compare_runs
from dlg.reproducibility.evidence import Run, run_of
from dlg.reproducibility.levels import SEVEN, Level
from dlg.support import content
from dlg_engine.embedded import run_graph

FILE = "dlg.data.file.FileDROP"
FUNCTION = "dlg.apps.python_function.PyFuncApp"
TWICE = "def twice(data):\n    return data + data"


def graph(source: Path, code: str = TWICE, **told: Any) -> list[dict[str, Any]]:
    """Return a file, a function that reads it, and what comes of it."""
    argued = {"data": {"usage": "InputPort", "encoding": "utf-8"}}
    return [
        {"oid": "in", "categoryType": "Data", "dropclass": FILE, "filepath": str(source),
         "consumers": ["f"]},
        {"oid": "f", "categoryType": "Application", "dropclass": FUNCTION, "func_code": code,
         "inputs": [{"in": "data"}], "outputs": [{"out": "result"}], "applicationArgs": argued,
         **told},
        {"oid": "out", "categoryType": "Data", "dropclass": "dlg.data.memory.InMemoryDROP"},
    ]  # fmt: skip


def ran(specs: list[dict[str, Any]], tmp_path: Path, level: object = "ALL", **how: Any) -> Run:
    """Run a graph and return what it left behind."""
    report = run_graph(specs, workdir=tmp_path / "runs", reproducibility=level, **how)
    assert report.status == "FINISHED", report.errors
    return run_of(json.loads((report.session_dir / "reprodata.out").read_text()))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.txt"
    path.write_text("hello")
    return path


def test_the_same_run_again_is_the_same_whatever_the_session_and_the_runner(
    tmp_path: Path, source: Path
) -> None:
    one = ran(graph(source), tmp_path)
    other = ran(graph(source, log_level="DEBUG"), tmp_path, runner="inline", workers=1)
    assert compare_runs(one, other).levels == dict.fromkeys(SEVEN, True)


def test_other_bytes_of_an_input_are_seen_though_its_time_is_the_same(
    tmp_path: Path, source: Path
) -> None:
    one = ran(graph(source), tmp_path)
    before = source.stat()
    source.write_text("world")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    comparison = compare_runs(one, ran(graph(source), tmp_path))
    assert {level for level, same in comparison.levels.items() if same} == {
        Level.RERUN, Level.REPEAT,
    }  # fmt: skip
    assert {d.drop for d in comparison.causes} == {"in"}


def test_another_function_with_the_same_result_reproduces_and_does_not_recompute(
    tmp_path: Path, source: Path
) -> None:
    other = "def twice(data):\n    return 2 * data"
    comparison = compare_runs(ran(graph(source), tmp_path), ran(graph(source, other), tmp_path))
    assert comparison.levels[Level.REPRODUCE]
    assert comparison.levels[Level.REPLICATE_TOTAL]
    assert not comparison.levels[Level.RECOMPUTE]
    assert [(d.drop, d.field) for d in comparison.causes] == [("f", "func_code")]


def test_a_graph_may_ask_for_a_level_itself(tmp_path: Path, source: Path) -> None:
    run = ran([*graph(source), {"rmode": "1"}], tmp_path, level=None)
    assert run.signature(Level.RERUN)
    assert run.signature(Level.REPEAT) is None


def test_nothing_is_left_behind_unless_somebody_asks(tmp_path: Path, source: Path) -> None:
    report = run_graph(graph(source), workdir=tmp_path / "runs")
    assert not (report.session_dir / "reprodata.out").exists()


def test_a_level_that_does_not_exist_is_refused_before_anything_runs(
    tmp_path: Path, source: Path
) -> None:
    with pytest.raises(UsageError, match="no level of reproducibility"):
        run_graph(graph(source), workdir=tmp_path / "runs", reproducibility="ONCE")
    assert not (tmp_path / "runs").exists()


def test_a_run_that_failed_leaves_evidence_of_how_it_failed(tmp_path: Path, source: Path) -> None:
    failing = "def twice(data):\n    raise ValueError(data)"
    report = run_graph(graph(source, failing), workdir=tmp_path, reproducibility="ALL")
    assert report.status == "FAILED"
    run = run_of(json.loads((report.session_dir / "reprodata.out").read_text()))
    assert run.drops["out"]["reprodata"]["strict"]["content"] == "none:ERROR"
    assert not compare_runs(ran(graph(source), tmp_path), run).same


def test_a_file_that_was_hashed_while_it_was_written_is_not_read_again(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = graph(source)
    specs[2] |= {"dropclass": FILE, "filepath": "out.txt"}
    slow = ran(specs, tmp_path, runner="processes", workers=1)  # there it is hashed in the end
    read: list[Path] = []

    def hash_of_file(path: Path) -> str:
        read.append(path)
        return content.hash_of_file(path)

    monkeypatch.setattr("dlg_engine.sessions.evidence.hash_of_file", hash_of_file)
    fast = ran(specs, tmp_path)
    assert read == [source]
    assert compare_runs(fast, slow).levels == dict.fromkeys(SEVEN, True)
