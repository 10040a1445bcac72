"""Experiments of the existing packages' own tests, run as graphs, write what those write."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg.beat.experiment import Experiment
from dlg_engine.embedded import run_graph
from dlg_translator.formats.experiment import ExperimentOptions, experiment_specs
from tests.dlg.beat.execution.test_existing_packages import PREFIX, Theirs, files, theirs

__all__ = ["theirs"]

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.timeout(600)]


def test_every_experiment_that_runs_there_writes_the_same_files_here(
    theirs: Theirs,
    tmp_path: Path,
) -> None:
    ran = 0
    for label, (their_cache, their_blocks) in theirs.items():
        if their_blocks[-1]["status"] != 0:
            continue
        cache = tmp_path / label.replace("/", ".")
        experiment = Experiment(str(PREFIX), label, compat=True)
        specs = experiment_specs(experiment, ExperimentOptions(cache=str(cache)))
        report = run_graph(specs, workdir=tmp_path / "runs")
        assert report.status == "FINISHED", (label, report.errors)
        ours, known = files(cache), files(their_cache)
        if any(spec.get("slots", 1) > 1 for spec in specs):  # theirs are never split
            results = [one["hash_path"] for one in specs if one["oid"].endswith(".result")]
            ours, known = (of_results(found, results) for found in (ours, known))
        assert ours == known, label
        ran += 1
    assert ran >= 28


def of_results(found: dict[str, bytes], places: list[str]) -> dict[str, bytes]:
    return {name: text for name, text in found.items() if name.startswith(tuple(places))}
