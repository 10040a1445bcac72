from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from dlg_translator.partition.annealing import Annealing
from dlg_translator.partition.chunks import Chunks
from dlg_translator.partition.contract import InvalidOptionError, Partitioner
from dlg_translator.partition.heft import Heft
from dlg_translator.partition.metis import Metis
from dlg_translator.partition.min_parts import DeadlineError, MinParts
from dlg_translator.partition.none import Undivided
from dlg_translator.partition.options import PARTITIONERS
from dlg_translator.partition.pso import ParticleSwarm
from dlg_translator.partition.sarkar import Sarkar
from dlg_translator.schedule.chunks import depth_first_order, even_chunks
from dlg_translator.schedule.dag import CycleError, make_dag
from dlg_translator.schedule.list_schedule import Machines, schedule
from dlg_translator.schedule.paths import completion
from dlg_translator.schedule.quality import balance, cut_volume
from dlg_translator.testing.dags import chain, pipelines, random_dag
from dlg_translator.testing.partitioners import PartitionerContract

ROOT = Path(__file__).parents[3]


class TestMetis(PartitionerContract):
    @pytest.fixture
    def partitioner(self) -> Partitioner:
        pytest.importorskip("pymetis", reason="the extra `partition` is not installed")
        return Metis()

    def test_loads_are_as_even_as_asked_for(self, partitioner: Partitioner) -> None:
        dag = pipelines(200)
        part_of = partitioner.divide(dag, 8).part_of
        assert balance(dag, part_of, 8) < 1.05

    @pytest.mark.parametrize("options", [{"ptype": 1}, {"min_goal": 1}, {"seed": 3}])
    def test_each_option_is_taken(self, partitioner: Partitioner, options: dict[str, int]) -> None:
        dag = pipelines(200)
        assert cut_volume(dag, Metis(**options).divide(dag, 4).part_of) < 2_000

    def test_a_cycle_is_divided_like_any_other_graph(self, partitioner: Partitioner) -> None:
        ring = make_dag(12, range(12), [*range(1, 12), 0])
        assert cut_volume(ring, partitioner.divide(ring, 2).part_of) == 2

    def test_edges_in_both_directions_count_together(self, partitioner: Partitioner) -> None:
        both = make_dag(4, [0, 1, 1, 2, 3], [1, 0, 2, 3, 2], edge_weight=[1, 1, 1, 1, 1])
        assert partitioner.divide(both, 2).part_of.tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])

    @pytest.mark.parametrize("options", [{"max_load_imb": 0}, {"ptype": 2}, {"min_goal": -1}])
    def test_a_value_out_of_range_is_refused(self, options: dict[str, int]) -> None:
        with pytest.raises(InvalidOptionError, match="must be between"):
            Metis(**options)


class TestChunks(PartitionerContract):
    @pytest.fixture
    def partitioner(self) -> Partitioner:
        return Chunks()

    def test_pipelines_are_cut_at_few_places(self) -> None:
        dag = pipelines(400)
        part_of = Chunks().divide(dag, 8).part_of
        # Every pipeline but those with the first data and with the gathering app must be cut once.
        assert cut_volume(dag, part_of) <= 1.05 * 5 * 2 * 400 * 7 / 8
        assert balance(dag, part_of, 8) < 1.05

    def test_refining_never_cuts_more(self) -> None:
        dag = pipelines(50)
        load = np.where(dag.is_app, dag.node_weight, 1)
        plain = even_chunks(depth_first_order(dag), load, 5)
        assert cut_volume(dag, Chunks().divide(dag, 5).part_of) <= cut_volume(dag, plain)


class TestSarkar(PartitionerContract):
    exact_parts = False  # the number is what is sought

    @pytest.fixture
    def partitioner(self) -> Partitioner:
        return Sarkar()

    def test_a_chain_is_one_part(self) -> None:
        assert Sarkar(max_cpu=1).divide(chain(500), None).part_of.max() == 0

    def test_no_part_runs_more_than_it_has_processors_for(self) -> None:
        dag = pipelines(50)
        part_of = Sarkar(max_cpu=4).divide(dag, None).part_of
        heads = part_of[1 : 1 + 6 * 50 : 6]  # the first apps of all pipelines are on one level
        assert np.bincount(heads).max() <= 4

    def test_heavy_edges_are_kept_inside(self) -> None:
        dag = make_dag(4, [0, 0, 0], [1, 2, 3], edge_weight=[1, 9, 1])
        part_of = Sarkar(max_cpu=1).divide(dag, None).part_of
        assert part_of[0] == part_of[2]
        assert len(set(part_of.tolist())) == 3

    def test_a_cycle_is_refused(self) -> None:
        with pytest.raises(CycleError, match="0 -> 1 -> 0|1 -> 0 -> 1|rows"):
            Sarkar().divide(make_dag(2, [0, 1], [1, 0]), None)


