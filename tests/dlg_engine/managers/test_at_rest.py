"""Sessions in which some drops wait in vain: found out without asking again and again."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg_engine.managers.at_rest import Counts, Rest, nothing_comes
from dlg_engine.sessions.states import SessionStates
from tests.dlg_engine.managers.conftest import Island, Master, Specs, app, data

ADD = "def add(x):\n    return x + 1"
NODES = "abc"


class World:
    """Nodes that wake each other by news, which take their time, and tell their rests."""

    def __init__(self, active: set[str]) -> None:
        self.active = active
        self.counts = {node: Counts() for node in NODES}
        self.on_the_way: list[tuple[str, str]] = []
        self.told: dict[str, Rest | None] = dict.fromkeys(NODES)

    @property
    def is_over(self) -> bool:
        return not self.active and not self.on_the_way

    def send(self, source: str, target: str) -> None:
        if source in self.active and source != target:
            self.counts[source].sent[target] += 1
            self.on_the_way.append((source, target))

    def deliver(self, which: int) -> None:
        if self.on_the_way:
            source, target = self.on_the_way.pop(which % len(self.on_the_way))
            self.counts[target].taken[source] += 1
            self.active.add(target)

    def tell(self, node: str) -> None:
        if node not in self.active:
            self.told[node] = self.counts[node].at_rest()


nodes = st.sampled_from(NODES)
steps = st.one_of(
    st.tuples(st.just("send"), nodes, nodes),
    st.tuples(st.just("deliver"), st.integers(0, 9)),
    st.tuples(st.just("rest"), nodes),
    st.tuples(st.just("tell"), nodes),
)


@given(st.sets(nodes), st.lists(steps, max_size=60))
def test_it_is_said_only_when_nothing_will_ever_come_and_always_when_all_have_told(
    active: set[str], done: list[tuple[str, ...]]
) -> None:
    world = World(set(active))
    for kind, *what in done:
        if kind == "rest":
            world.active.discard(what[0])
        else:
            getattr(world, kind)(*what)
        if nothing_comes(world.told):
            assert world.is_over
    world.active.clear()
    if not world.on_the_way:
        for node in NODES:
            world.tell(node)
        assert nothing_comes(world.told)


def test_later_rests_have_higher_numbers() -> None:
    counts = Counts()
    first = counts.at_rest()
    counts.taken["a"] += 1
    assert counts.at_rest().number > first.number
    assert first.taken == Counter()


def waits_in_vain(names: list[str]) -> Specs:
    one, two = names[0], names[-1]
    return [
        data("a", one, pydata=1, persist=True),
        app("f", ADD, two, inputs=["a"], outputs=["b"]),
        data("b", one, persist=True), data("root", two),
        app("g", ADD, one, inputs=["root"], outputs=["c"]), data("c", two),
    ]  # fmt: skip


@pytest.mark.parametrize("level", ["island", "master"])
def test_a_session_ends_when_what_waits_on_several_nodes_does_so_in_vain(
    level: str, request: pytest.FixtureRequest
) -> None:
    made: Island | Master = request.getfixturevalue(level)
    manager, names = made.manager, list(made.nodes)
    manager.create_session("night")
    manager.add_graph("night", waits_in_vain(names))
    manager.deploy_session("night", ["a"])
    assert manager.wait("night", 20), "it does not end"
    session = manager.session("night")
    assert session.state is SessionStates.FAILED
    assert f"on node {names[0]}, 1 drops wait for something that nobody does (g)" in (
        session.told_reason()
    )
    assert f"on node {names[-1]}, 2 drops wait" in session.told_reason()
    states = manager.graph_status("night")
    assert [states[oid]["status"] for oid in ("a", "f", "b", "root", "g", "c")] == [
        2, 2, 2, 0, 0, 0,
    ]  # fmt: skip


def test_what_goes_on_is_not_taken_for_waiting(island: Island) -> None:
    names = list(island.nodes)
    specs: Specs = [data("d0", names[0], pydata=0)]
    for i in range(200):
        place = names[i % len(names)]
        specs.append(app(f"a{i}", ADD, place, inputs=[f"d{i}"], outputs=[f"d{i + 1}"]))
        specs.append(data(f"d{i + 1}", place))
    island.manager.create_session("night")
    island.manager.add_graph("night", specs)
    island.manager.deploy_session("night")
    island.wait("night")
    assert island.manager.session("night").state is SessionStates.FINISHED
