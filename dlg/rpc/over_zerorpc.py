"""Calls over zerorpc, whose every oddity stays in here.

What passes through zerorpc is one argument and one result, both bytes packed by us. Its heartbeat
is off: it goes by the wall clock, and takes a handler that blocks for a dead one. Its timeout is
ours. Every object of it lives in the thread of `hub`.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from typing import Any

from dlg.rpc.contract import Address, Answering, CallTimeoutError, Keys, PeerLostError
from dlg.rpc.curve import ZAP, secure, verdict
from dlg.rpc.guard import METHOD, guard
from dlg.rpc.hub import Hub, the_hub

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 10.0
_STRANGER = (
    "or has the file of a cluster, which is not used here",
    "or does not have the same file of the cluster",
)
"""What else it may be: an end that cannot show the right key is never answered."""
REBIND_S = 1.0
"""How long a port may still be taken by a server that was closed: ZeroMQ closes in a thread."""


class ZeroRPCTransport:
    """The transport between processes; with `keys` everything is encrypted and authenticated."""

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys
        self._hub = the_hub()
        self._clients: dict[Address, Any] = {}  # touched in the hub's thread only

    def serve(self, address: Address, answer: Answering) -> ZeroRPCServing:
        """Listen at an address; raise PeerLostError if it is in use or not of this host."""
        return ZeroRPCServing(self._hub, address, answer, self._keys)

    def send(self, address: Address, packed: bytes, timeout_s: float) -> Future[bytes]:
        """Carry a call; connections are made when needed and mended by ZeroMQ."""
        return self._hub.submit(lambda: self._call(address, packed, timeout_s))

    def forget(self, address: Address) -> None:
        """Close the connection to an address, if there is one."""
        self._hub.submit(lambda: self._close(address)).result(CLOSE_TIMEOUT_S)

    def close(self) -> None:
        """Close all connections. Servers are closed by themselves."""

        def close_all() -> None:
            for address in list(self._clients):
                self._close(address)

        self._hub.submit(close_all).result(CLOSE_TIMEOUT_S)

    # -- in the hub's thread ------------------------------------------------------------------

    def _call(self, address: Address, packed: bytes, timeout_s: float) -> bytes:
        import zerorpc  # noqa: PLC0415  slow to import, and only with its hub

        self._hub.refresh_clock()
        try:
            answer = self._client(address)(METHOD, packed, timeout=timeout_s)
        except zerorpc.TimeoutExpired:
            raise CallTimeoutError(
                f"{address} did not answer within {timeout_s:.3g} s: it is busy or gone, "
                f"{_STRANGER[self._keys is not None]}"
            ) from None
        except (zerorpc.LostRemote, zerorpc.RemoteError) as error:
            raise PeerLostError(f"{address} went away during a call: {error}") from error
        return bytes(answer)

    def _client(self, address: Address) -> Any:
        import zerorpc  # noqa: PLC0415  as above

        client = self._clients.get(address)
        if client is None:
            client = zerorpc.Client(heartbeat=None, timeout=None)
            if self._keys is not None:
                secure(_socket(client), self._keys, serving=False)
            client.connect(f"tcp://{_bracketed(address.host)}:{address.port}")
            self._clients[address] = client
        return client

    def _close(self, address: Address) -> None:
        client = self._clients.pop(address, None)
        if client is not None:
            client.close()


class ZeroRPCServing:
    """A zerorpc server with a single method, which takes and returns bytes."""

    def __init__(self, hub: Hub, address: Address, answer: Answering, keys: Keys | None) -> None:
        self._hub = hub
        self._answer = answer
        self._server: Any = None
        try:
            self.address: Address = hub.submit(lambda: self._bind(address, keys)).result()
        except _zmq_error() as error:
            raise PeerLostError(f"cannot listen at {address}: {error}") from error
        hub.submit(self._run).add_done_callback(_tell)

    def close(self) -> None:
        """Stop listening."""
        self._hub.submit(self._server.close).result(CLOSE_TIMEOUT_S)

    def _bind(self, address: Address, keys: Keys | None) -> Address:
        import zerorpc  # noqa: PLC0415  as above

        methods = {METHOD: lambda packed: self._hub.in_thread(self._answer, packed)}
        self._server = zerorpc.Server(methods, heartbeat=None)
        guard(self._server, _zmq_error())
        if keys is not None:
            _keep_gate(self._hub)
            secure(_socket(self._server), keys, serving=True)
        self._hub.retry(
            lambda: self._server.bind(f"tcp://{_bracketed(address.host)}:{address.port or '*'}"),
            _zmq_error(),
            REBIND_S,
        )
        bound = self._last_endpoint().rpartition(":")[2]
        return Address(address.host, int(bound))

    def _run(self) -> None:
        self._server.run()

    def _last_endpoint(self) -> str:
        import zmq  # noqa: PLC0415  as above

        endpoint = _socket(self._server).getsockopt(zmq.LAST_ENDPOINT)
        return str(endpoint.rstrip(b"\0").decode())


def _keep_gate(hub: Hub) -> None:
    """See to it that somebody tells ZeroMQ whom to let in, for as long as the process lives."""
    import zerorpc  # noqa: PLC0415  as above
    import zmq  # noqa: PLC0415  as above

    asked = zerorpc.Context.get_instance().socket(zmq.REP)
    try:
        asked.bind(ZAP)
    except zmq.ZMQError:  # another server has seen to it
        asked.close()
        return
    hub.submit(lambda: _answer_at_gate(asked))


def _answer_at_gate(asked: Any) -> None:
    while True:
        asked.send_multipart(verdict(asked.recv_multipart()))


def _socket(end: Any) -> Any:
    return end._events._socket  # noqa: SLF001  zerorpc has no other way


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _zmq_error() -> type[Exception]:
    import zmq  # noqa: PLC0415  as above

    found: type[Exception] = zmq.ZMQError
    return found


def _tell(ended: Future[Any]) -> None:
    error = ended.exception()
    if error is not None:
        logger.error("a server for calls ended: %s", error, extra={"action": "rpc-ended"})
