"""A drop of another node, as an object; and the clients and servers of the published interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from dlg.rpc.answering import Answerer
from dlg.rpc.calling import DEFAULT_TIMEOUT_S, Peer
from dlg.rpc.contract import Address, Keys, Serving, Transport
from dlg.rpc.over_zerorpc import ZeroRPCTransport

PROPERTIES = frozenset(
    {
        "checksum", "checksumType", "dataURL", "execStatus", "name", "node", "persist", "phase",
        "size", "status",
    }
)  # fmt: skip
"""What can be asked of a drop of another node."""

CALLS = frozenset(
    {
        "cancel", "close", "dataWritten", "delete", "dropCompleted", "execute", "exists",
        "isBeingRead", "isCompleted", "open", "producerFinished", "read", "setCompleted",
        "setError", "skip",
    }
)  # fmt: skip
"""What a drop of another node can be told to do."""

LINKS = frozenset(
    {"children", "consumers", "inputs", "outputs", "producers", "streamingConsumers",
     "streamingInputs"}
)  # fmt: skip
"""The links of a drop are known where it is: seen from elsewhere there are none."""


class DropSource(Protocol):
    """What a proxy needs of a client."""

    def get_drop_property(
        self, hostname: str, port: int, session_id: str, uid: str, name: str
    ) -> Any:
        """Return a property of a drop there."""

    def call_drop(
        self, hostname: str, port: int, session_id: str, uid: str, method: str, *args: Any
    ) -> Any:
        """Call a method of a drop there."""


class DropProxy:
    """A drop of a session on another node.

    Its properties and methods are those of `PROPERTIES` and `CALLS`; anything else is an
    AttributeError here, without a call.
    """

    def __init__(
        self, rpc_client: DropSource, hostname: str, port: int, sessionId: str, uid: str
    ) -> None:
        self.rpc_client, self.hostname, self.port = rpc_client, hostname, port
        self.session_id = self.sessionId = sessionId
        self.uid = self.oid = uid

    def __getattr__(self, name: str) -> Any:
        where = (self.hostname, self.port, self.session_id, self.uid)
        if name in PROPERTIES:
            return self.rpc_client.get_drop_property(*where, name)
        if name in CALLS:
            return _RemoteMethod(self.rpc_client, where, name)
        if name in LINKS:
            return []
        raise AttributeError(f"a drop of another node has no {name!r}", name=name, obj=self)

    def __repr__(self) -> str:
        return f"<DropProxy {self.uid} of session {self.session_id} on {self.hostname}>"


class _RemoteMethod:
    """A method of a drop of another node."""

    def __init__(self, client: DropSource, where: tuple[str, int, str, str], name: str) -> None:
        self._client, self._where, self._name = client, where, name

    def __call__(self, *args: Any) -> Any:
        return self._client.call_drop(*self._where, self._name, *args)


class RPCObject:
    """Something that is started and shut down; parts of one object do so one after the other."""

    def start(self) -> None:
        """Begin to serve, or to call."""

    def shutdown(self) -> None:
        """End it and close what is open."""


class RPCServerBase(RPCObject):
    """A server for calls; a subclass says which methods it offers."""

    def __init__(self, host: str, port: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._rpc_address = Address(host, port)

    def rpc_methods(self) -> Mapping[str, Callable[..., Any]]:
        """Return the methods that can be called from outside: these and no others."""
        return {}


class RPCClientBase(RPCObject):
    """A client that reaches drops of other nodes."""

    def get_drop_property(
        self, hostname: str, port: int, session_id: str, uid: str, name: str
    ) -> Any:
        """Return a property of a drop there."""
        raise NotImplementedError

    def call_drop(
        self, hostname: str, port: int, session_id: str, uid: str, method: str, *args: Any
    ) -> Any:
        """Call a method of a drop there."""
        raise NotImplementedError


class ZeroRPCServer(RPCServerBase):
    """Serves calls over zerorpc, or over another transport if one is given."""

    def __init__(
        self, host: str, port: int, transport: Transport | None = None, **kwargs: Any
    ) -> None:
        super().__init__(host, port, **kwargs)
        self._serving_transport = transport
        self._serving: Serving | None = None

    @property
    def rpc_address(self) -> Address:
        """Return where calls are served."""
        return self._serving.address if self._serving else self._rpc_address

    def start(self) -> None:
        """Listen; raise PeerLostError if the address cannot be had."""
        super().start()
        transport = self._serving_transport or ZeroRPCTransport()
        answerer = Answerer(self.rpc_methods())
        self._serving = transport.serve(self._rpc_address, answerer.answer)

    def shutdown(self) -> None:
        """Stop listening."""
        if self._serving is not None:
            self._serving.close()
            self._serving = None
        super().shutdown()


class ZeroRPCClient(RPCClientBase):
    """Calls other nodes over zerorpc, or over another transport if one is given."""

    class request(NamedTuple):  # noqa: N801  the interface's name
        """A call, as it waits to be sent."""

        method: str
        args: tuple[Any, ...]
        queue: Any

    class response(NamedTuple):  # noqa: N801  the interface's name
        """What came of a call."""

        value: Any
        is_exception: bool

    def __init__(
        self,
        *args: Any,
        keys: Keys | None = None,
        client_transport: Transport | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._calling_transport = client_transport
        self._keys, self._timeout_s = keys, timeout_s
        self._peers: dict[Address, Peer] = {}

    def peer(self, hostname: str, port: int) -> Peer:
        """Return the other side at an address, to be called."""
        address = Address(hostname, int(port))
        found = self._peers.get(address)
        if found is None:
            if self._calling_transport is None:
                self._calling_transport = ZeroRPCTransport(self._keys)
            found = self._peers.setdefault(address, Peer(self._calling_transport, address))
        return found

    def get_drop_attribute(
        self, hostname: str, port: int, session_id: str, uid: str, name: str
    ) -> Any:
        """Return a property of a drop there, or a function that calls its method."""
        return getattr(DropProxy(self, hostname, port, session_id, uid), name)

    def get_drop_property(
        self, hostname: str, port: int, session_id: str, uid: str, name: str
    ) -> Any:
        """Return a property of a drop there."""
        return self.peer(hostname, port).call(
            "get_drop_property", session_id, uid, name, timeout_s=self._timeout_s
        )

    def call_drop(
        self, hostname: str, port: int, session_id: str, uid: str, method: str, *args: Any
    ) -> Any:
        """Call a method of a drop there."""
        return self.peer(hostname, port).call(
            "call_drop", session_id, uid, method, *args, timeout_s=self._timeout_s
        )

    def shutdown(self) -> None:
        """Close the connections that were made here."""
        self._peers.clear()
        if self._calling_transport is not None:
            self._calling_transport.close()
            self._calling_transport = None
        super().shutdown()


RPCClient = ZeroRPCClient
RPCServer = ZeroRPCServer
