"""Links in dropspecs that are still plain dictionaries."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from dlg.ddap_protocol import DROPLinkType as Link
from dlg.ddap_protocol import DROPRel
from dlg.exceptions import InvalidRelationshipException
from dlg.graph.spec_links import KEYS, addLink, removeUnmetRelationships


@pytest.mark.parametrize("kind", list(KEYS), ids=lambda k: k.name)
def test_a_link_is_added_to_the_list_of_its_type(kind: Link) -> None:
    spec: dict[str, Any] = {"oid": "a"}
    addLink(kind, spec, "b")
    addLink(kind, spec, "c")
    assert spec == {"oid": "a", KEYS[kind]: ["b", "c"]}


def test_the_number_of_a_link_type_is_as_good_as_its_name() -> None:
    spec: dict[str, Any] = {"oid": "a"}
    addLink(Link(2), spec, "b")
    assert spec["producers"] == ["b"]


@pytest.mark.parametrize("links", [["b"], [{"b": "port"}], ["x", {"b": "port"}]])
def test_a_link_that_is_there_stays_as_it_is(links: list[Any]) -> None:
    spec: dict[str, Any] = {"oid": "a", "inputs": copy.deepcopy(links)}
    addLink(Link.INPUT, spec, "b")
    assert spec["inputs"] == links


def test_a_parent_is_no_list() -> None:
    spec: dict[str, Any] = {"oid": "a"}
    addLink(Link.PARENT, spec, "p")
    addLink(Link.PARENT, spec, "p")
    assert spec == {"oid": "a", "parent": "p"}


def test_a_second_parent_is_refused() -> None:
    spec: dict[str, Any] = {"oid": "a", "parent": "p"}
    with pytest.raises(InvalidRelationshipException, match="parent 'p' already"):
        addLink(Link.PARENT, spec, "q")
    assert spec["parent"] == "p"


def test_a_second_parent_takes_over_by_force() -> None:
    spec: dict[str, Any] = {"oid": "a", "parent": "p"}
    addLink(Link.PARENT, spec, "q", force=True)
    assert spec["parent"] == "q"


def test_a_link_type_that_does_not_exist_is_refused() -> None:
    wrong: Any = 17
    with pytest.raises(InvalidRelationshipException, match="0 CONSUMER"):
        addLink(wrong, {"oid": "a"}, "b")


def test_links_out_of_the_list_are_taken_out_and_returned() -> None:
    specs: list[dict[str, Any]] = [
        {"oid": "a", "consumers": ["b", "far"]},
        {"oid": "b", "outputs": ["c"]},
        {"oid": "c", "streamingConsumers": ["far"], "parent": "box"},
    ]
    assert removeUnmetRelationships(specs) == [
        DROPRel("far", Link.CONSUMER, "a"),
        DROPRel("far", Link.STREAMING_CONSUMER, "c"),
        DROPRel("box", Link.PARENT, "c"),
    ]
    assert specs == [
        {"oid": "a", "consumers": ["b"]},
        {"oid": "b", "outputs": ["c"]},
        {"oid": "c"},
    ]


def test_links_with_ports_and_without_are_sorted_out_alike() -> None:
    specs: list[dict[str, Any]] = [
        {"oid": "x", "inputs": ["a", {"far": "p"}, {"a": "q"}, {"a": "r", "farther": "s"}]},
        {"oid": "a"},
    ]
    assert removeUnmetRelationships(specs) == [
        DROPRel("far", Link.INPUT, "x"),
        DROPRel("farther", Link.INPUT, "x"),
    ]
    assert specs[0]["inputs"] == ["a", {"a": "q"}, {"a": "r"}]


def test_a_whole_graph_is_left_as_it_is() -> None:
    specs: list[dict[str, Any]] = [{"oid": "a", "consumers": [{"b": "p"}]}, {"oid": "b"}]
    before = copy.deepcopy(specs)
    assert removeUnmetRelationships(specs) == []
    assert specs == before


def test_the_graph_s_own_object_at_the_end_is_no_drop() -> None:
    specs: list[dict[str, Any]] = [{"oid": "a", "consumers": ["b"]}, {"rmode": "1"}]
    assert removeUnmetRelationships(specs) == [DROPRel("b", Link.CONSUMER, "a")]
