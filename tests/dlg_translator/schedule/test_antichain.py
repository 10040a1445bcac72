from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg_translator.schedule.antichain import antichain
from dlg_translator.schedule.dag import CycleError, Dag, make_dag
from dlg_translator.schedule.parallelism import usage
from dlg_translator.testing.dags import chain, pipelines, random_dag


@st.composite
def weighted(draw: st.DrawFn) -> Dag:
    rows = draw(st.integers(1, 9))
    dag = random_dag(rows, draw(st.integers(0, 14)), draw(st.integers(0, 9999)))
    cpus = draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    return make_dag(rows, dag.src, dag.dst, dag.node_weight, dag.edge_weight, cpus)


def _reachable(dag: Dag) -> set[tuple[int, int]]:
    graph = nx.DiGraph(zip(dag.src.tolist(), dag.dst.tolist(), strict=True))
    return set(nx.transitive_closure_dag(graph).edges)


def _heaviest(dag: Dag) -> int:
    """The heaviest set of rows of which none follows another, by trying all sets."""
    related, best = _reachable(dag), 0
    for size in range(dag.n + 1):
        for rows in combinations(range(dag.n), size):
            if not any((a, b) in related or (b, a) in related for a, b in combinations(rows, 2)):
                best = max(best, int(dag.num_cpus[list(rows)].sum()))
    return best


@given(weighted())
def test_it_is_the_heaviest_of_all_antichains(dag: Dag) -> None:
    assert antichain(dag).weight == _heaviest(dag)


@pytest.mark.parametrize("exact_up_to", [0, 2_000], ids=["bound", "exact"])
@given(st.builds(random_dag, st.integers(1, 30), st.integers(0, 60), st.integers(0, 999)))
def test_its_rows_do_not_follow_each_other(exact_up_to: int, dag: Dag) -> None:
    found = antichain(dag, exact_up_to)
    rows = set(found.rows.tolist())
    assert not any(a in rows and b in rows for a, b in _reachable(dag))
    assert dag.num_cpus[found.rows].sum() == found.weight


@given(weighted())
def test_a_bound_is_never_above_the_exact_answer(dag: Dag) -> None:
    exact = antichain(dag).weight
    assert antichain(dag, exact_up_to=0).weight <= exact
    assert usage(dag).peak <= exact


def test_it_says_how_it_was_found() -> None:
    assert antichain(pipelines(5)).exact
    big = antichain(pipelines(2_000))
    assert (big.weight, big.method, big.exact) == (2_000, "widest level", False)


def test_the_busiest_moment_wins_where_levels_are_narrow() -> None:
    # Two chains of different rhythm: no level is as wide as what runs at one time.
    dag = make_dag(6, [0, 1, 3, 4], [1, 2, 4, 5], [1, 1, 9, 9, 1, 1], num_cpus=[0, 0, 5, 5, 0, 0])
    found = antichain(dag, exact_up_to=0)
    assert (found.weight, found.method) == (10, "busiest moment")
    assert found.rows.tolist() == [2, 3]


def test_a_chain_runs_one_at_a_time() -> None:
    assert antichain(chain(301)).weight == 1


def test_a_cycle_has_none() -> None:
    with pytest.raises(CycleError):
        antichain(make_dag(2, [0, 1], [1, 0]))


def test_a_graph_without_rows_needs_nothing() -> None:
    empty = make_dag(0, [], [])
    assert antichain(empty).weight == 0
    assert antichain(empty, exact_up_to=-1).weight == 0
    assert np.array_equal(antichain(empty).rows, [])
