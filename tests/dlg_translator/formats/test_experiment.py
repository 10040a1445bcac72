"""A BEAT experiment as a physical graph."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dlg.beat.experiment import Experiment
from dlg.exceptions import InvalidGraphException
from dlg.graph.reading import read_physical_graph
from dlg_translator.formats.experiment import (
    ExperimentOptions,
    Spec,
    experiment_at,
    experiment_specs,
)

pytest.importorskip("jsonschema_rs")

PREFIX = Path(__file__).parents[3] / "graphs" / "beat" / "prefix"
NAME = "demo/demo/recognition/1/faces"


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return Experiment(str(PREFIX), NAME)


def by_oid(specs: list[Spec]) -> dict[str, Spec]:
    return {spec["oid"]: spec for spec in specs}


def test_blocks_are_apps_and_what_goes_between_them_is_data(experiment: Experiment) -> None:
    specs = by_oid(experiment_specs(experiment))
    assert specs["subspace"]["inputs"] == ["faces/1 closed train"]
    assert specs["subspace"]["outputs"] == ["subspace.subspace", "subspace report"]
    assert set(specs["gallery"]["inputs"]) == {"faces/1 closed train", "subspace.subspace"}
    assert specs["index of faces/1 closed train"]["outputs"] == ["faces/1 closed train"]


def test_each_slot_of_a_block_is_an_app_and_consumers_read_all_of_them(
    experiment: Experiment,
) -> None:
    specs = by_oid(experiment_specs(experiment))
    slots = [f"scores [{k}/3]" for k in (1, 2, 3)]
    assert [specs[slot]["slot"] for slot in slots] == [0, 1, 2]
    assert specs["roc"]["inputs"] == [f"scores.scores [{k}/3]" for k in (1, 2, 3)]


def test_the_graph_is_one_that_can_be_run(experiment: Experiment) -> None:
    graph = read_physical_graph(json.loads(json.dumps(experiment_specs(experiment))))
    assert len(graph) == 25


def test_assets_that_are_brought_along_come_before_every_block(experiment: Experiment) -> None:
    specs = experiment_specs(experiment, ExperimentOptions(bring_assets=True))
    apps = [one for one in specs if one["dropclass"].endswith(("BeatBlockApp", "BeatIndexApp"))]
    assert all("assets" in one["inputs"] and not one["prefix"] for one in apps)
    assert str(PREFIX) not in json.dumps(specs)


def test_the_same_assets_give_the_same_graph_wherever_they_are(
    experiment: Experiment, tmp_path: Path
) -> None:
    shutil.copytree(PREFIX, tmp_path / "prefix")
    options = ExperimentOptions(bring_assets=True)
    moved = Experiment(str(tmp_path / "prefix"), NAME)
    assert experiment_specs(moved, options) == experiment_specs(experiment, options)


def test_all_that_is_wrong_with_an_experiment_is_told(tmp_path: Path) -> None:
    shutil.copytree(PREFIX, tmp_path / "prefix")
    file = tmp_path / "prefix" / "experiments" / f"{NAME}.json"
    declared = json.loads(file.read_text())
    declared["blocks"]["subspace"]["algorithm"] = "demo/missing/1"
    declared["datasets"]["test"]["set"] = "missing"
    file.write_text(json.dumps(declared))
    with pytest.raises(InvalidGraphException) as caught:
        experiment_specs(Experiment(str(tmp_path / "prefix"), NAME))
    told = "\n".join(str(problem) for problem in caught.value.problems)
    assert "demo/missing/1" in told
    assert "missing" in told


def test_the_file_of_an_experiment_is_known_by_its_place() -> None:
    found = experiment_at(PREFIX / "experiments" / f"{NAME}.json")
    assert found is not None
    assert found.valid
    assert found.name == NAME


@pytest.mark.parametrize("place", ["toolchains/demo/recognition/1.json", "experiments/none.json"])
def test_other_files_are_no_experiments(place: str) -> None:
    assert experiment_at(PREFIX / place) is None
