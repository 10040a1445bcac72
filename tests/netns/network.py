"""Three hosts with managers, sessions whose apps wait until they are let go, and how they end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from dlg.clients import DataIslandManagerClient, ManagerClient, NodeManagerClient
from dlg.clients.events import follow
from dlg_engine.testing.hosts import Hosts
from dlg_engine.testing.processes import Process
from tests.dlg_engine.managers.conftest import Specs, app, data

DETECTION_S = 10.0
"""Within this time a node that is lost must be missed, and its sessions be over."""
PATIENCE_S = 40.0
RUNNING, FAILED = 1, 3
"""How an app tells that it runs, and that it has failed."""
ADD = "def add(x):\n    return int(x) + 1"


class Network:
    """Hosts with a node each; the first has the data island too."""

    def __init__(
        self, hosts: Hosts, workdir: Path, *more: str, cluster: Path | None = None
    ) -> None:
        """`more` are options of all nodes, `cluster` the file of the cluster if there is one."""
        self.hosts, self.workdir, self._more = hosts.hosts, workdir, more
        self._cluster = cluster
        self.nodes = [self.start_node(number) for number in range(len(self.hosts))]
        self.island = self.start_island()

    @property
    def names(self) -> list[str]:
        return [node.name for node in self.nodes]

    @property
    def client(self) -> DataIslandManagerClient:
        return self.island.client(DataIslandManagerClient, self._cluster)

    def node_client(self, number: int) -> NodeManagerClient:
        return self.nodes[number].client(NodeManagerClient, self._cluster)

    def place(self, number: int) -> Path:
        return self.workdir / f"h{number + 1}"

    def start_node(self, number: int) -> Process:
        place = self.place(number)
        return self.hosts[number].start(
            "nm", "-P", "8000", "--deadline", "0", "-w", str(place / "work"), *self._more,
            workdir=place, cluster=self._cluster,
        )  # fmt: skip

    def start_island(self) -> Process:
        ports = ("-P", "8001", "--rpc-port", "6667")
        below = ("-N", ",".join(self.names))
        return self.hosts[0].start(
            "dim", *ports, *below, workdir=self.workdir / "island", cluster=self._cluster
        )

    def start_master(self, number: int = 0) -> Process:
        ports = ("-P", "8002", "--rpc-port", "6668")
        below = ("-N", self.island.name)
        return self.hosts[number].start(
            "mm", *ports, *below, workdir=self.workdir / "master", cluster=self._cluster
        )

    def wait_for_nodes(self, count: int, client: DataIslandManagerClient | None = None) -> None:
        """Return when so many nodes are there."""
        deadline = time.monotonic() + DETECTION_S
        while len((client or self.client).nodes()) != count:
            assert time.monotonic() < deadline, f"there are no {count} nodes"
            os.sched_yield()


class Session:
    """A chain over nodes, whose last app waits until it is let go."""

    def __init__(self, client: ManagerClient, name: str, nodes: list[str], workdir: Path) -> None:
        """Start it: an app on each node in turn, and the one that waits on the last of them."""
        self.client, self.name = client, name
        self.fifo = workdir / f"{name}.fifo"
        os.mkfifo(self.fifo)
        self._end = os.open(self.fifo, os.O_RDWR)
        self.waiting = f"wait-{name}"
        client.create_session(name)
        client.append_graph(name, self._specs(nodes))
        client.deploy_session(name)

    def _specs(self, nodes: list[str]) -> Specs:
        specs: Specs = [data("d0", nodes[0], pydata=0)]
        for i, node in enumerate(nodes):
            specs.append(app(f"a{i}", ADD, node, inputs=[f"d{i}"], outputs=[f"d{i + 1}"]))
            specs.append(data(f"d{i + 1}", node))
        last = f"d{len(nodes)}"
        waits = bash(self.waiting, f"read x < {self.fifo}; echo $x > %o0", nodes[-1])
        end = bash("end", "cat %i0 > %o0", nodes[0])
        return [
            *specs,
            waits | {"inputs": [last], "outputs": ["got"]}, file("got", nodes[-1]),
            end | {"inputs": ["got"], "outputs": ["result"]}, file("result", nodes[0]),
        ]  # fmt: skip

    def wait_until_it_waits(self) -> None:
        """Return when the last app is running."""
        for event in follow(self.client.link, self.name):
            told = {oid: ran for oid, _, ran, _ in event.data.get("changes", ())}
            if told.get(self.waiting) == RUNNING:
                return
            assert FAILED not in told.values(), told
        raise AssertionError("it has ended")

    def let_go(self) -> None:
        """Let the app that waits go on."""
        os.write(self._end, b"go\n")

    def end(self) -> dict[str, Any]:
        """Wait until it is over; return its summary."""
        return self.ended_on(self.client, self.name)

    @staticmethod
    def ended_on(client: ManagerClient, name: str) -> dict[str, Any]:
        """Wait until a session is over as a manager knows it; return its summary there."""
        deadline = time.monotonic() + PATIENCE_S
        for event in follow(client.link, name):
            if event.name == "session" and event.data["ended"]:
                return dict(event.data)
            assert time.monotonic() < deadline, event
        raise AssertionError("it does not end")


def bash(oid: str, command: str, node: str) -> dict[str, Any]:
    cls = "dlg.apps.bash.BashShellApp"
    return {"oid": oid, "categoryType": "Application", "dropclass": cls, "node": node,
            "command": command}  # fmt: skip


def file(oid: str, node: str) -> dict[str, Any]:
    cls = "dlg.data.file.FileDROP"
    return {"oid": oid, "categoryType": "Data", "dropclass": cls, "node": node}
