from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from dlg.rpc import (
    Address,
    Answerer,
    CallTimeoutError,
    InProcessTransport,
    Keys,
    Peer,
    PeerLostError,
    Transport,
    ZeroRPCTransport,
)
from dlg.testing.transport_contract import LOCAL, Methods, TransportContract

SERVER = """
import sys, threading
from dlg.rpc import Address, Answerer, ZeroRPCTransport
done = []
methods = {"add": lambda x: done.append(x) or len(done), "done": lambda: list(done)}
address = Address("127.0.0.1", int(sys.argv[1]))
serving = ZeroRPCTransport().serve(address, Answerer(methods).answer)
print(serving.address.port, flush=True)
sys.stdin.read()
"""


class TestInProcess(TransportContract):
    @pytest.fixture
    def transport(self) -> Iterator[Transport]:
        found = InProcessTransport()
        yield found
        found.close()

    def test_an_address_where_nobody_is_is_told(self, transport: Transport) -> None:
        with pytest.raises(PeerLostError, match="nobody answers at 127.0.0.1:9"):
            Peer(transport, Address("127.0.0.1", 9)).call("echo")


class TestZeroRPC(TransportContract):
    @pytest.fixture
    def transport(self) -> Iterator[Transport]:
        found = ZeroRPCTransport()
        yield found
        found.close()

    def test_a_method_that_takes_too_long_is_not_waited_for(
        self, peer: Peer, methods: Methods
    ) -> None:
        peer.call("echo")
        with pytest.raises(CallTimeoutError, match="did not answer within"):
            peer.call("wait", timeout_s=0.2)
        methods.go_on.set()
        assert peer.call("echo") == [(), {}]

    def test_a_call_that_was_given_up_does_not_harm_the_next(self, peer: Peer) -> None:
        for _ in range(3):
            with pytest.raises(CallTimeoutError):
                peer.call("meet", timeout_s=0.05)
        assert peer.call("echo") == [(), {}]


@contextmanager
def served(port: int = 0) -> Iterator[tuple[Address, subprocess.Popen[str]]]:
    """A server in a process of its own."""
    command = [sys.executable, "-c", SERVER, str(port)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        yield Address("127.0.0.1", int(process.stdout.readline())), process
        process.kill()


@pytest.fixture
def transport() -> Iterator[Transport]:
    found = ZeroRPCTransport()
    yield found
    found.close()


def test_what_was_called_while_a_server_was_away_is_not_done_when_it_is_back(
    transport: Transport,
) -> None:
    with served() as (address, process):
        peer = Peer(transport, address)
        assert peer.call("add", "before") == 1
        process.kill()
        process.wait(10)
        for _ in range(3):
            with pytest.raises(CallTimeoutError):
                peer.call("add", "ghost", timeout_s=0.1)
    with served(address.port):
        assert peer.call("add", "after") == 1
        assert peer.call("done") == ["after"]


def test_what_was_called_while_a_server_was_frozen_is_not_done_when_it_goes_on(
    transport: Transport,
) -> None:
    with served() as (address, process):
        peer = Peer(transport, address)
        peer.call("add", "before")
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(CallTimeoutError):
            peer.call("add", "ghost", timeout_s=0.1)
        os.kill(process.pid, signal.SIGCONT)
        assert peer.call("done") == ["before"]


def test_the_clock_of_the_wall_does_not_matter(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump = [0.0]
    real = __import__("time").time
    monkeypatch.setattr("time.time", lambda: real() + jump[0])
    methods = Methods()
    serving = transport.serve(LOCAL, Answerer(methods.table()).answer)
    peer = Peer(transport, serving.address)
    peer.call("echo")
    waiting: Future[bool] = peer.submit("wait")
    jump[0] = 3600.0
    assert peer.call("echo") == [(), {}]
    methods.go_on.set()
    assert waiting.result(20) is True
    serving.close()


def _keys() -> tuple[Keys, Keys]:
    """Return the keys of a cluster, and those of a stranger."""
    import zmq

    server_public, server_secret = zmq.curve_keypair()
    public, secret = zmq.curve_keypair()
    own = Keys(server_public, server_secret, server_public)
    return own, Keys(public, secret, public)


def test_with_keys_only_those_who_know_the_server_are_answered() -> None:
    cluster, stranger = _keys()
    inside, outside, plain = (
        ZeroRPCTransport(cluster),
        ZeroRPCTransport(stranger),
        ZeroRPCTransport(),
    )
    serving = inside.serve(LOCAL, Answerer({"echo": lambda x: x}).answer)
    try:
        assert Peer(inside, serving.address).call("echo", 1) == 1
        for other in (outside, plain):
            with pytest.raises(CallTimeoutError):
                Peer(other, serving.address).call("echo", 1, timeout_s=0.3)
    finally:
        serving.close()
        for one in (inside, outside, plain):
            one.close()


def test_nothing_is_patched_by_importing_or_by_calling(transport: Transport) -> None:
    import gevent.monkey

    serving = transport.serve(LOCAL, Answerer({"thread": threading.get_ident}).answer)
    assert Peer(transport, serving.address).call("thread") != threading.get_ident()
    serving.close()
    assert not gevent.monkey.is_anything_patched()


def test_importing_the_front_door_does_not_load_zerorpc() -> None:
    script = "import dlg.rpc, sys; sys.exit(bool({'zerorpc', 'gevent', 'zmq'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
