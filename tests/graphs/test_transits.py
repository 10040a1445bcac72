"""The transits graph: what it finds is what physics says."""

from __future__ import annotations

import csv
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dlg.jobs.reading import read_document
from dlg_engine.tasks.job_products import products_of_job
from dlg_engine.tasks.job_submission import submit_job, wait_for_job
from tests.graphs.queue_workers import working

pytest.importorskip("batman", reason="batman-package is not installed")
pytest.importorskip("astropy", reason="astropy is not installed")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")

HOME = Path(__file__).parents[2] / "graphs" / "transits"


@pytest.fixture(scope="module")
def transits() -> ModuleType:
    sys.path.append(str(HOME))
    try:
        return importlib.import_module("transits")
    finally:
        sys.path.remove(str(HOME))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("transits")
    command = [sys.executable, "-m", "dlg_engine.cli", "run", str(HOME / "transits.graph")]
    done = subprocess.run(
        [*command, "--report", "report.json"],
        capture_output=True, text=True, cwd=place, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "of 50 planets recovered" in done.stdout
    return Path(json.loads((place / "report.json").read_text())["session_dir"])


def check_rows(rows: list[dict[str, str]]) -> None:
    assert len(rows) == 50
    for row in rows:
        radius, period = float(row["radius_earth"]), float(row["orbital_period"])
        if radius >= 4 and period < 30:
            assert row["recovered"] == "1", row
        if radius <= 1 or period > 45:  # lost in the noise; or seen only once
            assert row["recovered"] == "0", row


@pytest.mark.slow
def test_big_planets_with_short_periods_are_found_and_others_are_not(session: Path) -> None:
    with (session / "recovery.csv").open() as file:
        check_rows(list(csv.DictReader(file)))


@pytest.mark.slow
def test_it_draws_a_map_and_an_example(session: Path) -> None:
    for name in ("recovery", "lightcurve", "periodogram", "folded"):
        assert (session / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert (session / "example.txt.gz").exists()


@pytest.mark.slow
def test_the_job_finds_what_the_graph_finds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dlg_engine.cli", "run", str(HOME / "transits.yaml"), "-q"]
    done = subprocess.run(
        [*command, "--report", "report.json"],
        capture_output=True, text=True, cwd=tmp_path, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = Path(json.loads((tmp_path / "report.json").read_text())["session_dir"]) / "transits"
    with (made / "recovery.csv").open() as file:
        check_rows(list(csv.DictReader(file)))
    assert (made / "recovery.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(made.glob("lightcurve_*.txt.gz"))) == 50


@pytest.mark.long
def test_workers_of_a_database_find_the_same(tmp_path: Path) -> None:
    types = ("transit_synthesis", "transit_search", "transit_recovery")
    with working("sqlite", tmp_path, HOME, types) as tasks:
        job = submit_job(tasks, read_document(HOME / "transits.yaml"))
        assert wait_for_job(tasks, job.job_id, 110).states == {"done": 101}
        made = {one.path.removeprefix("transits/"): one for one in products_of_job(tasks, 1)}
    with made["recovery.csv"].file.open() as file:
        check_rows(list(csv.DictReader(file)))
    assert made["recovery.png"].file.read_bytes().startswith(b"\x89PNG")
    assert len([name for name in made if name.startswith("lightcurve_")]) == 50
    assert all(one.passed_qc for one in made.values())


def verdict(radius: float, period: float, outcome: str, mes: float) -> dict[str, object]:
    return {"radius_earth": radius, "orbital_period": period, "outcome": outcome, "mes": mes}


def test_a_planet_counts_if_its_period_is_right_and_no_accident(transits: ModuleType) -> None:
    assert transits.recovered(verdict(1, 1, "PASS", 8))
    assert not transits.recovered(verdict(1, 1, "PASS", 7))
    assert not transits.recovered(verdict(1, 1, "FAIL", 80))


def test_shares_are_by_size_and_period(transits: ModuleType) -> None:
    found = transits.shares([
        verdict(8, 1.6, "PASS", 99), verdict(8, 1.8, "FAIL", 99), verdict(1, 60, "FAIL", 5),
    ])  # fmt: skip
    assert found[-1, 0] == 0.5
    assert found[0, -1] == 0
    assert transits.summarise([verdict(8, 1.6, "PASS", 99)]).startswith("1 of 1 planets")


def test_planets_are_made_up_the_same_each_time(transits: ModuleType) -> None:
    planets = transits.invent_planets(50)
    assert planets == transits.invent_planets(50)
    assert len({planet["radius_earth"] for planet in planets}) == 4
