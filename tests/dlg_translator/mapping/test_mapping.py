from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.exceptions import UsageError
from dlg.graph.physical import PhysicalGraph
from dlg_translator.mapping import map_graph
from dlg_translator.mapping.demands import DemandError
from dlg_translator.mapping.hosts import Host, ResourceError, read_hosts
from dlg_translator.mapping.mapping import TooFewHostsError
from dlg_translator.partition import PartitionedTemplate, partition_graph
from dlg_translator.partition.islands import TooFewPartsError
from dlg_translator.testing.dags import ArrayTemplate, pipelines, template_of

BIG = {"name": "big", "cores": 64, "memory": "1 TB", "gpus": 0}
GPU = {"name": "gpu", "cores": 16, "memory": 128, "gpus": 4}
SMALL = {"name": "small", "cores": 4, "memory": "16 GB", "gpus": 0}


def divided(parts: int, islands: int = 1, **needs: Mapping[str, Any]) -> PartitionedTemplate:
    """A divided graph; `needs` by row, as in d3={...}."""
    plain = template_of(pipelines(8))
    extra = {int(oid[1:]): dict(more) for oid, more in needs.items()}
    template = ArrayTemplate(plain.is_app, plain.edges, plain.weights, plain.num_cpus, extra)
    return partition_graph(template, "chunks", parts=parts, islands=islands)


def column(graph: PhysicalGraph, key: str) -> list[str]:
    return [str(spec[key]) for spec in graph.specs]


def test_the_first_hosts_manage_islands_and_the_others_are_nodes() -> None:
    partitioned = divided(3, 2)
    graph = map_graph(partitioned, ["m0", "m1", "a", "b", "c"])
    assert column(graph, "node") == [("a", "b", "c")[k] for k in partitioned.node_of]
    assert column(graph, "island") == [("m0", "m1")[j] for j in partitioned.island_of]


def test_managers_are_nodes_as_well_if_asked_for() -> None:
    graph = map_graph(divided(3), "a, b, c", co_host_dim=True)
    assert set(column(graph, "node")) == {"a", "b", "c"}
    assert set(column(graph, "island")) == {"a"}


def test_a_single_host_is_manager_and_node() -> None:
    graph = map_graph(divided(3), ["localhost"])
    assert set(column(graph, "node")) == set(column(graph, "island")) == {"localhost"}


def test_no_host_left_for_nodes_is_refused_if_hosts_must_not_be_both() -> None:
    with pytest.raises(TooFewHostsError, match="none is left as a node: give more hosts"):
        map_graph(divided(3), ["localhost"], co_host_dim=False)


def test_fewer_hosts_than_islands_are_refused() -> None:
    with pytest.raises(TooFewHostsError, match="3 islands need as many hosts; 2 are given"):
        map_graph(divided(4, 3), ["a", "b"])


def test_a_number_leaves_the_names_to_whoever_runs_the_graph() -> None:
    graph = map_graph(divided(3, 2), 3)
    assert set(column(graph, "node")) == {"#0", "#1", "#2"}
    assert set(column(graph, "island")) == {"#0", "#1"}


def test_more_parts_than_nodes_are_merged_with_a_warning() -> None:
    graph = map_graph(divided(8, 2), 3)
    assert set(column(graph, "node")) == {"#0", "#1", "#2"}
    assert "8 parts were merged into 3" in graph.warnings[-1].message


def test_each_host_is_in_one_island_even_after_merging() -> None:
    graph = map_graph(divided(8, 2), ["m0", "m1", "a", "b", "c"])
    pairs = set(zip(column(graph, "node"), column(graph, "island"), strict=True))
    assert len(pairs) == 3
    assert {island for _, island in pairs} == {"m0", "m1"}


def test_islands_can_be_others_than_those_of_the_division() -> None:
    graph = map_graph(divided(6, 1), 6, islands=3)
    assert set(column(graph, "island")) == {"#0", "#1", "#2"}


