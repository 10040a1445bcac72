"""The tutorial graph runs to its result, whoever runs it, and its functions are honest."""

from __future__ import annotations

import csv
import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

HOME = Path(__file__).parents[2] / "graphs" / "tutorial"
SMALL = ["--set", "Observe.channels=16", "--set", "Observe.size=192"]
SMALL += ["--set", "Invent sources.size=192", "--set", "Invent sources.number=12"]


@pytest.fixture(scope="module")
def radio_sky() -> ModuleType:
    sys.path.append(str(HOME))
    try:
        return importlib.import_module("radio_sky")
    finally:
        sys.path.remove(str(HOME))


def run(tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dlg_engine.cli", "run", str(HOME / "tutorial.graph"), *args]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=100
    )


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_the_tutorial_runs_and_says_what_it_found_and_where(tmp_path: Path, runner: str) -> None:
    done = run(tmp_path, "--runner", runner, "--report", "report.json", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "12 of 12 sources found, 0 false" in done.stdout
    session = Path(json.loads((tmp_path / "report.json").read_text())["session_dir"])
    with (session / "catalogue.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 12
    assert (session / "sky.png").read_bytes().startswith(b"\x89PNG")


def test_it_scatters_as_widely_as_it_is_told(tmp_path: Path) -> None:
    wide = ["--set", "Scatter.num_of_copies=16", "--set", "Gather.num_of_inputs=16"]
    done = run(tmp_path, *SMALL, *wide)
    assert done.returncode == 0, done.stderr
    assert "FINISHED: 63 drops" in done.stdout


def test_its_functions_measure_what_was_made_up(radio_sky: ModuleType) -> None:
    sources = radio_sky.invent_sources(number=8, size=160, seed=3)
    planes = radio_sky.observe(sources, channels=12, size=160, noise_mjy=0.5)
    catalogue = radio_sky.measure_spectra(radio_sky.find_sources(planes))
    assert len(catalogue) == len(sources)
    for entry in catalogue:
        true = min(
            sources, key=lambda s: (s.x - entry.source.x) ** 2 + (s.y - entry.source.y) ** 2
        )
        assert entry.source.slope == pytest.approx(true.slope, abs=5 * entry.slope_error)
        assert entry.source.flux_mjy == pytest.approx(true.flux_mjy, rel=0.05)


def test_its_picture_needs_no_matplotlib(
    radio_sky: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    sources = radio_sky.invent_sources(number=3, size=100)
    planes = radio_sky.observe(sources, channels=4, size=100)
    catalogue = radio_sky.measure_spectra(radio_sky.find_sources(planes))
    radio_sky.draw(planes, catalogue, str(tmp_path / "sky.png"))
    assert (tmp_path / "sky.png").read_bytes().startswith(b"\x89PNG")
