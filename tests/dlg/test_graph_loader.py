"""From a list of dropspecs to linked drops."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from dlg.apps.copy import CopyApp
from dlg.apps.sleep import SleepApp
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPLinkType, DROPStates
from dlg.droputils import DROPWaiterCtx, allDropContents, getLeafNodes
from dlg.exceptions import InvalidGraphException, InvalidPath, InvalidRelationshipException
from dlg.graph_loader import (
    addLink,
    createGraphFromDropSpecList,
    loadDropSpecs,
    readObjectGraph,
    readObjectGraphS,
    removeUnmetRelationships,
)
from dlg.testing.graphs import app, chain, data, fan_gather

MEMORY = "dlg.data.drops.memory.InMemoryDROP"
COPY = "dlg.apps.simple.CopyApp"


def _specs() -> list[dict[str, Any]]:
    return [
        {"oid": "a", "categoryType": "Data", "dropclass": MEMORY, "consumers": ["b"]},
        {"oid": "b", "categoryType": "Application", "dropclass": COPY, "outputs": ["c"]},
        {"oid": "c", "categoryType": "Data", "dropclass": MEMORY},
    ]


def test_drops_of_a_list_are_linked_and_run() -> None:
    (a,) = createGraphFromDropSpecList(_specs())
    (c,) = getLeafNodes(a)
    with DROPWaiterCtx(None, c, 5):
        a.write(b"x")
        a.setCompleted()
    assert allDropContents(c) == b"x"


def test_the_roots_come_back_in_the_order_of_the_list() -> None:
    specs = [data("a", ["x"]), data("b", ["x"]), app("x", ["c"]), data("c"), data("d")]
    roots = createGraphFromDropSpecList(specs)
    assert [root.uid for root in roots] == ["a", "b", "d"]


def test_a_drop_is_of_the_class_its_spec_names() -> None:
    (a,) = createGraphFromDropSpecList(_specs())
    assert isinstance(a, InMemoryDROP)
    assert isinstance(a.consumers[0], CopyApp)


@pytest.mark.parametrize(
    "old",
    [
        {"oid": "a", "type": "plain", "storage": "memory"},
        {"oid": "a", "type": "data", "dataclass": "dlg.drop.InMemoryDROP"},
        {"oid": "a", "categoryType": "data", "storage": "Memory"},
    ],
    ids=["first", "second", "third"],
)
def test_specs_of_every_generation_make_drops(old: dict[str, Any]) -> None:
    (drop,) = createGraphFromDropSpecList([old])
    assert isinstance(drop, InMemoryDROP)
    assert (drop.oid, drop.uid) == ("a", "a")


def test_a_gathering_graph_runs_to_its_one_leaf() -> None:
    (root,) = createGraphFromDropSpecList(fan_gather(20))
    (leaf,) = getLeafNodes(root)
    with DROPWaiterCtx(None, leaf, 10):
        root.setCompleted()
    assert leaf.uid == "end"


def test_a_graph_may_be_given_as_the_values_of_a_dictionary() -> None:
    roots = createGraphFromDropSpecList(loadDropSpecs(_specs()).values())
    assert [root.uid for root in roots] == ["a"]


def test_a_drop_that_cannot_be_made_is_found_out_at_once(tmp_path: Any) -> None:
    missing = str(tmp_path / "missing" / "x")
    spec = data("a", filepath=missing, check_filepath_exists=True)
    spec["dropclass"] = "dlg.data.file.FileDROP"
    with pytest.raises(InvalidPath, match="does not exist"):
        createGraphFromDropSpecList([spec])


def test_all_that_is_wrong_with_a_list_is_said_at_once() -> None:
    specs = [data("a", ["nowhere"]), data("a"), {"oid": "c", "categoryType": "Data"}]
    with pytest.raises(InvalidGraphException) as caught:
        createGraphFromDropSpecList(specs)
    found = {p.code for p in caught.value.problems}
    assert found == {"missing-key", "duplicate-oid", "unknown-link-target"}


def test_loaded_specs_are_found_by_their_oid() -> None:
    specs = loadDropSpecs(_specs())
    assert list(specs) == ["a", "b", "c"]
    assert specs["a"]["consumers"] == ["b"]


def test_loaded_specs_are_in_the_newest_form() -> None:
    specs = loadDropSpecs([{"oid": "a", "type": "plain", "storage": "memory", "precious": True}])
    assert specs["a"]["categoryType"] == "Data"
    assert specs["a"]["dropclass"] == "dlg.data.memory.InMemoryDROP"
    assert specs["a"]["persist"] is True


@pytest.mark.parametrize("last", [{}, {"rmode": "1", "merkleroot": None}])
def test_the_graph_s_own_object_at_the_end_is_no_drop(last: dict[str, Any]) -> None:
    assert list(loadDropSpecs([*_specs(), last])) == ["a", "b", "c"]
    assert len(createGraphFromDropSpecList([*_specs(), last])) == 1


def test_changing_loaded_specs_leaves_the_list_alone() -> None:
    given = _specs()
    addLink(DROPLinkType.CONSUMER, loadDropSpecs(given)["a"], "z")
    assert given == _specs()


def test_loading_refuses_a_wrong_graph() -> None:
    with pytest.raises(InvalidGraphException, match="zz"):
        loadDropSpecs([data("a", ["zz"])])


def test_a_graph_that_was_cut_apart_can_be_put_together_again() -> None:
    whole = {spec["oid"]: spec for spec in chain(3)}
    left = [whole[oid] for oid in ("d0", "a0", "d1")]
    right = [spec for oid, spec in whole.items() if oid not in {"d0", "a0", "d1"}]
    cut = [*removeUnmetRelationships(left), *removeUnmetRelationships(right)]
    assert len(createGraphFromDropSpecList([*left, *right])) == 2
    for relation in cut:
        addLink(relation.rel, whole[relation.rhs], relation.lhs)
    assert list(whole.values()) == chain(3)


def test_a_graph_is_read_from_a_text() -> None:
    (root,) = readObjectGraphS(json.dumps(_specs()))
    assert root.consumers[0].outputs[0].uid == "c"


@pytest.mark.parametrize("open_as", [io.StringIO, lambda text: io.BytesIO(text.encode())])
def test_a_graph_is_read_from_an_open_file(open_as: Any) -> None:
    (root,) = readObjectGraph(open_as(json.dumps(_specs())))
    assert root.uid == "a"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "[1]"])
def test_a_text_that_is_no_graph_is_refused(text: str) -> None:
    with pytest.raises(InvalidGraphException):
        readObjectGraphS(text)


def test_a_drop_made_by_hand_can_be_linked_to_a_loaded_one() -> None:
    (a,) = createGraphFromDropSpecList(_specs())
    sleep, end = SleepApp("s", "s", input_error_threshold=100), InMemoryDROP("e", "e")
    sleep.addInput(a.consumers[0].outputs[0])
    sleep.addOutput(end)
    with DROPWaiterCtx(None, end, 5):
        a.write(b"x")
        a.setCompleted()
    assert end.isCompleted()


def test_a_drop_made_by_hand_keeps_its_options_beside_loaded_ones() -> None:
    (a,) = createGraphFromDropSpecList(_specs())
    sleep, end = SleepApp("s", "s", input_error_threshold=100), InMemoryDROP("e", "e")
    sleep.addInput(a.consumers[0].outputs[0])
    sleep.addOutput(end)
    with DROPWaiterCtx(None, end, 5, [DROPStates.COMPLETED]):
        a.setError()
    assert sleep.spec == {}


def test_more_drops_made_by_hand_than_loaded_make_no_difference() -> None:
    first = InMemoryDROP("p0", "p0")
    last: Any = first
    for i in range(5):
        copy, following = CopyApp(f"q{i}", f"q{i}"), InMemoryDROP(f"p{i + 1}", f"p{i + 1}")
        copy.addInput(last)
        copy.addOutput(following)
        last = following
    (a,) = createGraphFromDropSpecList(_specs())
    link = CopyApp("link", "link")
    link.addInput(last)
    link.addOutput(a)
    (c,) = getLeafNodes(first)
    with DROPWaiterCtx(None, c, 5):
        first.write(b"x")
        first.setCompleted()
    assert allDropContents(c) == b"x"


def test_loaded_drops_keep_their_specs_beside_many_made_by_hand() -> None:
    (a,) = createGraphFromDropSpecList([data("a", n="kept")])
    many = [InMemoryDROP(f"p{i}", f"p{i}") for i in range(5)]
    link = CopyApp("link", "link")
    for drop in many:
        link.addInput(drop)
    a.addConsumer(link)
    assert (a.spec["n"], link.spec, many[0].spec) == ("kept", {}, {})


def test_drops_of_two_loaded_graphs_stay_apart() -> None:
    (a,), (b,) = (createGraphFromDropSpecList([spec]) for spec in (data("a"), app("b")))
    with pytest.raises(InvalidRelationshipException, match="two graphs"):
        b.addInput(a)
    assert (a.consumers, b.inputs) == ([], [])
