"""`dlg run --engine dask` on somebody's cluster gives what `dlg run` gives: the same hashes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.reproducibility.compare import compare_runs
from dlg.reproducibility.evidence import run_of
from dlg_engine.sessions.evidence import FILE

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")

GRAPHS = Path(__file__).parents[2] / "graphs"
EXPERIMENT = "experiments/demo/demo/recognition/1/faces.json"
PATIENCE_S = 280
LOOPBACK = "127.0.0.1"

pytestmark = pytest.mark.timeout(2 * PATIENCE_S)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Return the address of a scheduler with two workers that know nothing of dlg yet."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host=LOOPBACK, dashboard_address=f"{LOOPBACK}:0",
        worker_dashboard_address=f"{LOOPBACK}:0", silence_logs="CRITICAL",
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


def dlg(*arguments: object, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dlg_engine.cli", *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ran(graph: Path, scheduler: str, place: Path) -> tuple[Path, Path]:
    """Run a graph here and on the cluster; return the directories of both sessions."""
    assert scheduler.startswith("tcp://")
    common = ("run", graph, "--repro", "all", "--quiet", "--workdir")
    dlg(*common, "here", cwd=place)
    dlg(*common, "there", "--engine", "dask", "--scheduler", scheduler, cwd=place)
    here, there = (next((place / name).iterdir()) for name in ("here", "there"))
    return here, there


def check(here: Path, there: Path) -> None:
    told = dlg("repro", "compare", here, there, cwd=here)
    assert told.count("same") == 7, told


@pytest.mark.slow
def test_the_tutorial_graph_has_the_same_hashes(scheduler: str, tmp_path: Path) -> None:
    check(*ran(GRAPHS / "tutorial/tutorial.graph", scheduler, tmp_path))


@pytest.mark.slow
def test_the_experiment_has_the_same_hashes_and_files(scheduler: str, tmp_path: Path) -> None:
    prefix, cache = tmp_path / "prefix", tmp_path / "prefix/cache"
    shutil.copytree(GRAPHS / "beat/prefix", prefix, ignore=shutil.ignore_patterns("cache"))
    made: list[dict[str, bytes]] = []

    def run(*engine: str) -> Path:
        workdir = tmp_path / f"runs{len(made)}"
        dlg("run", prefix / EXPERIMENT, "--repro", "all", "--workdir", workdir, *engine,
            cwd=tmp_path)  # fmt: skip
        made.append({
            str(file.relative_to(cache)): file.read_bytes()
            for file in cache.rglob("*") if file.is_file()
        })  # fmt: skip
        shutil.rmtree(cache)  # or the next one would find everything made
        return next(workdir.iterdir())

    here, there = run(), run("--engine", "dask", "--scheduler", scheduler)
    assert made[0]
    assert made[1] == made[0]
    # Each block has a report of the time it took: no two runs have the same, on any engine.
    one, other = (run_of(json.loads((place / FILE).read_text())) for place in (here, there))
    told = compare_runs(one, other)
    same = {level.name for level, is_same in told.levels.items() if is_same}
    assert same >= {"RERUN", "REPEAT", "RECOMPUTE"}
    assert all("report" in one.drop for one in told.causes), told.causes


@pytest.mark.long
def test_the_transit_job_has_the_same_hashes_and_result(scheduler: str, tmp_path: Path) -> None:
    here, there = ran(GRAPHS / "transits/transits.yaml", scheduler, tmp_path)
    check(here, there)
    tables = [session / "transits/recovery.csv" for session in (here, there)]
    assert tables[0].read_bytes() == tables[1].read_bytes()
