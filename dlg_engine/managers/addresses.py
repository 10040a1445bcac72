"""How nodes and islands are named: by the host and the ports where they are reached. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from dlg.exceptions import UsageError
from dlg.rpc.contract import Address

HOST = "localhost"
NODE_PORT, ISLAND_PORT, MASTER_PORT = 8000, 8001, 8002
EVENTS_PORT, RPC_PORT = 5555, 6666
LARGEST_PORT = 65535
_HOST = re.compile(r"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[0-9A-Za-z._-]+)?")
"""A name or an address, perhaps one of version 6, and nothing that could mean more."""


class NodeAddress(NamedTuple):
    """A node or an island, as `host:port:events_port:rpc_port`."""

    host: str = HOST
    port: int = NODE_PORT
    events_port: int = EVENTS_PORT
    rpc_port: int = RPC_PORT

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}:{self.events_port}:{self.rpc_port}"

    @property
    def rpc(self) -> Address:
        """Where it is called."""
        return Address(self.host, self.rpc_port)

    @property
    def events(self) -> Address:
        """Where it listens for news."""
        return Address(self.host, self.events_port)


def read_address(text: str, port: int = NODE_PORT) -> NodeAddress:
    """Return the node that a text names; what it leaves out has its default.

    Raises UsageError for what names none.
    """
    host, ports = _host_and_ports(text.strip())
    numbers: list[int] = []
    for given in ports:
        if not given.isdecimal() or not 0 < int(given) <= LARGEST_PORT:
            raise UsageError(f"{text!r} names no node: {given!r} is no port")
        numbers.append(int(given))
    defaults = [port, EVENTS_PORT, RPC_PORT]
    if len(numbers) > len(defaults) or not _HOST.fullmatch(host):
        raise UsageError(f"{text!r} names no node; one is called host:port:events_port:rpc_port")
    return NodeAddress(host, *numbers, *defaults[len(numbers) :])


def _host_and_ports(text: str) -> tuple[str, list[str]]:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        return host if closed else "", rest.lstrip(":").split(":") if rest else []
    host, *ports = text.split(":")
    return host, ports


def find_node(name: str, nodes: Iterable[str]) -> str:
    """Return which of `nodes` a graph means by `name`: itself, or the only one on that host.

    Raises UsageError if it is none of them, or could be several.
    """
    known = list(nodes)
    if name in known:
        return name
    wanted = read_address(name)
    if str(wanted) in known:
        return str(wanted)
    same_host = [node for node in known if read_address(node).host == wanted.host]
    if len(same_host) == 1 and ":" not in name.strip("[]"):
        return same_host[0]
    hint = f"there are {', '.join(known)}" if known else "there are no nodes yet"
    raise UsageError(f"the graph wants node {name!r}, which is not managed here; {hint}")
