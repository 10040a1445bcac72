from __future__ import annotations

import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from dlg.exceptions import UsageError
from dlg.rpc import Address, Keys
from dlg_engine.managers.events import EventLinks
from dlg_engine.managers.news import News

PATIENCE_S = 20


def news(i: int) -> News:
    return News("night", str(i), "a", 2)


class Ear:
    """Takes news, and can be waited for."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.block = threading.Event()
        self.block.set()
        self._changed = threading.Condition()

    def __call__(self, fresh: list[News]) -> None:
        self.block.wait(PATIENCE_S)
        with self._changed:
            self.heard += [one.oid for one in fresh]
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[str]:
        with self._changed:
            self._changed.wait_for(lambda: len(self.heard) >= count, PATIENCE_S)
        return self.heard


class Relay:
    """A TCP connection between two nodes that can be cut."""

    def __init__(self, target: Address) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = Address("127.0.0.1", self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self._is_cut = False
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def cut(self) -> None:
        """Drop what is on its way, and refuse new connections until `mend`."""
        self._is_cut = True
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        for one in (self._listening, *self._open):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self._is_cut:
                    near.close()
                    continue
                self._open.append(near)
                far = socket.create_connection(self._target)
                self._open.append(far)
                for pair in ((near, far), (far, near)):
                    self._start(self._copy, *pair)

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)


Make = Callable[..., EventLinks]


@pytest.fixture
def addresses() -> dict[str, Address]:
    return {}


@pytest.fixture
def links(addresses: dict[str, Address]) -> Iterator[Make]:
    made: list[EventLinks] = []

    def make(node: str, ear: Any = lambda _: None, port: int = 0, **more: Any) -> EventLinks:
        found = EventLinks(
            node, Address("127.0.0.1", port), ear, where=addresses.__getitem__, **more
        )
        made.append(found)
        addresses.setdefault(node, found.address)
        return found

    yield make
    for one in made:
        one.close()


def numbers(count: int) -> list[str]:
    return [str(i) for i in range(count)]


def test_news_arrive_in_order(links: Make) -> None:
    ear = Ear()
    a, _ = links("a"), links("b", ear)
    for i in range(5000):
        a.tell("b", news(i))
    assert ear.wait_for(5000) == numbers(5000)


def test_news_for_a_node_that_comes_later_are_kept(
    links: Make, addresses: dict[str, Address]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        addresses["b"] = Address("127.0.0.1", free.getsockname()[1])
    ear, a = Ear(), links("a")
    for i in range(100):
        a.tell("b", news(i))
    links("b", ear, addresses["b"].port)
    assert ear.wait_for(100) == numbers(100)


def test_a_slow_node_gets_everything(links: Make) -> None:
    ear = Ear()
    a, _ = links("a"), links("b", ear)
    ear.block.clear()
    for i in range(30_000):
        a.tell("b", news(i))
    ear.block.set()
    assert ear.wait_for(30_000) == numbers(30_000)


def test_nothing_is_lost_or_taken_twice_when_the_line_is_cut(
    links: Make, addresses: dict[str, Address], request: pytest.FixtureRequest
) -> None:
    ear = Ear()
    a, b = links("a"), links("b", ear)
    relay = Relay(b.address)
    request.addfinalizer(relay.close)
    addresses["b"] = relay.address
    for round_ in range(3):
        for i in range(1000):
            a.tell("b", news(1000 * round_ + i))
        if round_ == 0:
            ear.wait_for(1)
        relay.cut()
        relay.mend()
    assert ear.wait_for(3000) == numbers(3000)


def test_a_node_that_started_anew_hears_what_is_told_then(
    links: Make, addresses: dict[str, Address]
) -> None:
    first, second = Ear(), Ear()
    a, b = links("a"), links("b", first)
    a.tell("b", news(0))
    first.wait_for(1)
    b._closing = True
    b._wake()
    b._thread.join(PATIENCE_S)
    links("b", second, addresses["b"].port)
    a.tell("b", news(1))
    assert second.wait_for(1) == ["1"]


@pytest.mark.parametrize(
    "junk", [b"", b"junk", pickle.dumps([1]), b"\x95\x01\x02\x03\x04\x05"], ids=repr
)
def test_what_is_no_message_is_dropped(links: Make, junk: bytes) -> None:
    import zmq

    ear = Ear()
    a, b = links("a"), links("b", ear)
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.linger = 0
        stranger.connect(f"tcp://127.0.0.1:{b.address.port}")
        stranger.send(junk)
        stranger.send_multipart([b"three", b"frames", junk])
        a.tell("b", news(0))
        assert ear.wait_for(1) == ["0"]


def test_with_keys_a_stranger_is_not_heard(links: Make) -> None:
    import zmq

    public, secret = zmq.curve_keypair()
    keys = Keys(public, secret, public)
    ear = Ear()
    links("b", ear, keys=keys)
    links("stranger").tell("b", news(7))
    links("a", keys=keys).tell("b", news(0))
    assert ear.wait_for(1) == ["0"]


def test_to_know_the_public_key_of_a_node_is_not_enough_to_be_heard(links: Make) -> None:
    import zmq

    public, secret = zmq.curve_keypair()
    own_public, own_secret = zmq.curve_keypair()
    keys, known = Keys(public, secret, public), Keys(own_public, own_secret, public)
    ear = Ear()
    links("b", ear, keys=keys)
    links("stranger", keys=known).tell("b", news(7))
    links("a", keys=keys).tell("b", news(0))
    assert ear.wait_for(1) == ["0"]
    assert ear.heard == ["0"]


def test_a_failing_listener_does_not_end_the_link(links: Make) -> None:
    ear = Ear()

    def fail_first(fresh: list[News]) -> None:
        first = not ear.heard
        ear(fresh)
        if first:
            raise ValueError("no")

    a, _ = links("a"), links("b", fail_first)
    a.tell("b", news(0))
    ear.wait_for(1)
    a.tell("b", news(1))
    assert ear.wait_for(2) == numbers(2)


def test_what_was_told_to_a_lost_node_is_forgotten(
    links: Make, addresses: dict[str, Address]
) -> None:
    ear = Ear()
    a, _ = links("a"), links("b", ear)
    addresses["gone"] = Address("127.0.0.1", 1)
    a.tell("gone", news(0))
    a.forget("gone")
    a.tell("b", news(1))
    assert ear.wait_for(1) == ["1"]
    assert list(a._lines) == ["b"]


def test_news_for_a_node_that_has_no_address_keep_nobody_else_waiting() -> None:
    ear = Ear()
    local = Address("127.0.0.1", 0)

    def where(node: str) -> Address:
        if node == "nobody":
            raise UsageError("'nobody' names no node")
        return b.address

    b = EventLinks("b", local, ear, where=where)
    a = EventLinks("a", local, ear, where=where)
    a.tell("nobody", news(7))
    a.tell("b", news(0))
    assert ear.wait_for(1) == ["0"]
    a.close()
    b.close()


def test_an_address_that_is_taken_is_refused(links: Make) -> None:
    a = links("a")
    with pytest.raises(UsageError, match="cannot listen for events at 127.0.0.1"):
        links("b", port=a.address.port)
