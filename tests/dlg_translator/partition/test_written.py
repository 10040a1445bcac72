from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import InvalidGraphException
from dlg.testing import graphs
from dlg_translator.formats.specs import pieces
from dlg_translator.mapping import map_graph
from dlg_translator.model.spec_texts import BLOCK
from dlg_translator.partition import partition_graph
from dlg_translator.partition.written import WrittenTemplate, read_partitioned


def test_links_are_read_from_either_side_each_once() -> None:
    specs: list[dict[str, Any]] = [
        {"oid": "a", "categoryType": "Data", "consumers": [{"b": "port"}]},
        {
            "oid": "b",
            "categoryType": "Application",
            "inputs": ["a"],
            "producers": [],
            "outputs": [],
        },
        {"oid": "c", "categoryType": "Data", "producers": ["b"]},
    ]
    src, dst = WrittenTemplate(specs).edges
    assert sorted(zip(src.tolist(), dst.tolist(), strict=True)) == [(0, 1), (1, 2)]


def test_weights_are_what_specs_say_and_one_where_they_say_nothing() -> None:
    specs: list[dict[str, Any]] = [
        {"oid": "a", "categoryType": "Data", "data_volume": "7"},
        {"oid": "b", "categoryType": "Application", "weight": 3, "num_cpus": 4},
        {"oid": "c", "categoryType": "Application", "weight": "none", "execution_time": 2.0},
        {"oid": "d", "categoryType": "Data"},
    ]
    template = WrittenTemplate(specs)
    assert template.weights.tolist() == [7, 3, 2, 1]
    assert template.volumes.tolist() == [7, 0, 0, 1]
    assert template.num_cpus.tolist()[1:3] == [4, 1]


def test_classes_that_are_not_installed_do_not_matter() -> None:
    specs = [{"oid": "a", "categoryType": "Application", "dropclass": "nobody.has.This"}]
    graph = WrittenTemplate(specs).to_physical_graph()
    assert graph.class_names == ["nobody.has.This"]


@pytest.mark.parametrize(
    ("specs", "codes"),
    [
        ([], ["not-a-list"]),
        ({"drops": []}, ["not-a-list"]),
        ({"nodes": {}}, ["logical-graph"]),
        ([1, {"oid": 2}], ["not-a-dropspec", "not-a-dropspec"]),
        ([{"oid": "a"}, {"oid": "a"}], ["bad-category", "bad-category", "duplicate-oid"]),
        ([graphs.data("a", ["x", "y"])], ["unknown-link-target"] * 2),
    ],
)
def test_all_that_is_wrong_is_told(specs: Any, codes: list[str]) -> None:
    with pytest.raises(InvalidGraphException) as caught:
        WrittenTemplate(specs)
    assert [problem.code for problem in caught.value.problems] == codes


def test_a_division_survives_being_written_and_read() -> None:
    divided = partition_graph(WrittenTemplate(graphs.fan_gather(40)), "chunks", 5, 2)
    again = read_partitioned(WrittenTemplate(divided.to_dropspecs()))
    assert (again.node_of == divided.node_of).all()
    assert (again.island_of_part == divided.island_of_part).all()
    assert again.to_dropspecs() == divided.to_dropspecs()


def test_a_division_that_was_read_can_be_mapped() -> None:
    divided = partition_graph(WrittenTemplate(graphs.fan_gather(40)), "chunks", 3)
    graph = map_graph(read_partitioned(WrittenTemplate(divided.to_dropspecs())), "i,a,b,c")
    assert {spec["node"] for spec in graph.specs} == {"a", "b", "c"}
    assert {spec["island"] for spec in graph.specs} == {"i"}


def test_a_graph_without_nodes_is_one_part_but_not_one_with_some() -> None:
    specs = graphs.chain(2)
    assert read_partitioned(WrittenTemplate(specs)).num_parts == 1
    with pytest.raises(InvalidGraphException, match="drop 'a0' has no node, others have"):
        read_partitioned(WrittenTemplate([{**specs[0], "node": "#0"}, *specs[1:]]))


@given(st.integers(0, 2 * BLOCK + 5), st.booleans())
def test_specs_are_written_in_pieces_that_make_one_list(count: int, indent: bool) -> None:
    specs = [{"oid": str(k), "weight": np.int64(k)} for k in range(count)]
    text = b"".join(pieces(specs, indent=indent))
    assert json.loads(text) == [{"oid": str(k), "weight": k} for k in range(count)]
