"""Nodes that are lost for a while: what they are told later, and who does not wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from dlg.ddap_protocol import DROPStates
from dlg.rpc import Address, Answerer, InProcessTransport, Peer, PeerLostError
from dlg_engine.managers.children import Children
from dlg_engine.managers.inspecting import inspect, logs_of_nodes
from dlg_engine.sessions.states import SessionStates
from tests.dlg_engine.managers.conftest import Island, Master, app, data

ADD = "def add(x):\n    return x + 1"


class Below:
    """A manager below that can be taken away, and notes what it is told."""

    def __init__(self) -> None:
        self.transport, self.address = InProcessTransport(), Address("a", 1)
        self.told: list[str] = []
        self.held = threading.Event()
        self.children = Children(lambda _: Peer(self.transport, self.address))
        self.serving = self.serve()

    def serve(self) -> object:
        methods: dict[str, Callable[..., object]] = {
            "tell": self.told.append,
            "hold": lambda: self.held.wait(20),
        }
        return self.transport.serve(self.address, Answerer(methods).answer)


@pytest.fixture
def below() -> Iterator[Below]:
    found = Below()
    yield found
    found.held.set()
    found.transport.close()


def test_who_could_not_be_told_something_is_told_when_he_is_heard_of_once(below: Below) -> None:
    below.children.owe("a", ("tell", "night is over"))
    below.children.owe("a", ("tell", "night is over"))
    assert below.told == []
    below.children.settle("a")
    below.children.settle("a")
    assert below.told == ["night is over"]


def test_what_cannot_be_told_at_once_is_owed() -> None:
    transport = InProcessTransport()
    address, told = Address("a", 1), list[str]()
    children = Children(lambda _: Peer(transport, address))
    children.order([("a", ("tell", "night is over"))])
    transport.serve(address, Answerer({"tell": told.append}).answer)
    children.settle("a")
    assert told == ["night is over"]
    transport.close()


def test_who_will_not_be_called_any_more_is_owed_nothing(below: Below) -> None:
    below.children.owe("a", ("tell", "night is over"))
    below.children.forget("a")
    below.children.settle("a")
    assert below.told == []


def test_nobody_waits_for_the_answer_of_one_who_is_lost(below: Below) -> None:
    call = below.children.call("a", "hold")
    below.children.give_up("a")
    with pytest.raises(PeerLostError, match="a was lost during a call"):
        call.result(20)


def test_a_node_that_came_after_a_session_was_made_takes_part_in_it(island: Island) -> None:
    island.manager.create_session("night")
    late = island.add().name
    first = next(iter(island.nodes))
    island.manager.add_graph("night", [
        data("a", first, pydata=1), app("f", ADD, late, inputs=["a"], outputs=["b"]),
        data("b", first),
    ])  # fmt: skip
    island.manager.deploy_session("night")
    island.wait("night")
    assert island.manager.session("night").state is SessionStates.FINISHED


def test_what_only_a_lost_node_knew_is_not_waited_for(island: Island) -> None:
    manager, (one, two, _) = island.manager, list(island.nodes)
    manager.create_session("night")
    manager.add_graph("night", [
        data("a", one, pydata=1), app("f", ADD, two, inputs=["a"], outputs=["b"]), data("b", two),
    ])  # fmt: skip
    manager.deploy_session("night")
    island.wait("night")
    manager.losses.lose([two], "does not answer")
    with pytest.raises(PeerLostError, match=f"node {two} is lost"):
        inspect(manager, two, "drop_state", "night", "b")
    assert inspect(manager, one, "drop_state", "night", "a")["error"] is None
    told = {line["node"]: line["message"] for line in logs_of_nodes(manager, "night")}
    assert told[two] == "the log of this node cannot be had: it is lost"


def test_news_of_a_node_that_returned_change_nothing_in_a_session_that_was_given_up(
    island: Island,
) -> None:
    manager, (one, two, _) = island.manager, list(island.nodes)
    gate = threading.Event()
    GATES["night"] = gate
    wait = f"def f(x):\n    from {__name__} import GATES\n    return GATES['night'].wait(20)"
    manager.create_session("night")
    manager.add_graph("night", [
        data("a", two, pydata=1), app("f", wait, two, inputs=["a"], outputs=["b"]),
        data("b", two), app("g", ADD, one, inputs=["b"], outputs=["c"]), data("c", one),
    ])  # fmt: skip
    manager.deploy_session("night")
    manager.losses.lose([two], "does not answer")
    assert manager.session("night").state is SessionStates.FAILED
    assert manager.wait("night", 20)
    before = manager.graph_status("night")
    assert {before[oid]["status"] for oid in "fb"} == {DROPStates.ERROR}
    gate.set()
    assert island.nodes[two].manager.wait("night", 20)
    assert manager.graph_status("night") == before
    reason = manager.session("night").told_reason()
    assert "lost with it: 3 drops (a, f, b)" in reason
    assert reason.count("does not answer") == 1


def test_a_node_that_came_to_an_island_later_takes_part_in_a_session_of_the_master(
    master: Master,
) -> None:
    first, second = master.islands
    master.manager.create_session("night")
    late = first.add().name
    master.manager.roster.add(late, next(iter(master.peers)))
    there = next(iter(second.nodes))
    master.manager.add_graph("night", [
        data("a", there, pydata=1), app("f", ADD, late, inputs=["a"], outputs=["b"]),
        data("b", there),
    ])  # fmt: skip
    master.manager.deploy_session("night")
    assert master.manager.wait("night", 20)
    assert master.manager.session("night").state is SessionStates.FINISHED


GATES: dict[str, threading.Event] = {}
