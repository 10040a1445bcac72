from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg import plugins
from dlg.exceptions import UsageError
from dlg_translator.partition import partition_graph
from dlg_translator.partition.chunks import Chunks
from dlg_translator.partition.contract import Division, InvalidOptionError
from dlg_translator.partition.islands import TooFewPartsError, filled, merge
from dlg_translator.partition.options import (
    UnknownAlgorithmError,
    algorithms,
    describe_options,
    make_partitioner,
)
from dlg_translator.schedule.dag import Dag, make_dag
from dlg_translator.schedule.paths import completion
from dlg_translator.schedule.quality import cut_volume
from dlg_translator.testing.dags import ArrayTemplate, pipelines, random_dag, template_of

NEEDED = {"min_parts": {"deadline": 1e6}}
ALL = ["metis", "sarkar", "min_parts", "pso", "annealing", "heft", "chunks", "none"]


@pytest.fixture
def template() -> ArrayTemplate:
    return template_of(pipelines(20))


def _options(algorithm: str) -> dict[str, Any]:
    return dict(NEEDED.get(algorithm, {}))


@pytest.mark.parametrize("algorithm", ALL)
def test_what_is_reported_is_what_can_be_computed_again(
    template: ArrayTemplate, algorithm: str
) -> None:
    divided = partition_graph(template, algorithm, parts=4, **_options(algorithm))
    figures, specs = divided.objectives, divided.to_dropspecs()
    node = [spec["node"] for spec in specs]
    src, dst = template.edges
    crossing = [
        max(template.weights[a], 1) if not template.is_app[a] else max(template.weights[b], 1)
        for a, b in zip(src, dst, strict=True)
        if node[a] != node[b]
    ]
    assert figures.total_data_movement == sum(crossing)
    assert figures.cut_edges == len(crossing)
    assert figures.num_parts == len(set(node)) <= 4
    assert figures.min_exec_time == 20
    assert figures.exec_time == completion(divided.dag, divided.node_of)
    assert (figures.antichain, figures.antichain_method) == (20, "dilworth")
    assert figures.peak_parallelism == 20


@given(
    st.builds(random_dag, st.integers(4, 30), st.integers(0, 60), st.integers(0, 999)),
    st.integers(1, 6),
    st.integers(1, 3),
    st.sampled_from(["metis", "chunks", "sarkar", "heft"]),
)
def test_every_drop_has_one_node_in_one_island(
    dag: Dag, parts: int, islands: int, algorithm: str
) -> None:
    template = template_of(dag)
    try:
        divided = partition_graph(template, algorithm, parts=parts, islands=islands)
    except TooFewPartsError:
        return
    specs = divided.to_dropspecs()
    assert len(specs) == len(template)
    assert len(dict.fromkeys((s["node"], s["island"]) for s in specs)) == divided.num_parts
    assert {s["island"] for s in specs} == {f"#{j}" for j in range(islands)}
    assert [divided.spec(row) for row in range(len(divided))] == specs == list(divided)


def test_specs_of_the_graph_are_made_when_asked_for(template: ArrayTemplate) -> None:
    divided = partition_graph(template, parts=3, islands=2)
    graph = divided.to_physical_graph()
    assert graph.specs[5] == divided.spec(5)
    assert graph.specs[4:6] == [divided.spec(4), divided.spec(5)]
    assert len(graph.specs) == len(graph) == len(divided)


def test_a_link_that_is_there_twice_moves_its_data_once() -> None:
    plain = template_of(make_dag(2, [0], [1]))
    ends = np.zeros(2, np.int32), np.ones(2, np.int32)
    twice = ArrayTemplate(plain.is_app, ends, plain.weights, plain.num_cpus)
    assert partition_graph(twice, "chunks", parts=2).objectives.cut_edges == 1


def test_no_link_changes(template: ArrayTemplate) -> None:
    before, after = (
        graph.to_physical_graph().links for graph in (template, partition_graph(template, parts=3))
    )
    np.testing.assert_array_equal(before.consumers.src, after.consumers.src)
    np.testing.assert_array_equal(before.outputs.dst, after.outputs.dst)


def test_more_parts_than_allowed_are_merged(template: ArrayTemplate) -> None:
    divided = partition_graph(template, "sarkar", parts=3, max_cpu=1)
    assert divided.num_parts == 3
    assert "parts of 1 processors would be needed, 3 are allowed" in str(divided.warnings)


def test_memory_is_looked_up_only_when_it_is_limited() -> None:
    dag = pipelines(20)
    needs = {row: {"mem_usage": "4 GB"} for row in np.flatnonzero(dag.is_app).tolist()}
    plain = template_of(dag)
    template = ArrayTemplate(plain.is_app, plain.edges, plain.weights, plain.num_cpus, needs)
    free = partition_graph(template, "sarkar")
    tight = partition_graph(template, "sarkar", max_mem=8)
    assert tight.num_parts > free.num_parts


def test_an_unknown_algorithm_is_refused_with_those_there_are(template: ArrayTemplate) -> None:
    with pytest.raises(
        UnknownAlgorithmError, match=r"'meetis'; did you mean 'metis'\? there are: "
    ):
        partition_graph(template, "meetis")


