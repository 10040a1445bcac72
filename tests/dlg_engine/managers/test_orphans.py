from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.exceptions import NoSessionException
from dlg.rpc import InProcessTransport, Peer
from dlg_engine.managers.addresses import NodeAddress
from dlg_engine.managers.node import Node
from dlg_engine.managers.orphans import Orphans
from dlg_engine.runners import make_runner
from dlg_engine.sessions.states import SessionStates


class World:
    """Sessions, and which of them are given up."""

    def __init__(self, limit_s: float) -> None:
        self.states = {"night": SessionStates.RUNNING}
        self.given_up: queue.Queue[tuple[str, str]] = queue.Queue()
        self.orphans = Orphans(self.state_of, lambda *what: self.given_up.put(what), limit_s)

    def state_of(self, session_id: str) -> SessionStates:
        try:
            return self.states[session_id]
        except KeyError:
            raise NoSessionException(session_id) from None


@pytest.fixture
def world() -> Iterator[World]:
    found = World(0.1)
    yield found
    found.orphans.close()


def test_sessions_are_given_up_when_nobody_above_is_heard_of_for_long(world: World) -> None:
    world.orphans.watch("night")
    assert world.given_up.get(timeout=20) == (
        "night", "no manager above has been heard of for 0.1 s",
    )  # fmt: skip


@pytest.mark.parametrize("state", [SessionStates.FINISHED, None])
def test_those_that_are_over_or_gone_are_left_alone(
    world: World, state: SessionStates | None
) -> None:
    world.states["over"] = SessionStates.FINISHED
    if state is None:
        del world.states["over"]
    world.orphans.watch("over")
    world.orphans.watch("night")
    assert world.given_up.get(timeout=20)[0] == "night"
    assert world.given_up.empty()


def test_whoever_is_heard_of_keeps_his_sessions() -> None:
    world = World(3600.0)
    world.orphans.watch("night")
    world.orphans.heard()
    world.orphans.close()
    assert world.given_up.empty()


def test_a_node_gives_up_what_came_from_above_and_not_what_it_was_given_itself(
    tmp_path: Path,
) -> None:
    transport = InProcessTransport()
    address = NodeAddress("127.0.0.1", 8000, 0, 0)
    runner = make_runner("threads", 1)
    node = Node(address, tmp_path, runner, transport)
    node.orphans.limit_s = 0.2
    node.manager.create_session("own")
    session = node.manager.session
    Peer(transport, node.address.rpc).call("create_session", "theirs")
    over = queue.Queue[None]()
    session("theirs").bell.when(
        lambda: over.put(None), lambda: session("theirs").settled, steps_only=True
    )
    over.get(timeout=20)
    assert session("theirs").state is SessionStates.CANCELLED
    assert session("own").state is SessionStates.PRISTINE
    node.shutdown()
    transport.close()
