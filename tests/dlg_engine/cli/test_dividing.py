from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import InvalidGraphException, UsageError
from dlg.testing import graphs
from dlg_engine.cli.dividing import Place, assign, place
from dlg_translator.partition.written import WrittenTemplate

NODES = [Place(f"127.0.0.1:{port}:5555:6666", "island") for port in (8000, 8010, 8020)]


def on(*nodes: str, count: int = 3) -> list[dict[str, Any]]:
    specs = graphs.chain(count)
    return [{**spec, "node": nodes[k % len(nodes)]} for k, spec in enumerate(specs)]


def nodes_of(specs: Any) -> list[str]:
    return [str(spec["node"]) for spec in specs]


def test_a_graph_without_nodes_is_divided_over_all_of_them() -> None:
    placed = place(WrittenTemplate(graphs.chain(30)), NODES)
    assert set(nodes_of(placed.specs)) == {one.node for one in NODES}
    assert placed.nodes == Counter(nodes_of(placed.specs))


def test_a_graph_smaller_than_the_cluster_uses_as_many_nodes_as_it_has_drops() -> None:
    placed = place(WrittenTemplate([graphs.data("only")]), NODES)
    assert list(placed.nodes.values()) == [1]


def test_a_graph_that_is_mapped_to_nodes_of_the_manager_stays_as_it_is() -> None:
    names = [NODES[2].node, NODES[0].node]
    placed = place(WrittenTemplate(on(*names)), NODES)
    assert nodes_of(placed.specs) == nodes_of(on(*names))


def test_parts_that_have_numbers_only_stay_together() -> None:
    specs = on("#1", "#0", "#0")
    found = nodes_of(place(WrittenTemplate(specs), NODES).specs)
    together = {spec["node"]: set() for spec in specs}  # type: ignore[var-annotated]
    for spec, node in zip(specs, found, strict=True):
        together[spec["node"]].add(node)
    assert [len(nodes) for nodes in together.values()] == [1, 1]
    assert len(set(found)) == 2


def test_a_graph_that_is_mapped_to_strange_nodes_is_refused_with_a_cure() -> None:
    with pytest.raises(UsageError, match="elsewhere.*--algorithm metis divides it"):
        place(WrittenTemplate(on("elsewhere:8000")), NODES)


def test_more_parts_than_nodes_are_refused_with_a_cure() -> None:
    template = WrittenTemplate(on("#0", "#1", "#2", "#3"))
    with pytest.raises(UsageError, match="4 parts and the manager 3 nodes.*--algorithm"):
        place(template, NODES)


def test_naming_an_algorithm_divides_anew() -> None:
    placed = place(WrittenTemplate(on("elsewhere:8000", count=20)), NODES, "metis")
    assert set(nodes_of(placed.specs)) == {one.node for one in NODES}


def test_nodes_for_some_drops_only_are_refused() -> None:
    specs = [*graphs.chain(2)]
    specs[0] = {**specs[0], "node": NODES[0].node}
    with pytest.raises(InvalidGraphException, match="has no node, others have"):
        place(WrittenTemplate(specs), NODES)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 4))
def test_every_part_gets_a_node_of_its_own(parts: list[int], islands: int) -> None:
    places = [Place(f"n{k}", f"i{k % islands}") for k in range(len(parts))]
    assert sorted(assign(parts, places)) == sorted(places)


def test_parts_of_an_island_go_to_one_island() -> None:
    places = [Place(f"n{k}", "a" if k < 2 else "b") for k in range(4)]
    chosen = assign([0, 1, 0, 1], places)
    assert chosen[0].island == chosen[2].island
    assert chosen[1].island == chosen[3].island
    assert chosen[0].island != chosen[1].island
