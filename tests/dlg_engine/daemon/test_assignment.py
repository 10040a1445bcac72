from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dlg_engine.daemon.assignment import assign

A, B = "a:8001:5555:40001", "b:8001:5555:40001"


def node(host: str, port: int = 8000) -> str:
    return f"{host}:{port}:5555:6666"


def test_the_only_island_gets_all_nodes() -> None:
    assert assign([node("x"), node("y")], [A], {}) == {node("x"): A, node("y"): A}


def test_without_an_island_nodes_have_none() -> None:
    assert assign([node("x")], [], {node("x"): A}) == {}


def test_a_node_goes_to_the_island_of_its_host() -> None:
    assert assign([node("b", 1), node("b", 2), node("a")], [A, B], {}) == {
        node("b", 1): B, node("b", 2): B, node("a"): A,
    }  # fmt: skip


def test_others_go_where_the_fewest_are() -> None:
    found = assign([node("a"), node("x"), node("y"), node("z")], [B, A], {})
    assert found[node("x")] == B
    assert Counter(found.values()) == {A: 2, B: 2}


def test_a_node_stays_where_it_is_and_is_moved_when_its_island_goes() -> None:
    now = {node("x"): A, node("y"): A}
    assert assign([node("x"), node("y")], [A, B], now) == now
    assert assign([node("x"), node("y")], [B], now) == {node("x"): B, node("y"): B}


HOSTS = st.sampled_from("abcdef")
NODES = st.lists(st.builds(node, HOSTS, st.integers(1, 9)), unique=True, max_size=12)
ISLANDS = st.lists(st.sampled_from([A, B, "c:8001:1:1"]), unique=True)


@given(NODES, ISLANDS, st.randoms(use_true_random=False), st.data())
def test_the_order_does_not_matter_and_nobody_moves_without_need(
    nodes: list[str], islands: list[str], random: object, data: st.DataObject
) -> None:
    present = data.draw(st.lists(st.sampled_from(nodes), unique=True)) if nodes else []
    before = assign(present, islands, {})
    found = assign(nodes, islands, before)
    assert found == assign(data.draw(st.permutations(nodes)), islands[::-1], before)
    assert set(found) == (set(nodes) if islands else set())
    assert all(found[one] == island for one, island in before.items())
