"""Toolchains: loading, order, drawing, writing."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.declarations import schema_errors, version_of
from dlg.beat.diagrams import MissingColorError
from dlg.beat.toolchain import Storage, Toolchain
from dlg.beat.wiring import problems, read_wiring
from dlg.exceptions import InvalidAssetError, MissingExtraError
from tests.dlg.beat.composed import digest, mutated, vectors
from tests.dlg.beat.random_experiments import random_experiment

PEER_PREFIX = Path("build/beat-peer/prefix")


def line() -> dict[str, Any]:
    """Return the declaration of a toolchain: a dataset, a block, an analyzer."""
    return {
        "datasets": [{"name": "data", "outputs": ["out"]}],
        "blocks": [
            {
                "name": "block",
                "synchronized_channel": "data",
                "inputs": ["in"],
                "outputs": ["out"],
            }
        ],
        "analyzers": [{"name": "end", "synchronized_channel": "data", "inputs": ["in"]}],
        "connections": [
            {"from": "block.out", "to": "end.in", "channel": "data"},
            {"from": "data.out", "to": "block.in", "channel": "data"},
        ],
        "representation": {
            "connections": {},
            "blocks": {},
            "channel_colors": {"data": "#112233"},
        },
    }


def test_a_toolchain_knows_its_parts_and_its_order() -> None:
    toolchain = Toolchain("nowhere", line())
    assert toolchain.errors == []
    assert (list(toolchain.datasets), list(toolchain.blocks)) == (["data"], ["block"])
    assert (list(toolchain.loops), list(toolchain.analyzers)) == ([], ["end"])
    assert toolchain.dependencies("end") == {"block"}
    assert list(toolchain.execution_order().items()) == [("block", set()), ("end", {"block"})]
    assert toolchain.algorithm_item("end") == line()["analyzers"][0]
    assert toolchain.algorithm_item("data") is None


def test_without_a_declaration_a_toolchain_is_empty_and_valid() -> None:
    toolchain = Toolchain("nowhere", None)
    assert toolchain.valid
    assert not toolchain.execution_order()
    assert toolchain.name == "__unnamed_toolchain__"


def test_a_toolchain_that_is_not_there_is_an_error_in_it() -> None:
    toolchain = Toolchain("nowhere", "user/line/1")
    assert toolchain.errors == [
        "Toolchain declaration file not found: nowhere/toolchains/user/line/1.json"
    ]
    with pytest.raises(InvalidAssetError, match="is not valid"):
        toolchain.execution_order()


@pytest.mark.parametrize("name", ["user/line", "a/b/c/d", "../../1", "a//1", ""])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidAssetError, match="invalid toolchain name"):
        Toolchain("nowhere", name)


def test_an_order_is_refused_where_blocks_wait_for_each_other() -> None:
    declaration = line()
    declaration["connections"][1]["from"] = "block.out"
    toolchain = Toolchain("nowhere", declaration, compat=True)
    assert toolchain.valid
    with pytest.raises(InvalidAssetError, match="block -> block"):
        toolchain.execution_order()


def test_a_toolchain_is_written_and_read_again(tmp_path: Path) -> None:
    toolchain = Toolchain(str(tmp_path), line())
    toolchain.description = "short"
    toolchain.name = "user/line/1"
    toolchain.write()
    again = Toolchain(str(tmp_path), "user/line/1")
    assert again.data == toolchain.data
    assert again.description == "short"
    assert again.hash() == Storage(str(tmp_path), "user/line/1").hash()


def test_the_callbacks_make_the_labels_of_a_drawing() -> None:
    drawing = Toolchain("nowhere", line()).dot_diagram(
        "title", lambda kind, name: f"{kind}={name}", lambda start: f"from {start}", lambda _: "rs"
    )
    for text in ("label=title", "dataset=data", "block=block", "analyzer=end"):
        assert text in drawing.source
    assert 'label="from data.out"' in drawing.source
    assert 'port="output_s"' in drawing.source


def test_a_layout_has_ports_of_fixed_size_and_edges_at_their_sides() -> None:
    source = Toolchain("nowhere", line()).dot_diagram(is_layout=True).source
    assert 'fixedsize="true" width="200" height="20"' in source
    assert "data:output_out:e -> block:input_in:w" in source


def test_loops_are_drawn_too() -> None:
    _, declaration = next(pair for pair in map(random_experiment, range(50)) if pair[1]["loops"])
    declaration["representation"]["channel_colors"] = {
        one["name"]: "#112233" for one in declaration["datasets"]
    }
    assert "loop [label=" in Toolchain("nowhere", declaration).dot_diagram().source


def test_a_channel_without_a_colour_cannot_be_drawn() -> None:
    declaration = line()
    declaration["representation"]["channel_colors"] = {}
    with pytest.raises(MissingColorError, match="channel_colors/data: is missing"):
        Toolchain("nowhere", declaration).dot_diagram()


def test_without_the_library_that_draws_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(MissingExtraError, match="graphviz is needed here"):
        Toolchain("nowhere", line()).dot_diagram()


@given(st.integers(0, 300), st.integers(0))
def test_any_declaration_is_judged_by_its_schema_and_its_wiring(number: int, change: int) -> None:
    _, declaration = random_experiment(number)
    changed = mutated(declaration, random.Random(change))
    toolchain = Toolchain("nowhere", changed)
    against = schema_errors("toolchain", changed, version=version_of(changed))
    if not against:
        against = list(problems(changed, read_wiring(changed), compat=False))
    assert toolchain.errors == against


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_what_is_no_declaration_at_all_is_an_error_or_refused(thing: object) -> None:
    if not isinstance(thing, str):
        assert thing is None or not Toolchain("nowhere", thing).valid


@pytest.mark.peer
@pytest.mark.skipif(not PEER_PREFIX.exists(), reason="make beat-peer was not called")
@pytest.mark.parametrize("name", vectors()["toolchains"])
def test_toolchains_of_the_test_prefix_are_drawn_as_by_the_existing_packages(name: str) -> None:
    expected = vectors()["toolchains"][name]
    try:
        found = digest(Toolchain(str(PEER_PREFIX), name).dot_diagram().source)
    except MissingColorError as error:
        found = str(error)
    assert found == expected
