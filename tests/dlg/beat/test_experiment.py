"""Experiments: verdicts, execution blocks, copies, drawings."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.declarations import schema_errors, version_of
from dlg.beat.experiment import Experiment, Storage
from dlg.beat.prefixes import names_in
from dlg.beat.toolchain import Toolchain
from dlg.exceptions import InvalidAssetError
from tests.dlg.beat.composed import mutated, told, vectors
from tests.dlg.beat.random_experiments import random_experiment, write_prefix

PEER_PREFIX = Path("build/beat-peer/prefix")
LABEL = "user/user/line/1/first"
Declaration = dict[str, Any]
CHANCE = list(enumerate(vectors()["by_chance"]))


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("prefix")
    write_prefix(root)
    return str(root)


@pytest.fixture(scope="module")
def load(prefix: str) -> Callable[..., Experiment]:
    """Load experiments with the same caches; what is cached depends on how it is judged."""
    caches: dict[bool, list[dict[str, Any]]] = {True: [{}, {}, {}, {}], False: [{}, {}, {}, {}]}

    def loaded(pair: object, *, compat: bool = False) -> Experiment:
        return Experiment(prefix, pair, *caches[compat], compat=compat)

    return loaded


def line() -> tuple[Declaration, Declaration]:
    """Return an experiment and its toolchain: a dataset, a block, an analyzer."""
    toolchain = {
        "datasets": [{"name": "data", "outputs": ["a", "c"]}],
        "blocks": [
            {"name": "b", "synchronized_channel": "data", "inputs": ["in"], "outputs": ["out"]}
        ],
        "analyzers": [{"name": "end", "synchronized_channel": "data", "inputs": ["in"]}],
        "connections": [
            {"from": "data.a", "to": "b.in", "channel": "data"},
            {"from": "b.out", "to": "end.in", "channel": "data"},
        ],
        "representation": {
            "connections": {},
            "blocks": {},
            "channel_colors": {"data": "#112233"},
        },
    }
    experiment = {
        "datasets": {"data": {"database": "data/1", "protocol": "protocol", "set": "set"}},
        "blocks": {
            "b": {"algorithm": "user/one/1", "inputs": {"i0": "in"}, "outputs": {"o0": "out"}}
        },
        "analyzers": {"end": {"algorithm": "user/analyzer/1", "inputs": {"x": "in"}}},
        "globals": {"queue": "queue", "environment": {"name": "here", "version": "1"}},
    }
    return experiment, toolchain


def changed(*way: str, to: Any) -> tuple[Declaration, Declaration]:
    """Return the line with one part of the experiment replaced."""
    experiment, toolchain = line()
    part: Any = experiment
    for key in way[:-1]:
        part = part[key]
    part[way[-1]] = to
    return experiment, toolchain


@pytest.mark.parametrize(("number", "expected"), CHANCE, ids=str)
def test_verdict_order_and_execution_blocks_are_those_of_the_existing_packages(
    number: int, expected: Any, load: Callable[..., Experiment]
) -> None:
    experiment = load(random_experiment(number), compat=True)
    if isinstance(expected, list):
        assert experiment.errors == []
        assert told(experiment) == expected
    else:
        assert not experiment.valid


def test_what_is_valid_here_is_valid_for_the_existing_packages(
    load: Callable[..., Experiment],
) -> None:
    valid = {number for number, _ in CHANCE if load(random_experiment(number)).valid}
    assert valid <= {number for number, expected in CHANCE if isinstance(expected, list)}
    assert len(valid) > 50


@pytest.mark.peer
@pytest.mark.skipif(not PEER_PREFIX.exists(), reason="make beat-peer was not called")
@pytest.mark.parametrize("compat", [True, False], ids=["compat", "strict"])
def test_all_experiments_of_the_test_prefix_are_those_of_the_existing_packages(
    compat: bool,
) -> None:
    expected = vectors()["experiments"]
    assert names_in(PEER_PREFIX, "experiment") == sorted(expected)
    caches: list[dict[str, Any]] = [{}, {}, {}, {}]
    for name, blocks in expected.items():
        experiment = Experiment(str(PEER_PREFIX), name, *caches, compat=compat)
        assert (told(experiment) if experiment.valid else None) == blocks, name


def test_a_block_gets_the_parameters_of_all_uses_and_its_own(
    load: Callable[..., Experiment],
) -> None:
    experiment, toolchain = line()
    experiment["globals"]["user/one/1"] = {"p": 5}
    assert _configuration(load((experiment, toolchain)), "b")["parameters"] == {"p": 5}
    experiment["blocks"]["b"]["parameters"] = {"p": 7}
    assert _configuration(load((experiment, toolchain)), "b")["parameters"] == {"p": 7}


def _configuration(experiment: Experiment, block: str) -> Declaration:
    found: Declaration = experiment.setup()[block]["configuration"]
    return found


MISTAKES = {
    "no such database": (
        ("datasets", "data", "database", "none/1"),
        "/datasets/data: database `none/1' is invalid:\nDatabase declaration file not found",
    ),
    "no such protocol": (
        ("datasets", "data", "protocol", "none"),
        "/datasets/data: cannot find protocol `none' on database `data/1' - valid protocols are "
        "protocol",
    ),
    "no such set": (
        ("datasets", "data", "set", "none"),
        "/datasets/data: cannot find set `none' on protocol `protocol' from database `data/1'",
    ),
    "no such algorithm": (
        ("blocks", "b", "algorithm", "user/none/1"),
        "/blocks/b: algorithm `user/none/1' is invalid:\nAlgorithm declaration file not found",
    ),
    "an input that the algorithm has not": (
        ("blocks", "b", "inputs", {"other": "in"}),
        "/blocks/b/inputs/other: algorithm `user/one/1' does not have an input named `other' - "
        "valid algorithm inputs are i0",
    ),
    "an endpoint that the toolchain has not": (
        ("blocks", "b", "inputs", {"i0": "other"}),
        "/blocks/b/inputs/i0: the toolchain has no `other' on `b'",
    ),
    "slots for what cannot be split": (
        ("blocks", "b", {"algorithm": "user/split/1", "inputs": {"i0": "in"},
                         "outputs": {"o0": "out", "o1": "more"}, "nb_slots": 2}),
        "/blocks/b/nb_slots: you have set nb_slots to 2, but algorithm `user/split/1' is not "
        "splittable",
    ),
    "a value out of range": (
        ("blocks", "b", "parameters", {"p": 10}),
        "/blocks/b/parameters/p: cannot convert value `10' to required type: ",
    ),
    "a parameter that is none": (
        ("blocks", "b", "parameters", {"q": 1}),
        "/blocks/b/parameters/q: cannot convert value `1' to required type: ",
    ),
    "globals for nobody": (
        ("globals", {"queue": "q", "environment": {"name": "n", "version": "1"},
                     "user/two/1": {}}),
        "/globals/user/two/1: found parameter section for algorithm `user/two/1' which is not "
        "used anywhere in the experiment",
    ),
    "other blocks than drawn": (
        ("blocks", {}),
        "mismatch between the toolchain block names (b) and the experiment's ()",
    ),
    "inputs that are not synchronized as the algorithm wants": (
        ("blocks", "b", {"algorithm": "user/split/1", "inputs": {"i0": "in"},
                         "outputs": {"o0": "out"}}),
        "/blocks/b/outputs: algorithm `user/split/1' has outputs that are not mapped: o1",
    ),
    "no queue at all": (
        ("globals", {"environment": {"name": "here", "version": "1"}}),
        "/blocks/b/queue: there is none, neither here nor in /globals/queue",
    ),
    "a block as an analyzer": (
        ("analyzers", "end", {"algorithm": "user/one/1", "inputs": {"i0": "in"}}),
        "/analyzers/end/algorithm: algorithm `user/one/1' is no analyzer",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "error"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place(
    change: tuple[Any, ...], error: str, load: Callable[..., Experiment]
) -> None:
    experiment = load(changed(*change[:-1], to=change[-1]))
    assert any(found.startswith(error) for found in experiment.errors), experiment.errors
    with pytest.raises(InvalidAssetError, match="is not valid"):
        experiment.setup()


def test_formats_that_do_not_fit_are_told(load: Callable[..., Experiment]) -> None:
    experiment, toolchain = line()
    toolchain["connections"][0]["from"] = "data.c"
    assert load((experiment, toolchain)).errors == [
        "/connections/data.c->b.in[#0]: mismatch between data formats: `data.c' gives "
        "`user/real/1', but `b.in' takes `user/integer/1'"
    ]


def test_a_format_that_extends_the_one_asked_for_will_do(load: Callable[..., Experiment]) -> None:
    experiment, toolchain = line()
    toolchain["datasets"][0]["outputs"] = ["b"]
    toolchain["connections"][0]["from"] = "data.b"
    assert load((experiment, toolchain)).errors == []


def test_an_analyzer_is_synchronized_as_its_algorithm_wants(
    load: Callable[..., Experiment],
) -> None:
    experiment, toolchain = line()
    toolchain["analyzers"][0]["inputs"] = ["x", "y"]
    toolchain["connections"][1:] = [
        {"from": "b.out", "to": f"end.{name}", "channel": "data"} for name in ("x", "y")
    ]
    experiment["analyzers"]["end"] = {
        "algorithm": "user/analyzer2/1",
        "inputs": {"x": "x", "y": "y"},
    }
    assert load((experiment, toolchain), compat=True).valid
    assert load((experiment, toolchain)).errors == [
        "synchronization mismatch in input/output grouping between analyzer `end' and algorithm "
        "`user/analyzer2/1'"
    ]


def test_the_parts_of_a_loop_must_understand_each_other(load: Callable[..., Experiment]) -> None:
    experiment, toolchain = line()
    toolchain |= {"schema_version": 2, "loops": [_loop_drawn()], "blocks": []}
    experiment |= {"schema_version": 2, "blocks": {}}
    experiment["loops"] = {"b": _loop("a", ["i1"])}
    toolchain["connections"].append({"from": "data.a", "to": "b.i1", "channel": "data"})
    toolchain["connections"].append({"from": "b.second", "to": "last.in", "channel": "data"})
    toolchain["analyzers"].append(toolchain["analyzers"][0] | {"name": "last"})
    experiment["analyzers"]["last"] = experiment["analyzers"]["end"]
    assert load((experiment, toolchain)).errors == []
    toolchain["loops"][0]["evaluator_inputs"] = ["i1", "i2"]
    toolchain["datasets"].append({"name": "more", "outputs": ["a"]})
    toolchain["connections"].append({"from": "more.a", "to": "b.i2", "channel": "more"})
    experiment["datasets"]["more"] = experiment["datasets"]["data"]
    experiment["loops"] = {"b": _loop("b", ["i1", "i2"])}
    assert load((experiment, toolchain)).errors == [
        "/loops/b: mismatch between the answers of the loop: processor `user/processor_a/1' has "
        "`user/real/1', evaluator `user/evaluator_b/1' has `user/integer/1'"
    ]


def _loop_drawn() -> Declaration:
    return {
        "name": "b",
        "synchronized_channel": "data",
        "processor_inputs": ["in"],
        "processor_outputs": ["out"],
        "evaluator_inputs": ["i1"],
        "evaluator_outputs": ["second"],
    }


def _loop(evaluator: str, inputs: list[str]) -> Declaration:
    return {
        "processor_algorithm": "user/processor_a/1",
        "processor_inputs": {"i0": "in"},
        "processor_outputs": {"o0": "out"},
        "evaluator_algorithm": f"user/evaluator_{evaluator}/1",
        "evaluator_inputs": {f"i{index}": name for index, name in enumerate(inputs)},
        "evaluator_outputs": {"o0": "second"},
    }


@given(st.integers(0, 399), st.integers(0), st.booleans())
def test_no_change_of_a_declaration_makes_loading_raise(
    load: Callable[..., Experiment], number: int, change: int, of_toolchain: bool
) -> None:
    experiment, toolchain = copy.deepcopy(random_experiment(number))
    if of_toolchain:
        toolchain = mutated(toolchain, random.Random(change))
    else:
        experiment = mutated(experiment, random.Random(change))
    strict, compat = (load((experiment, toolchain), compat=c) for c in (False, True))
    against = schema_errors("experiment", experiment, version=version_of(experiment))
    if against:
        assert strict.errors == against
    assert compat.valid or not strict.valid
    if strict.valid:
        assert list(strict.setup()) == list(Toolchain("", toolchain).execution_order())


@pytest.mark.parametrize("data", [{}, line()[0], 3, [1], ("a", "b", "c"), "user/user/none/1/x"])
def test_what_is_no_pair_is_an_error_in_the_experiment(
    data: Any, load: Callable[..., Experiment]
) -> None:
    assert not load(data).valid


def test_there_is_no_prototype_of_an_experiment(load: Callable[..., Experiment]) -> None:
    with pytest.raises(InvalidAssetError, match="there is no prototype"):
        load(None)


def test_a_label_of_four_parts_is_made_whole() -> None:
    storage = Storage("nowhere", "user/line/1/first")
    assert (storage.label, storage.toolchain, storage.name) == (LABEL, "user/line/1", "first")
    assert storage.path == "nowhere/experiments/user/user/line/1/first"


@pytest.mark.parametrize("label", ["a/b", "a/b/c/d/e/f", "../user/line/1/x", "a/b/1/.."])
def test_what_cannot_be_a_label_is_refused(label: str) -> None:
    with pytest.raises(InvalidAssetError, match="invalid experiment name"):
        Storage("nowhere", label)


@pytest.fixture
def written(prefix: str, load: Callable[..., Experiment]) -> Experiment:
    """Return the line as it is in the prefix, under its label."""
    declaration, toolchain = line()
    drawn = Toolchain(prefix, toolchain)
    drawn.name = "user/line/1"
    drawn.write()
    experiment = load((declaration, drawn))
    experiment.label = "user/line/1/first"
    experiment.write()
    return load(LABEL)


def test_an_experiment_is_loaded_by_its_label_with_its_toolchain(written: Experiment) -> None:
    assert written.errors == []
    assert (written.name, written.label, written.schema_version) == (LABEL, LABEL, 1)
    assert written.toolchain is not None
    assert written.toolchain.name == "user/line/1"
    assert list(written.databases) == ["data/1"]
    assert sorted(written.algorithms) == ["user/analyzer/1", "user/one/1"]
    assert written.datasets["data"]["database"] is written.databases["data/1"]
    assert list(written.setup()) == ["b", "end"]


def test_an_experiment_is_copied_with_all_that_it_needs(
    written: Experiment, tmp_path: Path
) -> None:
    written.export(str(tmp_path))
    copied = Experiment(str(tmp_path), LABEL)
    assert copied.errors == []
    assert told(copied) == told(written)
    assert names_in(tmp_path, "library") == ["user/tools/1"]
    with pytest.raises(InvalidAssetError, match="same prefix"):
        written.export(written.prefix)


def test_the_drawing_of_an_experiment_tells_what_is_used(written: Experiment) -> None:
    source = written.dot_diagram().source
    for text in (LABEL, "user/one/1", "data/1 (protocol/set)", "result<br/>(int32)"):
        assert text in source
    assert 'label="user/integer/1"' in source
