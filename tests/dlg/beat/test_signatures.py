"""A complete signature changes with all that can change a result, and with nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlg.beat.experiment import Experiment
from dlg.beat.hash import hashDataset
from dlg.beat.signatures import experiment_signatures, output_signature, signed_setup
from dlg.exceptions import InvalidAssetError
from tests.dlg.beat.random_experiments import random_experiment, write_prefix

Declaration = dict[str, Any]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_prefix(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Declaration, Declaration]:
    """Return a valid experiment with a block, a loop and parameters, and its toolchain."""
    root = tmp_path_factory.mktemp("prefix")
    write_prefix(root)
    for number in range(2000):
        experiment, toolchain = random_experiment(number)
        whole = experiment["loops"] and len(experiment["blocks"]) > 1
        if whole and Experiment(str(root), (experiment, toolchain)).valid:
            return experiment, toolchain
    raise AssertionError("none of them has all that is needed here")


def signed(root: Path, pair: tuple[Declaration, Declaration], **known: Any) -> dict[str, str]:
    return experiment_signatures(Experiment(str(root), copy.deepcopy(pair)), **known)


def edited(path: Path, change: Callable[[Declaration], object]) -> None:
    declaration = json.loads(path.read_text())
    change(declaration)
    path.write_text(json.dumps(declaration))


def used(pair: tuple[Declaration, Declaration]) -> str:
    """Return the name of the first block's algorithm."""
    name: str = next(iter(pair[0]["blocks"].values()))["algorithm"]
    return name


CHANGES: dict[str, Callable[[Path, tuple[Declaration, Declaration]], object]] = {
    "the code of an algorithm": lambda root, pair: (
        root / f"algorithms/{used(pair)}.py"
    ).write_text("x = 1"),
    "the code of a library": lambda root, _: (root / "libraries/user/tools/1.py").write_text(
        "x = 1"
    ),
    "a format": lambda root, _: edited(
        root / "dataformats/user/integer/1.json", lambda one: one.update(extra="int8")
    ),
    "the code of a view": lambda root, _: (root / "databases/data/1.py").write_text("x = 1"),
    "the parameters of a view": lambda root, _: edited(
        root / "databases/data/1.json",
        lambda one: one["protocols"][0]["sets"][0].update(parameters={"p": 1}),
    ),
    "the root folder of a database": lambda root, _: edited(
        root / "databases/data/1.json", lambda one: one.update(root_folder="/other")
    ),
    "a default of a parameter": lambda root, pair: edited(
        root / f"algorithms/{used(pair)}.json",
        lambda one: one["parameters"]["p"].update(default=4),
    ),
    "the environment": lambda _, pair: pair[0]["globals"].update(
        environment={"name": "here", "version": "2"}
    ),
}
NO_CHANGES: dict[str, Callable[[Path, tuple[Declaration, Declaration]], object]] = {
    "the queue": lambda _, pair: pair[0]["globals"].update(queue="slow"),
    "a description": lambda root, pair: edited(
        root / f"algorithms/{used(pair)}.json", lambda one: one.update(description="what it does")
    ),
    "a parameter given its default": lambda _, pair: [
        one.setdefault("parameters", {"p": 3})
        for one in pair[0]["blocks"].values()
        if one["algorithm"] not in pair[0]["globals"]
    ],
    "the slots": lambda _, pair: [one.update(nb_slots=1) for one in pair[0]["blocks"].values()],
    "code that nobody uses": lambda root, _: (root / "algorithms/user/evaluator_x.py").write_text(
        "x = 1"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_can_change_a_result_changes_the_signature(
    change: Callable[..., object], root: Path, pair: tuple[Declaration, Declaration]
) -> None:
    before = signed(root, pair)
    after_pair = copy.deepcopy(pair)
    change(root, after_pair)
    after = signed(root, after_pair)
    first = next(iter(before))
    assert list(before) == list(after)
    assert before[first] != after[first]


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES)
def test_what_changes_no_result_does_not_change_the_signature(
    change: Callable[..., object], root: Path, pair: tuple[Declaration, Declaration]
) -> None:
    before = signed(root, pair)
    after_pair = copy.deepcopy(pair)
    change(root, after_pair)
    assert signed(root, after_pair) == before


def test_a_change_of_the_evaluator_changes_the_whole_loop_and_what_comes_after_it(
    root: Path, pair: tuple[Declaration, Declaration]
) -> None:
    before, hashed = signed(root, pair), _hashes(root, pair)
    evaluator = pair[0]["loops"]["loop"]["evaluator_algorithm"]
    (root / f"algorithms/{evaluator}.py").write_text("x = 1")
    after = signed(root, pair)
    assert before["loop"] != after["loop"]
    # The hash of the existing packages does not notice it, for what the processor writes.
    assert _hashes(root, pair)["loop"] == hashed["loop"]
    behind = [name for name in before if before[name] != after[name]]
    assert any(name.startswith("a") for name in behind)


def _hashes(root: Path, pair: tuple[Declaration, Declaration]) -> dict[str, Any]:
    setup = Experiment(str(root), copy.deepcopy(pair)).setup()
    return {name: one["configuration"].get("outputs") for name, one in setup.items()}


def test_the_index_of_a_dataset_counts_where_it_is_known(
    root: Path, pair: tuple[Declaration, Declaration]
) -> None:
    dataset = hashDataset("data/1", "protocol", "set")
    plain = signed(root, pair)
    assert signed(root, pair, index_digests={"other": "1"}) == plain
    one, two = (signed(root, pair, index_digests={dataset: digest}) for digest in "12")
    assert len({plain["loop"], one["loop"], two["loop"]}) == 3


def test_what_is_installed_counts_where_it_is_known(
    root: Path, pair: tuple[Declaration, Declaration]
) -> None:
    known = {"here (1)": "digest"}
    assert signed(root, pair, environment_digests=known) != signed(root, pair)


def test_outputs_of_a_block_have_signatures_of_their_own() -> None:
    assert output_signature("a", "x") != output_signature("a", "y")
    assert output_signature("a", "x") != output_signature("b", "x")


def test_each_output_of_a_signed_setup_has_a_signature_of_its_own(
    root: Path, pair: tuple[Declaration, Declaration]
) -> None:
    experiment = Experiment(str(root), copy.deepcopy(pair))
    signatures = experiment_signatures(experiment)
    prepared = signed_setup(experiment)
    loop = prepared["loop"]["configuration"]
    assert loop["outputs"]["o0"]["signature"] == output_signature(
        signatures["loop"], "processor_o0"
    )
    held = [
        where.pop("signature")
        for one in prepared.values()
        for part in (one["configuration"], one["configuration"].get("loop", {}))
        for where in [*part.get("outputs", {}).values(), *filter(None, [part.get("result")])]
    ]
    assert len(set(held)) == len(held)
    assert prepared == experiment.setup()


def test_an_experiment_that_is_not_valid_has_no_signatures(root: Path) -> None:
    with pytest.raises(InvalidAssetError, match="is not valid"):
        experiment_signatures(Experiment(str(root), ({}, None)))
