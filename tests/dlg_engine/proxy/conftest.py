from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dlg.clients import NodeManagerClient
from dlg_engine.testing.processes import Cluster, Process

FREE = ("-P", "0", "--rpc-port", "0", "--event-port", "0")


@dataclass
class Site:
    """A node manager, a monitor, and a proxy between them; `more` are options of theirs."""

    folder: Path
    stack: ExitStack
    node_options: tuple[str, ...] = ()
    monitor_options: tuple[str, ...] = ()
    proxy_options: tuple[str, ...] = ()
    client: NodeManagerClient = field(init=False)
    """One that goes through the proxy."""

    def __post_init__(self) -> None:
        work = str(self.folder / "work")
        self.node = self._start("nm", *FREE, "--deadline", "0", "-w", work, *self.node_options)
        self.monitor = self.start_monitor()
        self.proxy = self.start_proxy()
        self.client = self.through(NodeManagerClient)

    def _start(self, *command: str) -> Process:
        found = Process(*command, workdir=self.folder / command[0])
        self.stack.callback(found.end)
        return found

    def start_monitor(self, proxy_port: int = 0, client_port: int = 0) -> Process:
        ports = ("-o", str(proxy_port), "-c", str(client_port), "-p", "0")
        return self._start("monitor", *ports, *self.monitor_options)

    @property
    def proxy_port(self) -> int:
        return int(json.loads(self.monitor.said)["proxy_port"])

    def start_proxy(self, name: str = "site") -> Process:
        manager = ("-d", "127.0.0.1", "-f", str(urlsplit(self.node.url).port))
        monitor = ("-m", "127.0.0.1", "-o", str(self.proxy_port))
        return self._start("proxy", *monitor, *manager, "-i", name, *self.proxy_options)

    def through(self, kind: type[NodeManagerClient], **how: Any) -> NodeManagerClient:
        parts = urlsplit(self.proxy.url)
        return kind(str(parts.hostname), parts.port, **{"token": "", **how})

    def wait_until_connected(self, client: NodeManagerClient, connected: bool = True) -> None:
        """Return when the monitor lists the proxy as connected, or as not."""

        def look() -> list[bool]:
            return [one["connected"] for one in client.link.get("proxies")["proxies"]]

        Cluster.wait_until(look, lambda found: found == [connected])

    def at_monitor(self, **how: Any) -> NodeManagerClient:
        """Return a client of the monitor itself."""
        parts = urlsplit(self.monitor.url)
        return NodeManagerClient(str(parts.hostname), parts.port, **{"token": "", **how})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with ExitStack() as stack:
        yield Site(tmp_path_factory.mktemp("site"), stack)
