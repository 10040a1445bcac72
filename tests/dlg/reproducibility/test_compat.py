"""What the existing system computes, and what we compute for it: the same, value by value."""

from __future__ import annotations

import copy
import enum
import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dlg.reproducibility.layers import (
    init_lg_repro_data,
    init_lgt_repro_data,
    init_pg_repro_data,
    init_pgt_partition_repro_data,
    init_pgt_unroll_repro_data,
)
from dlg.reproducibility.levels import Level, parse_level
from dlg.reproducibility.running import add_summaries, init_runtime_repro_data
from dlg.reproducibility.summaries import (
    command_summary,
    content_summary,
    function_summary,
    status_summary,
)

VECTORS = Path(__file__).parent / "vectors"
Spec = dict[str, Any]


@functools.cache
def vectors(name: str) -> list[Spec]:
    """Return the vectors of one kind, with the digests in their places."""
    held = json.loads((VECTORS / f"{name}.json").read_text())

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: whole(item) for key, item in value.items()}
        if isinstance(value, list):
            return [whole(item) for item in value]
        if isinstance(value, str) and re.fullmatch(r"%\d+", value):
            return held["digests"][int(value[1:])]
        return value

    found: list[Spec] = whole(held["vectors"])
    return found


def each(name: str, key: str) -> pytest.MarkDecorator:
    """Let a test run for each vector of one kind."""
    found = vectors(name)
    ids = [f"{place}-{vector.get(key)}" for place, vector in enumerate(found)]
    return pytest.mark.parametrize("vector", found, ids=ids)


def layer_of(graph: list[Spec], layer: str) -> Spec:
    """Return what a stage has added to each drop for `layer`, and the data of the graph."""
    records = {
        drop["oid"]: {
            level: {k: v for k, v in own.items() if k.startswith(f"{layer}_")}
            for level, own in drop["reprodata"].items()
            if level != "rmode"
        }
        for drop in graph[:-1]
    }
    return {"records": records, "data": graph[-1]}


def logical(vector: Spec, mode: str) -> Spec:
    """Return the logical graph of a vector after both stages."""
    graph = init_lgt_repro_data(copy.deepcopy(vector["logical"]), mode)
    return init_lg_repro_data(graph)


class CategoryType(enum.StrEnum):
    """The kind of a drop that the existing unroller makes itself, until it is written to a file.

    It is hashed by its representation, not as the text it is in the file.
    """

    DATA = "Data"
    APPLICATION = "Application"


def unrolled(vector: Spec, graph: Spec, *, shared: bool) -> list[Spec]:
    """Return the instances of a logical graph, which share the record of their node or do not."""
    records = {node["id"]: node["reprodata"] for node in graph["nodeDataArray"]}
    drops = copy.deepcopy(vector["drops"])
    keys = {drop["oid"]: drop.get("lg_key") for drop in drops}
    themselves = {"Scatter", "Gather", "GroupBy"} if "name" in vector else set()
    constructs = {n["id"] for n in graph["nodeDataArray"] if n["category"] in themselves}
    for drop in drops:
        # Data that a group-by makes for itself share the record of the group-by.
        key = keys[drop["oid"]] or keys[drop["oid"].removesuffix("-grp-data")]
        own = records[key]
        if key in constructs:
            drop["categoryType"] = CategoryType(drop["categoryType"])
        drop["reprodata"] = own if shared else copy.deepcopy(own)
    return init_pgt_unroll_repro_data([*drops, copy.deepcopy(graph["reprodata"])])


def stored(graph: list[Spec]) -> list[Spec]:
    """Return a graph as it comes back from a file: nothing in it is shared any more."""
    found: list[Spec] = json.loads(json.dumps(graph))
    return found


@pytest.mark.parametrize("mode", ["-1", "0", "9"])
@each("nodes", "category")
def test_what_counts_of_a_node_of_any_category_is_the_same(vector: Spec, mode: str) -> None:
    graph = {"nodeDataArray": [copy.deepcopy(vector["node"])], "linkDataArray": []}
    init_lg_repro_data(init_lgt_repro_data(graph, mode))
    found = [graph["nodeDataArray"][0]["reprodata"], graph["reprodata"]]
    assert found == vector["records"][mode]


@each("chance", "mode")
def test_a_graph_made_by_chance_is_the_same_at_every_stage(vector: Spec) -> None:
    graph = logical(vector, vector["mode"])
    records = [node["reprodata"] for node in graph["nodeDataArray"]]
    assert [*records, graph["reprodata"]] == vector["lg"]
    drops = stored(unrolled(vector, graph, shared=vector["shared"]))
    assert layer_of(drops, "pgt") == vector["unrolled"]
    drops = init_pgt_partition_repro_data(drops)
    assert layer_of(drops, "pgt") == vector["partitioned"]
    for drop in drops[:-1]:
        drop["node"], drop["island"] = f"host{drop['node']}", f"boss{drop['island']}"
    assert layer_of(init_pg_repro_data(drops), "pg") == vector["physical"]


@each("drawn", "name")
def test_a_drawn_graph_is_the_same_after_each_command(vector: Spec) -> None:
    graph = logical(vector, "-1")
    records = [node["reprodata"] for node in graph["nodeDataArray"]]
    assert [*records, graph["reprodata"]] == vector["lg"]
    drops = stored(unrolled(vector, graph, shared=True))
    assert layer_of(drops, "pgt") == vector["unrolled"]
    stages: tuple[tuple[str, str, str, Callable[[list[Spec]], list[Spec]]], ...] = (
        ("partitioned", "divided_places", "pgt", init_pgt_partition_repro_data),
        ("physical", "places", "pg", init_pg_repro_data),
    )
    for name, places, layer, stage in stages:
        for drop in drops[:-1]:
            drop["node"], drop["island"] = vector[places][drop["oid"]]
        assert layer_of(stage(drops), layer) == vector[name]


@each("ran", "shape")
def test_a_graph_that_ran_is_the_same(vector: Spec) -> None:
    *drops, data = copy.deepcopy(vector["given"])
    level = parse_level(vector["mode"])
    for drop in drops:
        add_summaries(drop["reprodata"], level, functools.partial(told, drop))
    ran = init_runtime_repro_data({drop["oid"]: drop for drop in drops}, data)
    found = layer_of([*drops, ran], "rg")
    assert found["records"] == vector["records"]
    assert found["data"] == vector["data"]


CONTENTS = {"called": b"\x80\x04K\x05.", "h": b"hello" * 3}
COPIED = b"hello"


def told(drop: Mapping[str, Any], level: Level) -> Mapping[str, Any]:
    """Return what a drop of the graphs that were run tells; all of them completed."""
    kind = drop["dropclass"].rpartition(".")[2]
    if level is Level.REPRODUCE:
        if kind not in {"InMemoryDROP", "FileDROP"}:
            return {}
        content = CONTENTS.get(drop["oid"], COPIED)
        return content_summary(hashlib.sha3_256(content).hexdigest())
    if level is Level.RECOMPUTE and kind == "BashShellApp":
        return command_summary("echo out; echo err >&2", b"out\n", b"err\n", 0)
    if level is Level.RECOMPUTE and kind == "PyFuncApp":
        return function_summary({"x": 5})
    return status_summary(2)
