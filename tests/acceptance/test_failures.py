"""One failure in the middle of a large graph, and runs side by side."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlg.ddap_protocol import DROPStates as S
from dlg.testing.graphs import app, data
from dlg_engine.cli.main import cli
from dlg_engine.embedded import run_graph
from dlg_engine.sessions.report import RunReport

FUNCTION = "dlg.apps.python_function.PyFuncApp"
BAD = "def calibrate(x):\n    raise ValueError(f'no solution for {x}')"
GOOD = "def calibrate(x):\n    return x"


def thousand(bad: int = 137) -> list[dict[str, Any]]:
    """Return 250 lines of four drops each; in one of them the function raises."""
    specs: list[dict[str, Any]] = []
    for i in range(250):
        code = BAD if i == bad else GOOD
        specs += [
            data(f"in{i}", [f"f{i}"], pydata=i),
            app(f"f{i}", [f"mid{i}"], FUNCTION, func_code=code, name=f"calibrate {i}"),
            data(f"mid{i}", [f"g{i}"]),
            app(f"g{i}", [], FUNCTION, func_code="def keep(x):\n    return x"),
        ]
    return specs


def test_a_thousand_drops_with_one_that_fails(tmp_path: Path) -> None:
    graph = tmp_path / "thousand.graph"
    graph.write_text(json.dumps(thousand()))
    report = tmp_path / "report.json"
    arguments = ["run", str(graph), "--workdir", str(tmp_path), "--report", str(report)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 1
    assert "drop 'calibrate 137' (f137) failed: ValueError: no solution for 137" in result.stdout
    assert "in calibrate" in result.stdout
    assert "2 drops stopped by it" in result.stdout
    written = json.loads(report.read_text())
    (error,) = written["errors"]
    assert (error["uid"], error["name"], error["stopped"]) == ("f137", "calibrate 137", 2)
    assert re.search(r"Traceback.*in calibrate.*ValueError", error["traceback"], re.DOTALL)
    assert written["counts"]["ERROR"] == 3
    assert sum(written["counts"].values()) == 1000


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_everything_independent_of_the_failure_completes(tmp_path: Path, runner: str) -> None:
    report = run_graph(thousand(), runner=runner, workers=2, workdir=tmp_path, timeout=60)
    live = report.drops.live
    bad = [uid for row, uid in enumerate(live.uids) if live.flow.status[row] == S.ERROR]
    assert bad == ["f137", "mid137", "g137"]
    assert {live.uids[row] for row in live.flow.stopped_by} == {"mid137", "g137"}
    assert report.counts["ERROR"] == 3
    assert set(report.counts) <= {"COMPLETED", "DELETED", "ERROR"}


def test_two_runs_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    barrier = threading.Barrier(2, timeout=30)
    reports: dict[str, RunReport] = {}
    look = "def look(x):\n    import os, pathlib\n    return x, os.getcwd()"

    def specs(mark: str) -> list[dict[str, Any]]:
        found = [data("in", [f"f{i}" for i in range(200)], pydata=mark)]
        for i in range(200):
            found += [app(f"f{i}", [f"d{i}"], FUNCTION, func_code=look), data(f"d{i}")]
        note = {"categoryType": "Data", "dropclass": "dlg.data.file.FileDROP", "oid": "note"}
        write = app("write", ["note"], "dlg.apps.bash.BashShellApp", command=f"echo {mark} > %o0")
        fail = app("fail", ["never"], "dlg.testing.apps.OutcomeApp", outcome="fail")
        own = [fail, data("never")] if mark == "left" else []
        return [*found, write, {**note, "filepath": "note.txt"}, *own]

    def run(mark: str) -> None:
        barrier.wait()
        reports[mark] = run_graph(specs(mark), runner="threads", workdir=tmp_path, timeout=60)

    threads = [threading.Thread(target=run, args=(mark,)) for mark in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    here = str(Path.cwd())
    for mark, status in (("left", "FAILED"), ("right", "FINISHED")):
        report = reports[mark]
        assert report.status == status
        assert {report.result(f"d{i}") for i in range(200)} == {(mark, here)}
        assert (report.session_dir / "note.txt").read_text() == f"{mark}\n"
    assert [error.uid for error in reports["left"].errors] == ["fail"]
    assert reports["right"].errors == ()
    assert reports["left"].session_dir != reports["right"].session_dir
