from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.rpc import (
    Address,
    Answerer,
    InProcessTransport,
    Peer,
    Serving,
    ZeroRPCTransport,
)
from dlg_engine.managers.heartbeat import Heartbeat
from dlg_engine.managers.liveness import Liveness


def test_a_node_is_lost_once_and_after_the_limit() -> None:
    liveness = Liveness(6.0)
    liveness.watch("a", 0.0)
    assert [liveness.missing(t) for t in (6.0, 6.1, 7.0)] == [[], ["a"], []]


def test_a_lost_node_that_is_heard_of_has_returned() -> None:
    liveness = Liveness(6.0)
    liveness.watch("a", 0.0)
    liveness.missing(10.0)
    assert liveness.heard("a", 11.0)
    assert not liveness.heard("a", 12.0)
    assert liveness.missing(17.0) == []


@given(st.lists(st.tuples(st.sampled_from("hmf"), st.floats(0, 5)), max_size=40))
def test_a_node_that_is_forgotten_is_never_lost(steps: list[tuple[str, float]]) -> None:
    liveness, now, forgotten = Liveness(6.0), 0.0, False
    liveness.watch("a", now)
    for kind, passed in steps:
        now += passed
        if kind == "h":
            liveness.heard("a", now)
        elif kind == "f":
            liveness.forget("a")
            forgotten = True
        else:
            missing = liveness.missing(now)
            assert not (forgotten and missing)


def test_time_in_which_nobody_listened_does_not_count() -> None:
    liveness = Liveness(6.0)
    liveness.watch("a", 0.0)
    liveness.excuse(20.0)
    assert [liveness.missing(t) for t in (21.0, 26.1)] == [[], ["a"]]


LOST = "lost a: it has not answered for 0.1 s"


class Watched:
    """A node that can be taken away and brought back, and a heartbeat that watches it."""

    def __init__(self) -> None:
        self.transport = InProcessTransport()
        self.address = Address("here", 1)
        self.told: list[str] = []
        self.lives = ({"life": str(i)} for i in itertools.count())
        self.changed = threading.Condition()
        self.serving = self.serve()
        self.heartbeat = Heartbeat(
            lambda _: Peer(self.transport, self.address),
            lost=lambda name, why: self.tell(f"lost {name}: it {why}"),
            returned=lambda name: self.tell(f"returned {name}"),
            interval_s=0.01,
            limit_s=0.1,
        )
        self.heartbeat.watch("a")

    def serve(self) -> Serving:
        life = next(self.lives)
        return self.transport.serve(self.address, Answerer({"about": lambda: life}).answer)

    def tell(self, what: str) -> None:
        with self.changed:
            self.told.append(what)
            self.changed.notify_all()
        if what.startswith("lost"):
            raise RuntimeError("whoever is told may fail")

    def wait_for(self, count: int) -> list[str]:
        with self.changed:
            self.changed.wait_for(lambda: len(self.told) >= count, 20)
        return self.told


@pytest.fixture
def watched() -> Iterator[Watched]:
    found = Watched()
    yield found
    found.heartbeat.close()
    found.transport.close()


def test_a_node_that_does_not_answer_is_lost_and_taken_back_when_it_does(watched: Watched) -> None:
    watched.serving.close()
    assert watched.wait_for(1) == [LOST]
    watched.serving = watched.serve()
    assert watched.wait_for(2) == [LOST, "returned a"]


def test_a_node_that_was_started_anew_was_lost_though_it_always_answered(watched: Watched) -> None:
    peer = Peer(watched.transport, watched.address)
    watched.heartbeat.watch("a", peer.call("about"))
    watched.serving.close()
    watched.serving = watched.serve()
    assert watched.wait_for(2) == ["lost a: it was started anew", "returned a"]


def test_whoever_is_told_that_a_node_returned_may_call_it() -> None:
    """Calls are answered in a thread of their own, which must not wait for an answer itself."""
    transport = ZeroRPCTransport()
    serving = transport.serve(Address("127.0.0.1", 0), Answerer({"about": dict}).answer)
    peer, answered = Peer(transport, serving.address), threading.Event()

    def call(_name: str, _about: object = None) -> None:
        peer.call("about", timeout_s=5)
        answered.set()

    heartbeat = Heartbeat(
        lambda _: peer, lost=call, returned=call, heard=call, interval_s=0.01, limit_s=5
    )
    heartbeat.watch("a")
    assert answered.wait(20)
    heartbeat.close()
    serving.close()
    transport.close()