class TestMinParts(PartitionerContract):
    exact_parts = False

    @pytest.fixture
    def partitioner(self) -> Partitioner:
        return MinParts(deadline=10_000)

    @pytest.mark.parametrize("deadline", [45, 60, 120, 500])
    def test_the_deadline_is_kept(self, deadline: int) -> None:
        dag = pipelines(40)
        part_of = MinParts(deadline=deadline, max_cpu=2).divide(dag, None).part_of
        assert completion(dag, part_of) <= deadline

    def test_fewer_parts_would_be_too_slow(self) -> None:
        dag = pipelines(40)
        parts = int(MinParts(deadline=60, max_cpu=2).divide(dag, None).part_of.max()) + 1
        assert parts > 1
        assert schedule(dag, Machines((1.0,) * (parts - 1), 2)).makespan > 60

    def test_more_time_needs_fewer_parts(self) -> None:
        dag = pipelines(40)
        counts = [
            int(MinParts(deadline=d, max_cpu=2).divide(dag, None).part_of.max()) for d in (50, 700)
        ]
        assert counts[0] > counts[1] == 0

    def test_a_deadline_before_the_longest_path_ends_is_refused(self) -> None:
        with pytest.raises(DeadlineError, match="the longest path takes 20"):
            MinParts(deadline=19).divide(pipelines(4), None)

    def test_too_few_parts_for_the_deadline_are_refused(self) -> None:
        with pytest.raises(DeadlineError, match="on 2 parts of 1 processors it takes"):
            MinParts(deadline=30, max_cpu=1).divide(pipelines(40), 2)


class TestParticleSwarm(PartitionerContract):
    exact_parts = True

    @pytest.fixture
    def partitioner(self) -> Partitioner:
        return ParticleSwarm(iterations=5, swarm_size=8)

    def test_it_ends_earlier_than_the_pieces_it_starts_from(self) -> None:
        dag = random_dag(60, 90)
        groups = even_chunks(depth_first_order(dag), dag.node_weight, 60)
        first = (np.arange(60) * 4 // 60).astype(np.int32)[groups]
        found = ParticleSwarm(topk=60).divide(dag, 4).part_of
        assert completion(dag, found) < completion(dag, first)

    def test_another_seed_may_give_other_parts(self) -> None:
        dag = random_dag(60, 90)
        one, other = (ParticleSwarm(seed=s).divide(dag, 4).part_of for s in (1, 2))
        assert not np.array_equal(one, other)


class TestAnnealing(PartitionerContract):
    @pytest.fixture
    def partitioner(self) -> Partitioner:
        return Annealing(steps=2_000)

    def test_it_cuts_no_more_than_the_pieces_it_starts_from(self) -> None:
        dag = pipelines(60)
        load = np.where(dag.is_app, dag.node_weight, 1)
        first = even_chunks(depth_first_order(dag), load, 4)
        part_of = Annealing().divide(dag, 4).part_of
        assert cut_volume(dag, part_of) < cut_volume(dag, first)
        assert balance(dag, part_of, 4) < 1.1


class TestHeft(PartitionerContract):
    @pytest.fixture
    def partitioner(self) -> Partitioner:
        return Heft(max_cpu=1)

    def test_a_fast_node_gets_more_to_do(self) -> None:
        dag = pipelines(60, volume=1)
        part_of = Heft(max_cpu=1, speeds="1,4").divide(dag, None).part_of
        work = np.bincount(part_of, weights=dag.node_weight)
        assert work[1] > 2 * work[0]

    def test_as_many_speeds_as_parts_are_wanted(self) -> None:
        with pytest.raises(InvalidOptionError, match="2 numbers for 3 parts"):
            Heft(speeds="1,2").divide(chain(4), 3)

    @pytest.mark.parametrize("speeds", ["fast", "1,0", "1,-2"])
    def test_speeds_that_are_none_are_refused(self, speeds: str) -> None:
        with pytest.raises(InvalidOptionError, match="speeds"):
            Heft(speeds=speeds)


class TestUndivided(PartitionerContract):
    @pytest.fixture
    def partitioner(self) -> Partitioner:
        return Undivided()


def test_every_member_is_in_the_import_contract() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = {c["id"]: c for c in config["tool"]["importlinter"]["contracts"]}
    modules = {target.partition(":")[0] for target in PARTITIONERS.values()}
    assert set(contracts["partitioners"]["modules"]) == modules
