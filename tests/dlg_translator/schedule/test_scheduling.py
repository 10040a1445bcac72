from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg_translator.schedule.annealing import Cooling, anneal
from dlg_translator.schedule.chunks import depth_first_order, even_chunks, limits, refine
from dlg_translator.schedule.dag import Bools, Dag, Ints, Numbers, make_dag, sums
from dlg_translator.schedule.edge_zeroing import Needs, zero_edges
from dlg_translator.schedule.list_schedule import Machines, schedule
from dlg_translator.schedule.order import levels
from dlg_translator.schedule.parallelism import usage_of
from dlg_translator.schedule.paths import completion
from dlg_translator.schedule.quality import cut_volume
from dlg_translator.schedule.simulation import simulate
from dlg_translator.testing.dags import chain, pipelines, random_dag

RANDOM = st.builds(random_dag, st.integers(1, 25), st.integers(0, 50), st.integers(0, 999))
MIXED = st.one_of(
    RANDOM, st.builds(pipelines, st.integers(1, 9)), st.builds(chain, st.integers(1, 9))
)
MACHINES = st.builds(
    Machines,
    st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=1, max_size=4).map(tuple),
    st.integers(1, 3),
    st.sampled_from([0.5, 1.0, 4.0]),
)


@given(MIXED, MACHINES)
def test_what_heft_estimates_is_what_happens(dag: Dag, machines: Machines) -> None:
    plan = schedule(dag, machines)
    np.testing.assert_allclose(simulate(dag, plan.node_of, plan.order, machines), plan.finish)


@given(MIXED, MACHINES)
def test_no_node_uses_more_processors_than_it_has(dag: Dag, machines: Machines) -> None:
    plan = schedule(dag, machines)
    for node in range(len(machines)):
        rows = np.flatnonzero((plan.node_of == node) & dag.is_app)
        cpus = np.minimum(dag.num_cpus[rows], machines.cores)
        assert usage_of(plan.start[rows], plan.finish[rows], cpus).peak <= machines.cores


@given(MIXED)
def test_a_schedule_is_no_shorter_than_its_longest_path(dag: Dag) -> None:
    plan = schedule(dag, Machines((1.0, 1.0, 1.0), 2))
    assert plan.makespan >= completion(dag, plan.node_of) - 1e-9


def test_enough_processors_run_everything_at_once() -> None:
    assert schedule(pipelines(8), Machines((1.0,), 8)).makespan == 20


def test_one_processor_runs_one_after_the_other() -> None:
    assert schedule(pipelines(8), Machines((1.0,), 1)).makespan == 5 * (8 * 3 + 1)


@given(MIXED, st.integers(1, 4))
def test_parts_of_edge_zeroing_stay_within_processors_on_every_level(dag: Dag, most: int) -> None:
    part_of = zero_edges(dag, Needs(most, float("inf")))
    key = part_of.astype(np.int64) * dag.n + levels(dag)
    assert sums(key, dag.num_cpus, 1).max() <= max(most, dag.num_cpus.max())


def test_memory_limits_parts_too() -> None:
    dag = make_dag(3, [0, 1], [1, 2])
    wide = make_dag(3, [0, 0], [1, 2])
    memory = np.asarray([0.0, 6.0, 6.0])
    for graph, parts in ((dag, 1), (wide, 2)):
        limited = Dag(3, graph.src, graph.dst, *_columns(graph), memory)
        assert zero_edges(limited, Needs(8, 10)).max() + 1 == parts


def _columns(dag: Dag) -> tuple[Numbers, Numbers, Bools, Ints]:
    return dag.node_weight, dag.edge_weight, dag.is_app, dag.num_cpus


@given(MIXED, st.integers(1, 30))
def test_pieces_of_a_walk_are_consecutive_and_not_empty(dag: Dag, parts: int) -> None:
    order = depth_first_order(dag)
    assert sorted(order.tolist()) == list(range(dag.n))
    pieces = even_chunks(order, dag.node_weight, parts)[order]
    assert set(pieces.tolist()) == set(range(min(parts, dag.n)))
    assert (np.diff(pieces) >= 0).all()


def test_a_walk_keeps_pipelines_in_one_piece() -> None:
    order = depth_first_order(pipelines(4)).tolist()
    assert order[:7] == [0, 1, 2, 3, 4, 5, 6]


def test_a_walk_meets_rows_on_cycles_too() -> None:
    assert sorted(depth_first_order(make_dag(3, [0, 1], [1, 0])).tolist()) == [0, 1, 2]


@given(st.builds(random_dag, st.integers(8, 40), st.integers(0, 90), st.integers(0, 999)))
def test_refining_cuts_no_more_and_empties_nothing(dag: Dag) -> None:
    first = even_chunks(depth_first_order(dag), dag.node_weight, 4)
    bounds = limits(dag.node_weight, 4, 1.1)
    part_of = refine(dag, first, 4, bounds)
    assert cut_volume(dag, part_of) <= cut_volume(dag, first)
    assert len(set(part_of.tolist())) == 4
    over = max(bounds.most, sums(first, dag.node_weight, 4).max())
    assert sums(part_of, dag.node_weight, 4).max() <= over


@given(st.builds(random_dag, st.integers(8, 40), st.integers(0, 90), st.integers(0, 999)))
def test_annealing_keeps_loads_within_limits(dag: Dag) -> None:
    first = even_chunks(depth_first_order(dag), dag.node_weight, 3)
    bounds = limits(dag.node_weight, 3, 1.1)
    part_of = anneal(dag, first, 3, bounds, Cooling(500))
    assert cut_volume(dag, part_of) <= cut_volume(dag, first)
    assert sums(part_of, dag.node_weight, 3).max() <= max(
        bounds.most, sums(first, dag.node_weight, 3).max()
    )


@pytest.mark.parametrize("parts", [0, 1])
def test_annealing_leaves_one_part_as_it_is(parts: int) -> None:
    dag = pipelines(3)
    first = np.zeros(dag.n, np.int32)
    assert anneal(dag, first, parts, limits(dag.node_weight, 1, 1.1), Cooling(10)) is first
