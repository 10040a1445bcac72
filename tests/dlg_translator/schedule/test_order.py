from __future__ import annotations

import time

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg_translator.schedule.dag import CycleError, Dag, make_dag
from dlg_translator.schedule.order import (
    PATIENCE,
    checked_levels,
    find_cycle,
    is_acyclic,
    levels,
    topological_order,
)
from dlg_translator.testing.dags import chain, pipelines


@st.composite
def dags(draw: st.DrawFn) -> Dag:
    rows = draw(st.integers(1, 12))
    ends = st.tuples(st.integers(0, rows - 1), st.integers(0, rows - 1))
    pairs = draw(st.lists(ends.filter(lambda e: e[0] != e[1]), max_size=30, unique=True))
    name = draw(st.permutations(range(rows)))
    edges = [(name[min(e)], name[max(e)]) for e in pairs]
    return make_dag(rows, [a for a, _ in edges], [b for _, b in edges])


@given(dags())
def test_levels_are_the_lengths_of_the_longest_paths(dag: Dag) -> None:
    graph = nx.DiGraph()
    graph.add_nodes_from(range(dag.n))
    graph.add_edges_from(zip(dag.src.tolist(), dag.dst.tolist(), strict=True))
    for depth, rows in enumerate(nx.topological_generations(graph)):
        assert set(levels(dag)[rows].tolist()) == {depth}


@given(dags())
def test_every_row_comes_after_those_before_it(dag: Dag) -> None:
    place = np.empty(dag.n, int)
    place[topological_order(dag)] = np.arange(dag.n)
    assert (place[dag.src] < place[dag.dst]).all()


@pytest.mark.parametrize("length", [1, 2, PATIENCE - 1, PATIENCE + 1, 5 * PATIENCE])
def test_long_chains_are_levelled_row_by_row(length: int) -> None:
    assert levels(chain(length)).tolist() == list(range(length))


def test_a_cycle_is_found_and_told() -> None:
    dag = make_dag(6, [0, 1, 2, 3, 3], [1, 2, 3, 1, 4])
    assert not is_acyclic(dag)
    assert sorted(find_cycle(dag)) == [1, 2, 3]
    cycle = find_cycle(dag)
    edges = set(zip(dag.src.tolist(), dag.dst.tolist(), strict=True))
    assert set(zip(cycle, cycle[1:] + cycle[:1], strict=True)) <= edges
    with pytest.raises(CycleError, match="the graph has a cycle: rows"):
        checked_levels(dag)


def test_rows_behind_a_cycle_have_no_level() -> None:
    assert levels(make_dag(4, [0, 1, 2], [1, 0, 3])).tolist() == [-1, -1, 0, 1]
    assert levels(make_dag(3, [0, 1, 1], [1, 0, 2])).tolist() == [-1, -1, -1]


def test_a_graph_without_a_cycle_has_none_to_find() -> None:
    assert find_cycle(pipelines(3)) == []


@pytest.mark.parametrize("dag", [pipelines(33_333), chain(200_000)], ids=["wide", "long"])
def test_two_hundred_thousand_rows_take_less_than_a_second(dag: Dag) -> None:
    begin = time.perf_counter()
    topological_order(dag)
    assert time.perf_counter() - begin < 1
