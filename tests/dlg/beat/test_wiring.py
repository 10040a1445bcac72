"""The order of a toolchain's blocks, circles in it, and what is wrong with its wiring."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.wiring import Wiring, circle, dependencies, execution_order, problems, read_wiring

Declaration = dict[str, Any]
NAMES = st.integers(0, 9)


def drawn(edges: set[tuple[int, int]], count: int = 10) -> Declaration:
    """Return a toolchain with `count` blocks; an edge of a block is an input of its own."""
    inputs: dict[int, list[str]] = {index: [] for index in range(count)}
    connections = []
    for start, end in sorted(edges):
        inputs[end].append(f"i{start}")
        connections.append({"from": f"b{start}.o", "to": f"b{end}.i{start}", "channel": "d"})
    blocks = [
        {"name": f"b{index}", "synchronized_channel": "d", "inputs": names, "outputs": ["o"]}
        for index, names in inputs.items()
    ]
    return {
        "datasets": [{"name": "d", "outputs": ["o"]}],
        "blocks": blocks,
        "analyzers": [],
        "connections": connections,
        "representation": {"connections": {}, "blocks": {}, "channel_colors": {}},
    }


def by_going_round(wiring: Wiring) -> list[str]:
    """Return the order that comes of going through the declaration until nothing is taken."""
    needs = dependencies(wiring)
    taken: list[str] = []
    while True:
        before = len(taken)
        for name, sources in needs.items():
            if name not in taken and sources <= set(taken):
                taken.append(name)
        if len(taken) == before:
            return taken


@given(st.sets(st.tuples(NAMES, NAMES)))
def test_the_order_is_that_of_going_through_the_declaration_again_and_again(
    edges: set[tuple[int, int]],
) -> None:
    wiring = read_wiring(drawn(edges))
    assert list(execution_order(wiring)) == by_going_round(wiring)


@given(st.sets(st.tuples(NAMES, NAMES)))
def test_a_circle_is_found_exactly_where_the_order_is_not_whole(
    edges: set[tuple[int, int]],
) -> None:
    wiring = read_wiring(drawn(edges))
    around = circle(wiring)
    assert bool(around) == (len(execution_order(wiring)) < len(wiring.nodes) - 1)
    if around:
        needs = dependencies(wiring)
        assert around[0] == around[-1]
        assert all(before in needs[after] for before, after in pairwise(around))


def test_the_order_of_a_long_chain_takes_no_time() -> None:
    count = 20_000
    backwards = {(index + 1, index) for index in range(count - 1)}
    order = list(execution_order(read_wiring(drawn(backwards, count))))
    assert order == [f"b{index}" for index in reversed(range(count))]


def found(declaration: Declaration, compat: bool = False) -> list[str]:
    return list(problems(declaration, read_wiring(declaration), compat))


def test_a_block_that_waits_for_itself_is_refused_unless_the_existing_packages_are_asked() -> None:
    declaration = drawn({(0, 1), (1, 0)}, 2)
    assert found(declaration) == [
        "/connections: b0 -> b1 -> b0 is a circle: none of these can run first"
    ]
    assert not found(declaration, compat=True)


def test_each_mistake_in_the_wiring_is_told_with_its_place() -> None:
    declaration = drawn({(0, 1)}, 2)
    declaration["blocks"][0]["synchronized_channel"] = "e"
    declaration["blocks"][0]["inputs"] = ["lonely"]
    declaration["analyzers"] = [{"name": "b1", "synchronized_channel": "d", "inputs": ["x"]}]
    declaration["connections"] += [
        {"from": "b0.o", "to": "b1.i0", "channel": "d"},
        {"from": "b0.none", "to": "b1.none", "channel": "e"},
    ]
    declaration["representation"] = {
        "connections": {"b0.o/b9.i": []},
        "blocks": {"b9": {}},
        "channel_colors": {"b0": "#000000"},
    }
    assert found(declaration) == [
        "/analyzers/b1[#0]: the name is taken by /blocks/b1[#1] already",
        "/blocks/b0[#0]/synchronized_channel: invalid synchronization channel 'e'",
        "/connections/b0.o->b1.i0[#1]: ending on the same input as /connections/b0.o->b1.i0[#0] "
        "is unsupported",
        "/connections/b0.none->b1.none[#2]: invalid output endpoint 'b0.none'",
        "/connections/b0.none->b1.none[#2]: invalid input endpoint 'b1.none'",
        "/connections/b0.none->b1.none[#2]/channel: invalid synchronization channel 'e'",
        "input(s) `b0.lonely, b1.x' remain unconnected",
        "/representation/blocks/b9: not listed on /datasets, /blocks, /loops or /analyzers",
        "/representation/connections/b0.o/b9.i: not listed on /connections",
        "/representation/channel_colors/b0: not a dataset listed on /datasets",
    ]


def test_an_endpoint_that_both_parts_of_a_loop_have_is_refused() -> None:
    declaration = drawn(set(), 0)
    declaration["loops"] = [
        {
            "name": "l", "synchronized_channel": "d",
            "processor_inputs": ["x"], "processor_outputs": ["y"],
            "evaluator_inputs": ["x"], "evaluator_outputs": ["z"],
        }
    ]  # fmt: skip
    declaration["connections"] = [{"from": "d.o", "to": "l.x", "channel": "d"}]
    assert found(declaration) == ["/loops/l[#0]: both parts have the input(s) x"]
