"""What every transport of calls must do, as tests.

class TestMine(TransportContract):
    @pytest.fixture
    def transport(self) -> Iterator[Transport]: ...
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dlg.exceptions import NoSessionException
from dlg.rpc import Address, Answerer, PackingError, Peer, PeerLostError, Serving, Transport
from dlg.rpc.failures import RemoteError
from dlg.rpc.messages import LARGEST

LOCAL = Address("127.0.0.1", 0)


class OddError(Exception):
    """An exception of a class that the caller's side does not know."""

    __module__ = "elsewhere"


class Methods:
    """What can be called in these tests."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.together = threading.Barrier(4)
        self.go_on = threading.Event()

    def echo(self, *args: Any, **kwargs: Any) -> Any:
        """Return what came."""
        self.calls.append(args)
        return [args, kwargs]

    def refuse(self, session_id: str) -> None:
        """Raise an error of ours."""
        raise NoSessionException(session_id)

    def be_odd(self) -> None:
        """Raise an error of another's."""
        raise OddError("odd")

    def leave(self) -> None:
        """Raise what would end a thread."""
        raise SystemExit(3)

    def meet(self) -> int:
        """Return when four are here at once."""
        return self.together.wait(10)

    def wait(self) -> bool:
        """Block until `go_on`."""
        return self.go_on.wait(10)

    def grow(self) -> bytes:
        """Return more than an answer may have."""
        return bytes(LARGEST + 1)

    def table(self) -> dict[str, Any]:
        """Return the table of methods."""
        names = ("echo", "refuse", "be_odd", "leave", "meet", "wait", "grow")
        return {name: getattr(self, name) for name in names}


class TransportContract:
    """Tests of a transport; a subclass gives the fixture `transport`."""

    @pytest.fixture
    def methods(self) -> Methods:
        """Return what can be called."""
        return Methods()

    @pytest.fixture
    def serving(self, transport: Transport, methods: Methods) -> Iterator[Serving]:
        """Serve the methods."""
        found = transport.serve(LOCAL, Answerer(methods.table()).answer)
        yield found
        found.close()

    @pytest.fixture
    def peer(self, transport: Transport, serving: Serving) -> Peer:
        """Return the server, to be called."""
        return Peer(transport, serving.address)

    def test_a_call_brings_back_what_the_method_returns(self, peer: Peer) -> None:
        """With names of arguments, tuples, and keys that are numbers."""
        assert peer.call("echo", 1, (2, 3), by={1: "one"}) == [(1, (2, 3)), {"by": {1: "one"}}]

    def test_an_error_of_ours_arrives_as_its_class_with_its_facts(self, peer: Peer) -> None:
        """The remote traceback is a note."""
        with pytest.raises(NoSessionException, match="no session 'night'") as caught:
            peer.call("refuse", "night")
        assert caught.value.session_id == "night"
        assert "in refuse" in caught.value.__notes__[0]

    def test_an_error_of_an_unknown_class_arrives_with_the_name_of_the_class(
        self, peer: Peer
    ) -> None:
        """A class that came from outside is not imported."""
        with pytest.raises(RemoteError, match="OddError: odd") as caught:
            peer.call("be_odd")
        assert caught.value.class_name.endswith(".OddError")

    def test_a_method_that_wants_to_leave_only_fails(self, peer: Peer) -> None:
        """The server goes on."""
        with pytest.raises(RemoteError, match="SystemExit"):
            peer.call("leave")
        assert peer.call("echo") == [(), {}]

    def test_what_cannot_be_sent_is_an_error_where_the_call_is_made(
        self, peer: Peer, methods: Methods
    ) -> None:
        """Nothing is called, and the next call is not harmed."""
        with pytest.raises(PackingError, match=r"argument 0: a builtins\.object cannot be sent"):
            peer.call("echo", object())
        assert peer.call("echo", 1) == [(1,), {}]
        assert methods.calls == [(1,)]

    def test_an_answer_that_is_too_large_is_told(self, peer: Peer) -> None:
        """And so is where such data belongs."""
        with pytest.raises(PackingError, match=r"the answer has 32 MiB.*pass such data between"):
            peer.call("grow")

    def test_methods_run_at_the_same_time(self, peer: Peer) -> None:
        """One that blocks keeps nobody else waiting."""
        waiting = [peer.submit("meet") for _ in range(4)]
        assert sorted(w.result(20) for w in waiting) == [0, 1, 2, 3]

    def test_a_peer_may_be_used_by_many_threads(self, peer: Peer) -> None:
        """All get their own answers."""
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: peer.call("echo", i)[0][0], range(80)))
        assert answers == list(range(80))

    def test_a_server_that_came_back_answers(
        self, transport: Transport, serving: Serving, peer: Peer, methods: Methods
    ) -> None:
        """At the same address, to a peer that knew the former one."""
        peer.call("echo", 1)
        serving.close()
        again = transport.serve(serving.address, Answerer(methods.table()).answer)
        try:
            assert peer.call("echo", 2) == [(2,), {}]
        finally:
            again.close()
        assert methods.calls == [(1,), (2,)]

    def test_an_address_that_is_taken_is_refused(
        self, transport: Transport, serving: Serving
    ) -> None:
        """With the address in the message."""
        with pytest.raises(PeerLostError, match=str(serving.address.port)):
            transport.serve(serving.address, bytes)
