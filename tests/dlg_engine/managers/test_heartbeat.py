from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.rpc import Address, Answerer, InProcessTransport, Peer, Serving
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


class Watched:
    """A node that can be taken away and brought back, and a heartbeat that watches it."""

    def __init__(self) -> None:
        self.transport = InProcessTransport()
        self.address = Address("here", 1)
        self.told: list[str] = []
        self.changed = threading.Condition()
        self.serving = self.serve()
        self.heartbeat = Heartbeat(
            lambda _: Peer(self.transport, self.address),
            lost=lambda name: self.tell(f"lost {name}"),
            returned=lambda name: self.tell(f"returned {name}"),
            interval_s=0.01,
            limit_s=0.1,
        )
        self.heartbeat.watch("a")

    def serve(self) -> Serving:
        return self.transport.serve(self.address, Answerer({"about": dict}).answer)

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
    assert watched.wait_for(1) == ["lost a"]
    watched.serving = watched.serve()
    assert watched.wait_for(2) == ["lost a", "returned a"]
