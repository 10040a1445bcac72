from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.rpc import Address, Answerer, InProcessTransport, Peer
from dlg_engine.managers.addresses import NodeAddress, read_address
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.managers.node import Node
from dlg_engine.managers.relay import Relay
from dlg_engine.runners import make_runner

FUNCTION = "dlg.apps.python_function.PyFuncApp"
Specs = list[dict[str, Any]]


def data(oid: str, node: str = "n0", **more: Any) -> dict[str, Any]:
    cls = "dlg.data.memory.InMemoryDROP"
    return {"oid": oid, "categoryType": "Data", "dropclass": cls, "node": node, **more}


def app(oid: str, code: str, node: str = "n0", **more: Any) -> dict[str, Any]:
    return {"oid": oid, "categoryType": "Application", "dropclass": FUNCTION, "node": node,
            "func_code": code, **more}  # fmt: skip


class Island:
    """A data island of nodes in this process, which news and data reach through sockets."""

    def __init__(
        self,
        count: int,
        workdir: Path,
        transport: InProcessTransport | None = None,
        first: int = 1,
    ) -> None:
        self.transport = transport or InProcessTransport()
        self._ports = itertools.count(first)
        self.workdir = workdir
        self.nodes: dict[str, Node] = {}
        self.peers: dict[str, Peer] = {}
        self.manager = CompositeManager(self.peer)
        for _ in range(count):
            self.add()

    def add(self) -> Node:
        address = NodeAddress("127.0.0.1", 8000 + next(self._ports), 0, 0)
        folder = self.workdir / str(address.port)
        node = Node(address, folder, make_runner("threads", 2), self.transport)
        self.nodes[node.name] = node
        self.manager.roster.add(node.name)
        return node

    def peer(self, name: str) -> Peer:
        return self.peers.setdefault(name, Peer(self.transport, read_address(name).rpc))

    @property
    def names(self) -> list[str]:
        return list(self.nodes)

    def wait(self, session_id: str, timeout_s: float = 30.0) -> None:
        for name in self.manager.session(session_id).nodes:
            assert self.nodes[name].manager.wait(session_id, timeout_s), "it does not end"
        assert self.manager.wait(session_id, timeout_s), "its end is not known"

    def close(self) -> None:
        self.manager.close()
        for node in self.nodes.values():
            node.shutdown()
        self.transport.close()


@pytest.fixture
def island(tmp_path: Path) -> Iterator[Island]:
    found = Island(3, tmp_path)
    yield found
    found.close()


class Master:
    """A master over two islands of two nodes each, in this process."""

    def __init__(self, workdir: Path) -> None:
        self.transport = InProcessTransport()
        self.islands = [Island(2, workdir / str(i), self.transport, 10 * i + 1) for i in (0, 1)]
        self.peers: dict[str, Peer] = {}
        self.manager = CompositeManager(lambda name: self.peers[name])
        for i, island in enumerate(self.islands):
            name = f"127.0.0.1:{8100 + i}"
            answerer = Answerer(Relay(name, island.manager).methods())
            serving = self.transport.serve(Address("127.0.0.1", 0), answerer.answer)
            self.peers[name] = Peer(self.transport, serving.address)
            for node in island.names:
                self.manager.roster.add(node, name)

    @property
    def nodes(self) -> dict[str, Node]:
        return {name: node for island in self.islands for name, node in island.nodes.items()}

    def close(self) -> None:
        self.manager.close()
        for island in self.islands:
            island.close()
        self.transport.close()


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    found = Master(tmp_path)
    yield found
    found.close()
