from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from dlg.exceptions import NoDropException
from dlg.rpc import DropProxy, InProcessTransport, RPCClient, RPCServer


class Node(RPCServer):
    """A server with one drop."""

    def rpc_methods(self) -> Mapping[str, Callable[..., Any]]:
        return {"get_drop_property": self.get_drop_property, "call_drop": self.call_drop}

    def get_drop_property(self, session_id: str, uid: str, name: str) -> Any:
        return [session_id, uid, name]

    def call_drop(self, session_id: str, uid: str, method: str, *args: Any) -> Any:
        if uid == "gone":
            raise NoDropException(uid)
        return [session_id, uid, method, *args]


@pytest.fixture
def transport() -> Iterator[InProcessTransport]:
    found = InProcessTransport()
    yield found
    found.close()


@pytest.fixture
def node(transport: InProcessTransport) -> Iterator[Node]:
    found = Node("here", 0, transport=transport)
    found.start()
    yield found
    found.shutdown()


@pytest.fixture
def client(transport: InProcessTransport) -> Iterator[RPCClient]:
    found = RPCClient(client_transport=transport)
    found.start()
    yield found
    found.shutdown()


@pytest.fixture
def drop(node: Node, client: RPCClient) -> DropProxy:
    return DropProxy(client, node.rpc_address.host, node.rpc_address.port, "night", "a")


def test_a_property_is_asked_for_where_the_drop_is(drop: DropProxy) -> None:
    assert drop.status == ["night", "a", "status"]


def test_a_method_is_called_where_the_drop_is(drop: DropProxy) -> None:
    assert drop.read(7, 100) == ["night", "a", "read", 7, 100]


def test_who_it_is_needs_no_call(client: RPCClient) -> None:
    drop = DropProxy(client, "nowhere", 9, "night", "a")
    assert (drop.uid, drop.oid, drop.sessionId) == ("a", "a", "night")


def test_links_are_not_seen_from_elsewhere(drop: DropProxy) -> None:
    assert drop.consumers == drop.producers == drop.inputs == drop.outputs == []


@pytest.mark.parametrize("name", ["_set_status", "__dict__x", "getIO", "run", "parameters"])
def test_anything_else_is_an_attribute_error(drop: DropProxy, name: str) -> None:
    with pytest.raises(AttributeError, match="a drop of another node has no"):
        getattr(drop, name)


def test_an_error_comes_back_as_it_is(node: Node, client: RPCClient) -> None:
    address = node.rpc_address
    with pytest.raises(NoDropException, match="no drop 'gone'"):
        DropProxy(client, address.host, address.port, "night", "gone").cancel()


def test_the_client_of_the_interface_gives_properties_and_methods(
    node: Node, client: RPCClient
) -> None:
    where = (node.rpc_address.host, node.rpc_address.port, "night", "a")
    assert client.get_drop_attribute(*where, "size") == ["night", "a", "size"]
    assert client.get_drop_attribute(*where, "exists")() == ["night", "a", "exists"]