@pytest.mark.parametrize(("islands", "error"), [(0, UsageError), (7, TooFewPartsError)])
def test_an_impossible_number_of_islands_is_refused(islands: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        map_graph(divided(3), 3, islands=islands)


def test_no_link_changes() -> None:
    partitioned = divided(3)
    before, after = partitioned.template.to_physical_graph().links, map_graph(partitioned, 2).links
    np.testing.assert_array_equal(before.consumers.dst, after.consumers.dst)
    np.testing.assert_array_equal(before.outputs.src, after.outputs.src)


def test_an_app_that_needs_a_gpu_goes_where_there_is_one() -> None:
    partitioned = divided(3, d5={"num_gpus": 2})
    graph = map_graph(partitioned, [BIG, GPU, SMALL], co_host_dim=True)
    assert graph.specs[5]["node"] == "gpu"
    assert set(column(graph, "node")) == {"big", "gpu", "small"}
    assert not graph.warnings


def test_constraints_are_read_from_where_components_state_them() -> None:
    needs = {"constraintParams": {"memory": {"value": "500 GB"}}}
    graph = map_graph(divided(3, d5=needs), [SMALL, GPU, BIG], co_host_dim=True)
    assert graph.specs[5]["node"] == "big"


def test_drops_leave_their_part_where_no_host_has_all_it_needs() -> None:
    partitioned = divided(1, d5={"num_gpus": 1}, d7={"memory": "500 GB"})
    graph = map_graph(partitioned, [BIG, GPU], co_host_dim=True)
    assert graph.specs[5]["node"] == "gpu"
    assert graph.specs[7]["node"] == "big"
    assert "could not stay with their part" in graph.warnings[-1].message


def test_all_drops_that_fit_nowhere_are_named() -> None:
    partitioned = divided(2, d5={"num_gpus": 8}, d7={"num_cpus": 100})
    with pytest.raises(DemandError) as caught:
        map_graph(partitioned, [BIG, GPU], co_host_dim=True)
    assert "d5: no node has 8 GPUs" in str(caught.value)
    assert "d7: no node has 100 cores" in str(caught.value)


def test_all_needs_that_cannot_be_understood_are_named() -> None:
    partitioned = divided(2, d5={"num_gpus": "a few"}, d7={"memory": "much"})
    with pytest.raises(DemandError, match="d5, num_gpus: expected a number(.|\n)*d7, mem_usage"):
        map_graph(partitioned, [BIG], co_host_dim=True)


def test_needs_are_not_looked_at_where_nothing_is_known_of_hosts() -> None:
    graph = map_graph(divided(2, d5={"num_gpus": "a few"}), ["a", "b"], co_host_dim=True)
    assert set(column(graph, "node")) == {"a", "b"}


def test_hosts_with_gpus_are_spared() -> None:
    graph = map_graph(divided(2), [GPU, BIG, SMALL], co_host_dim=True)
    assert set(column(graph, "node")) == {"big", "small"}


def test_nodes_that_get_nothing_are_told() -> None:
    partitioned = divided(2, d1={"num_gpus": 1}, d47={"num_gpus": 1})
    assert partitioned.node_of[1] != partitioned.node_of[47]
    graph = map_graph(partitioned, [GPU, BIG], co_host_dim=True)
    assert set(column(graph, "node")) == {"gpu"}
    assert "only 1 of 2 nodes have what the parts need" in graph.warnings[-1].message


TOML = """
[[nodes]]
name = "login"
[[nodes]]
names = ["n1", "n2"]
cores = 64
memory = "512 GB"
gpus = 4
"""


def test_a_resource_file_may_be_toml_or_json(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(TOML)
    nodes = [{"name": "login"}, {"names": ["n1", "n2"], "cores": 64, "memory": 512, "gpus": 4}]
    (tmp_path / "r.json").write_text(json.dumps({"nodes": nodes}))
    expected = [Host("login"), Host("n1", 64, 512, 4), Host("n2", 64, 512, 4)]
    assert read_hosts(tmp_path / "r.toml") == read_hosts(str(tmp_path / "r.json")) == expected


def test_what_a_manager_reports_is_understood() -> None:
    report = {"nodes": [{"host": "n1:8000", "cores": 8}, "n2"]}
    assert read_hosts(report) == [Host("n1:8000", 8), Host("n2")]


@pytest.mark.parametrize(
    ("nodes", "place"),
    [
        (0, "at least 1"),
        (True, "at least 1"),
        ([], "name at least one"),
        (" , ", "name at least one"),
        (["a", ""], "the name of host 2 of 2 is empty"),
        ("a,,b", "the name of host 2 of 3 in 'a,,b' is empty"),
        ("a,b, ", "the name of host 3 of 3 in 'a,b, ' is empty"),
        ("a b", "'a b' is no name of a host: there is a blank in it; put commas between names"),
        (["a", "b\tc"], r"'b\\tc' is no name of a host"),
        ([{"names": ["n1", "n 2"]}], "'n 2' is no name of a host"),
        ([3], "nodes/0: expected a host"),
        ([{"cores": 3}], "nodes/0: expected 'name'"),
        ([{"name": "a", "cpus": 3}], "nodes/0: unknown keys cpus; there are cores, gpus"),
        ([{"name": "a", "memory": "much"}], "nodes/0/memory: expected a size"),
        ({"hosts": []}, "expected a list 'nodes'"),
        (1.5, "expected hosts"),
        ("gone.toml", "gone.toml: the resource file cannot be read: No such file or directory$"),
        (Path("/"), "/: the resource file cannot be read: Is a directory$"),
    ],
)
def test_hosts_that_cannot_be_understood_are_refused_with_the_place(
    nodes: Any, place: str
) -> None:
    with pytest.raises(ResourceError, match=place):
        read_hosts(nodes)
