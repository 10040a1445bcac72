from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg_translator.schedule.contraction import contract_chains
from dlg_translator.schedule.dag import CycleError, Dag, Rows, make_dag
from dlg_translator.schedule.parallelism import usage
from dlg_translator.schedule.paths import (
    completion,
    completions,
    cut_costs,
    earliest_starts,
    times_to_end,
)
from dlg_translator.schedule.quality import balance, cut_volume, quotient, without_empty
from dlg_translator.testing.dags import chain, pipelines, random_dag

RANDOM = st.builds(random_dag, st.integers(2, 25), st.integers(0, 60), st.integers(0, 999))


@st.composite
def divided(draw: st.DrawFn) -> tuple[Dag, Rows]:
    dag = draw(RANDOM)
    parts = draw(st.lists(st.integers(0, 3), min_size=dag.n, max_size=dag.n))
    return dag, np.asarray(parts, np.int32)


def _longest(dag: Dag, part_of: Rows) -> float:
    """The length of the longest path, by trying all: from networkx, with times on the edges."""
    graph = nx.DiGraph()
    for row, target, cost in zip(dag.src, dag.dst, cut_costs(dag, part_of), strict=True):
        graph.add_edge(row, target, weight=cost + dag.node_weight[target])
    for row in range(dag.n):
        graph.add_edge("start", row, weight=dag.node_weight[row])
    return float(nx.dag_longest_path_length(graph))


@given(divided())
def test_completion_is_the_longest_path_with_what_moves(given_: tuple[Dag, Rows]) -> None:
    dag, part_of = given_
    assert completion(dag, part_of) == _longest(dag, part_of)


@given(divided())
def test_many_completions_at_once_are_those_one_by_one(given_: tuple[Dag, Rows]) -> None:
    dag, part_of = given_
    several = np.stack([part_of, part_of[::-1], np.zeros_like(part_of)])
    assert completions(dag, several).tolist() == [completion(dag, p) for p in several]


@given(divided())
def test_short_chains_make_paths_no_shorter(given_: tuple[Dag, Rows]) -> None:
    dag, clusters = given_
    small = contract_chains(dag, clusters)
    assert completion(small.dag, small.cluster_of) == completion(dag, clusters)
    np.testing.assert_array_equal(small.cluster_of[small.node_of], clusters)


def test_a_chain_within_a_cluster_becomes_one_node() -> None:
    assert contract_chains(chain(1000), np.zeros(1000, np.int32)).dag.n == 1


def test_a_ring_is_contracted_without_end() -> None:
    ring = make_dag(5, range(5), [1, 2, 3, 4, 0])
    assert contract_chains(ring, np.zeros(5, np.int32)).dag.n >= 1


@given(RANDOM)
def test_the_way_to_the_end_and_from_the_start_are_as_long(dag: Dag) -> None:
    whole = earliest_starts(dag) + times_to_end(dag)
    assert whole.max() == completion(dag)


@pytest.mark.parametrize("dag", [chain(400), pipelines(200)], ids=["edge by edge", "by waves"])
def test_moving_counts_only_between_parts(dag: Dag) -> None:
    together = completion(dag)
    apart = np.arange(dag.n, dtype=np.int32)
    edges_on_path = 399 if dag.n == 400 else 8
    assert completion(dag, np.zeros(dag.n, np.int32)) == together
    assert completion(dag, apart) == together + 5 * edges_on_path


def test_a_cycle_has_no_longest_path() -> None:
    with pytest.raises(CycleError):
        completion(make_dag(2, [0, 1], [1, 0]))


def test_real_times_are_kept() -> None:
    dag = make_dag(3, [0, 1], [1, 2], node_weight=[0.25, 0.5, 0.125])
    assert completion(dag) == 0.875


def test_processors_in_use_are_told_over_time() -> None:
    dag = make_dag(3, [0], [1], node_weight=[2, 3, 4], num_cpus=[1, 4, 2])
    use = usage(dag)
    assert use.times.tolist() == [0, 2, 4, 5]
    assert use.used.tolist() == [3, 6, 4, 0]
    assert (use.peak, use.peak_time) == (6, 2)


def test_apps_that_are_said_to_take_no_time_are_counted() -> None:
    dag = make_dag(4, [], [], node_weight=[0, 0, 0, 0])
    assert usage(dag).peak == 4


@given(divided())
def test_the_cut_of_the_parts_is_that_of_the_graph_between_them(given_: tuple[Dag, Rows]) -> None:
    dag, labels = given_
    part_of, parts = without_empty(labels)
    between = quotient(dag, part_of, parts)
    assert between.edge_weight.sum() == cut_volume(dag, part_of)
    assert between.node_weight.sum() == dag.node_weight.sum()
    assert balance(dag, part_of, parts) >= 1 - 1e-9


def test_parts_are_numbered_without_gaps() -> None:
    part_of, parts = without_empty(np.asarray([5, 2, 5, 9], np.int32))
    assert (part_of.tolist(), parts) == ([1, 0, 1, 2], 3)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="node_weight has 2 entries instead of 3"):
        make_dag(3, [], [], node_weight=[1, 2])