def test_an_unknown_option_is_refused_with_those_there_are(template: ArrayTemplate) -> None:
    with pytest.raises(InvalidOptionError, match=r"metis has no option 'max_load'; did you mean"):
        partition_graph(template, "metis", max_load=3)
    with pytest.raises(InvalidOptionError, match="it has no options"):
        partition_graph(template, "none", max_load=3)


def test_a_missing_option_is_told(template: ArrayTemplate) -> None:
    with pytest.raises(InvalidOptionError, match="min_parts needs the option deadline"):
        partition_graph(template, "min_parts")


def test_options_may_be_texts_as_the_command_line_gives_them() -> None:
    assert make_partitioner("sarkar", {"max_cpu": "4", "max_mem": "2.5"}) == make_partitioner(
        "sarkar", {"max_cpu": 4, "max_mem": 2.5}
    )
    with pytest.raises(InvalidOptionError, match="option max_cpu of sarkar: 'many' is not"):
        make_partitioner("sarkar", {"max_cpu": "many"})


@pytest.mark.parametrize(
    ("old", "new"),
    [("mysarkar", "sarkar"), ("min_num_parts", "min_parts"), ("Min-Parts", "min_parts")],
)
def test_names_of_the_existing_system_are_understood(old: str, new: str) -> None:
    assert make_partitioner(old, _options(new)).name == new


def test_options_can_be_listed() -> None:
    assert describe_options("min_parts") == {"deadline": None, "max_cpu": 8}
    assert describe_options("metis")["max_load_imb"] == 90
    assert algorithms()[: len(ALL)] == ALL


@pytest.mark.parametrize("counts", [{"parts": 0}, {"islands": 0}, {"parts": -2}])
def test_fewer_than_one_of_anything_is_refused(
    template: ArrayTemplate, counts: dict[str, int]
) -> None:
    with pytest.raises(UsageError, match="must be at least 1"):
        partition_graph(template, **counts)  # type: ignore[arg-type]


@pytest.mark.parametrize(("parts", "islands"), [(3, 3), (4, 3), (9, 2), (16, 5)])
def test_any_number_of_parts_goes_into_islands(
    template: ArrayTemplate, parts: int, islands: int
) -> None:
    divided = partition_graph(template, parts=parts, islands=islands)
    assert set(divided.island_of_part.tolist()) == set(range(islands))
    np.testing.assert_array_equal(divided.island_of, divided.island_of_part[divided.node_of])


def test_more_islands_than_parts_are_refused(template: ArrayTemplate) -> None:
    with pytest.raises(TooFewPartsError, match="2 parts cannot be merged into 3"):
        partition_graph(template, parts=2, islands=3)


def test_parts_that_exchange_much_share_an_island() -> None:
    dag = make_dag(4, [0, 1, 2], [1, 2, 3], edge_weight=[9, 1, 9])
    into = merge(dag, np.arange(4, dtype=np.int32), 4, 2, Chunks())
    assert into[0] == into[1] != into[2] == into[3]


def test_an_empty_group_gets_a_member_of_the_biggest() -> None:
    assert filled(np.asarray([0, 0, 0, 2], np.int32), 4).tolist() == [0, 3, 1, 2]


def test_a_cycle_is_told_with_its_drops_where_an_order_is_needed() -> None:
    ring = template_of(make_dag(4, [0, 1, 2, 3], [1, 2, 3, 0]))
    with pytest.raises(UsageError, match=r"heft cannot divide a graph with a cycle \(d\d -> d\d"):
        partition_graph(ring, "heft", parts=2)
    figures = partition_graph(ring, "metis", parts=2).objectives
    assert (figures.exec_time, figures.antichain, figures.total_data_movement) == (None, None, 2)


@pytest.fixture
def without_pymetis(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "pymetis" else find(name, *a)
    )


@pytest.mark.usefixtures("without_pymetis")
def test_without_pymetis_there_is_a_warning_and_still_a_division(template: ArrayTemplate) -> None:
    divided = partition_graph(template, parts=4, islands=2, max_load_imb=80, min_goal=1)
    assert divided.objectives.algo == "chunks"
    assert "pip install 'dlg[partition]'" in str(divided.warnings[0])
    assert divided.num_parts == 4


@dataclass(frozen=True, kw_only=True)
class EveryOther:
    """A partitioner of a third party."""

    name: ClassVar[str] = "every_other"
    offset: int = 0

    def divide(self, dag: Dag, parts: int | None) -> Division:
        return Division(((np.arange(dag.n) + self.offset) % 2).astype(np.int32), ("hello",))


@pytest.fixture
def third_party(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("every_other", f"{__name__}:EveryOther", "dlg.partitioners")
    monkeypatch.setattr(plugins, "_declared", lambda group: {"every_other": point})
    monkeypatch.setattr(plugins, "resolve", lambda target: EveryOther)


@pytest.mark.usefixtures("third_party")
def test_a_third_party_can_add_an_algorithm(template: ArrayTemplate) -> None:
    divided = partition_graph(template, "every_other", offset="1")
    assert divided.node_of[:3].tolist() == [1, 0, 1]
    assert divided.warnings[-1].message == "hello"
    assert cut_volume(divided.dag, divided.node_of) == divided.objectives.total_data_movement
