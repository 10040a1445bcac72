"""`dlg beat run`: an experiment, from the command to its plot, and what is not run again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

pytest.importorskip("jsonschema_rs")

PREFIX = Path(__file__).parents[3] / "graphs" / "beat" / "prefix"
NAME = "demo/demo/recognition/1/faces"
PATIENCE_S = 60
Dlg = Callable[..., Result]


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return Path(
        shutil.copytree(PREFIX, tmp_path / "prefix", ignore=shutil.ignore_patterns("cache"))
    )


def run(dlg: Dlg, prefix: Path, *more: str) -> dict[str, Any]:
    result = dlg("beat", "run", NAME, "--prefix", str(prefix), "--json", *more)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def names_run(told: dict[str, Any]) -> set[str]:
    return {block["block"] for block in told["blocks"] if not block.get("reused")}


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_it_ends_in_a_table_of_results_and_a_plot(dlg: Dlg, prefix: Path) -> None:
    result = dlg("beat", "run", NAME, "--prefix", str(prefix))
    assert result.exit_code == 0, result.output
    assert f"FINISHED: {NAME}" in result.stdout
    assert re.search(r"roc +recognition_rate +0\.9322", result.stdout)
    plots = list(Path("dlg-runs").glob("*/plots/roc-roc.png"))
    assert [file.read_bytes()[1:4] for file in plots] == [b"PNG"]


def test_what_has_not_changed_is_not_run_again(dlg: Dlg, prefix: Path) -> None:
    assert names_run(run(dlg, prefix)) == {"subspace", "gallery", "probes", "scores", "roc"}
    assert names_run(run(dlg, prefix)) == set()
    assert names_run(run(dlg, prefix, "--force")) == {
        "subspace", "gallery", "probes", "scores", "roc",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "again"),
    [
        ("libraries/demo/pictures/1.py", "1e-9", "1e-8", "subspace gallery probes scores roc"),
        ("algorithms/demo/compare/1.py", "1e-12", "1e-11", "scores roc"),
        ("algorithms/demo/enroll/1.py", "numpy.mean", "numpy.median", "gallery scores roc"),
        ("databases/faces/1.py", "0.05 *", "0.04 *", "subspace gallery probes scores roc"),
        ("databases/faces/1.json", '"samples": 8', '"samples": 6', "probes scores roc"),
    ],
)
def test_what_comes_after_a_change_is_run_again(
    dlg: Dlg, prefix: Path, file: str, old: str, new: str, again: str
) -> None:
    run(dlg, prefix)
    edit(prefix / file, old, new)
    assert names_run(run(dlg, prefix)) == set(again.split())


def test_more_slots_change_nothing_that_is_there(dlg: Dlg, prefix: Path) -> None:
    run(dlg, prefix)
    edit(prefix / "experiments" / f"{NAME}.json", '"nb_slots": 3', '"nb_slots": 5')
    assert names_run(run(dlg, prefix)) == set()


def test_parts_of_other_slots_are_replaced(dlg: Dlg, prefix: Path) -> None:
    run(dlg, prefix)
    edit(prefix / "experiments" / f"{NAME}.json", '"nb_slots": 3', '"nb_slots": 2')
    edit(prefix / "algorithms/demo/compare/1.py", "1e-12", "1e-11")
    assert names_run(run(dlg, prefix)) == {"scores", "roc"}
    result = dlg("beat", "results", NAME, "--prefix", str(prefix), "--json")
    assert json.loads(result.stdout)["roc"]["probes"] == 192


def test_both_executors_write_the_same_files(dlg: Dlg, prefix: Path, tmp_path: Path) -> None:
    caches = {kind: tmp_path / kind for kind in ("local", "subprocess")}
    for kind, cache in caches.items():
        run(dlg, prefix, "--executor", kind, "--cache", str(cache))
    assert contents(caches["local"]) == contents(caches["subprocess"])


def contents(cache: Path) -> dict[str, bytes]:
    files = (file for file in cache.rglob("*") if file.is_file())
    return {str(file.relative_to(cache)): file.read_bytes() for file in files}


def test_an_error_of_the_users_code_is_told_with_its_place(dlg: Dlg, prefix: Path) -> None:
    edit(prefix / "algorithms/demo/compare/1.py", "probe = ", "probe = 1 / 0 * ")
    result = dlg("beat", "run", NAME, "--prefix", str(prefix))
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.output
    assert "drops/execution.py" not in result.output
    assert "probe = 1 / 0" in result.output
    assert "dlg_engine" not in result.output.replace(str(prefix), "")


def test_an_experiment_that_is_wrong_is_refused_whole(dlg: Dlg, prefix: Path) -> None:
    edit(prefix / "experiments" / f"{NAME}.json", "demo/enroll/1", "demo/missing/1")
    result = dlg("beat", "run", NAME, "--prefix", str(prefix))
    assert result.exit_code == 2
    assert "demo/missing/1" in result.output
    assert "Traceback" not in result.output


def test_a_limit_ends_a_block(dlg: Dlg, prefix: Path) -> None:
    endless = "while True: pass\n        probe = "
    edit(prefix / "algorithms/demo/compare/1.py", "probe = ", endless)
    result = dlg("beat", "run", NAME, "--prefix", str(prefix), "--minutes", "0.01")
    assert result.exit_code == 1
    assert "the time limit of 0.6 s is over" in result.output
    assert "Traceback" not in result.output


def test_nothing_is_tabled_where_no_block_ran(dlg: Dlg, prefix: Path) -> None:
    result = dlg("beat", "run", NAME, "--prefix", str(prefix), "--memory", "1")
    assert result.exit_code == 1
    assert "less than the interpreter itself needs" in result.output
    assert "Traceback" not in result.output
    assert "seconds" not in result.output


def test_results_are_shown_again_and_plotted_by_values_of_an_asset(dlg: Dlg, prefix: Path) -> None:
    run(dlg, prefix)
    assert "0.0468" in dlg("beat", "results", NAME, "--prefix", str(prefix)).stdout
    result = dlg("beat", "plot", NAME, "--prefix", str(prefix), "-o", "p", "--with", "plot/roc/1")
    assert result.exit_code == 0, result.output
    assert Path("p", "roc-roc.png").stat().st_size > 5_000


@pytest.mark.parametrize("command", ["results", "plot"])
def test_results_that_are_not_there_are_told(dlg: Dlg, prefix: Path, command: str) -> None:
    result = dlg("beat", command, NAME, "--prefix", str(prefix), "--cache", "nowhere")
    assert result.exit_code == 2
    assert result.output.splitlines()[0].startswith(
        "dlg: analyzer roc has no results in the cache nowhere: dlg beat run makes them"
    )
    assert len(result.output.splitlines()) == 1


def test_dlg_run_takes_an_experiment_too(dlg: Dlg, prefix: Path) -> None:
    result = dlg("run", str(prefix / "experiments" / f"{NAME}.json"))
    assert result.exit_code == 0, result.output
    assert "FINISHED: 25 drops" in result.stdout
    assert names_run(run(dlg, prefix)) == set()


def test_a_run_that_is_killed_is_gone_on_with_by_the_next(dlg: Dlg, prefix: Path) -> None:
    whole = prefix.with_name("whole")
    run(dlg, prefix, "--cache", str(whole))
    slow = "import time; time.sleep(0.02)\n        probe = "
    edit(prefix / "algorithms/demo/compare/1.py", "probe = ", slow)
    report = Path("dlg-runs").absolute()
    process = subprocess.Popen(
        [sys.executable, "-m", "dlg_engine.cli", "beat", "run", NAME, "--prefix", str(prefix)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    before = set(report.iterdir())
    until(lambda: any((one / "reports" / "probes.json").exists() for one in new(report, before)))
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE_S)
    again = names_run(run(dlg, prefix))
    assert {"scores", "roc"} & again
    assert not {"subspace", "gallery", "probes"} & again
    same = {k: v for k, v in contents(whole).items() if k.endswith((".data", ".index"))}
    found = contents(prefix / "cache")
    code_changed = {k for k in same if k not in found}
    assert len(code_changed) == 2 * (3 + 1)  # three parts of the scores, one of the result
    assert all(found[k] == same[k] for k in same.keys() - code_changed)


def new(folder: Path, before: set[Path]) -> set[Path]:
    return set(folder.iterdir()) - before


def until(test: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not test():
        assert time.monotonic() < deadline
        os.sched_yield()
