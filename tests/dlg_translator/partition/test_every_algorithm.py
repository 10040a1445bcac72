"""Every algorithm divides every graph of users, and reports what can be computed again.

The figures are computed here from dropspecs alone, by loops over dictionaries and by networkx.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import networkx
import pytest

from dlg.exceptions import UsageError
from dlg_translator import PartitionedTemplate, PhysicalTemplate, partition_graph, unroll_graph
from dlg_translator.partition.written import WrittenTemplate

GRAPHS = Path(__file__).parents[4] / "shared" / "graphs"
PATHS = {str(path.relative_to(GRAPHS)): path for path in sorted(GRAPHS.rglob("*.graph"))}
MOST_DROPS = 2_000
"""Bigger graphs take too long for the loops here."""
PARTS = 4

# Searches are cut short: how good they are is another matter.
ALGORITHMS: dict[str, dict[str, Any]] = {
    "metis": {},
    "sarkar": {},
    "min_parts": {"deadline": 1e9},
    "pso": {"iterations": 2, "swarm_size": 4},
    "annealing": {"steps": 500},
    "heft": {},
    "chunks": {},
    "none": {},
}
NO_ORDER = ("metis", "annealing", "chunks", "none")
"""These can divide graphs with cycles."""

pytestmark = pytest.mark.skipif(not PATHS, reason=f"the graphs of users are not in {GRAPHS}")


@cache
def template(name: str) -> PhysicalTemplate:
    return unroll_graph(PATHS[name])


@cache
def drawn(name: str) -> networkx.DiGraph:
    """Return the links of a graph with the volumes that move along them, from its dropspecs."""
    specs = {spec["oid"]: spec for spec in template(name).to_dropspecs()}
    kinds = template(name).is_app.tolist()
    apps = {oid for oid, is_app in zip(specs, kinds, strict=True) if is_app}
    graph = networkx.DiGraph()
    graph.add_nodes_from(specs)
    for oid, spec in specs.items():
        for key in ("inputs", "streamingInputs", "outputs"):
            for entry in spec.get(key, ()):
                other = entry if isinstance(entry, str) else next(iter(entry))
                ends = (oid, other) if key == "outputs" else (other, oid)
                data = [specs[end] for end in ends if end not in apps]
                volume = data[0].get("weight", 1) if data else 1
                graph.add_edge(*ends, volume=max(volume, 1))
    times = {oid: spec.get("weight", 1) if oid in apps else 0 for oid, spec in specs.items()}
    networkx.set_node_attributes(graph, times, "time")
    return graph


@pytest.mark.parametrize("name", PATHS)
def test_a_template_that_was_written_is_divided_as_before(name: str) -> None:
    unrolled = template(name)
    read = WrittenTemplate(unrolled.to_dropspecs())
    assert read.is_app.tolist() == unrolled.is_app.tolist()
    usual = [spec["categoryType"] in {"Data", "Application"} for spec in read.specs]
    assert read.weights[usual].tolist() == unrolled.weights[usual].tolist()
    assert read.num_cpus[read.is_app].tolist() == unrolled.num_cpus[unrolled.is_app].tolist()
    found, wanted = (
        set(zip(*(e.tolist() for e in t.edges), strict=True)) for t in (read, unrolled)
    )
    assert found == wanted


def longest(graph: networkx.DiGraph, node_of: dict[str, str]) -> float:
    """Return when the last drop ends, if what lies on two nodes has to move between them."""
    ends: dict[str, float] = {}
    for oid in networkx.topological_sort(graph):
        arrivals = (
            ends[before] + (volume if node_of[before] != node_of[oid] else 0)
            for before, _, volume in graph.in_edges(oid, data="volume")
        )
        ends[oid] = max(arrivals, default=0) + graph.nodes[oid]["time"]
    return max(ends.values())


def divided(name: str, algorithm: str) -> PartitionedTemplate:
    if algorithm == "metis":
        pytest.importorskip("pymetis", reason="the extra `partition` is not installed")
    return partition_graph(template(name), algorithm, parts=PARTS, **ALGORITHMS[algorithm])


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_figures_of_a_real_graph_are_what_its_dropspecs_say(name: str, algorithm: str) -> None:
    if len(template(name)) > MOST_DROPS:
        pytest.skip("the graph is big")
    graph = drawn(name)
    acyclic = networkx.is_directed_acyclic_graph(graph)
    if not acyclic and algorithm not in NO_ORDER:
        with pytest.raises(UsageError, match="cannot divide a graph with a cycle"):
            divided(name, algorithm)
        return
    result = divided(name, algorithm)
    figures = result.objectives
    node_of = {spec["oid"]: spec["node"] for spec in result.to_dropspecs()}
    crossing = [volume for a, b, volume in graph.edges(data="volume") if node_of[a] != node_of[b]]
    assert figures.total_data_movement == sum(crossing)
    assert figures.cut_edges == len(crossing)
    assert figures.num_parts == len(set(node_of.values())) <= PARTS
    loads = dict.fromkeys(node_of.values(), 0.0)
    for oid, node in node_of.items():
        loads[node] += graph.nodes[oid]["time"]
    total = sum(loads.values())
    wanted = max(loads.values()) * len(loads) / total if total else 1
    assert figures.balance == pytest.approx(wanted)
    if acyclic:
        assert figures.exec_time == longest(graph, node_of)
        assert figures.min_exec_time == longest(graph, dict.fromkeys(node_of, "#0"))
