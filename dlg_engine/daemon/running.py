"""A manager as a process: what it consists of, put together, served and taken apart again."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlg.exceptions import UsageError
from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked
from dlg.http.routes import Route
from dlg.http.server import Server, serve
from dlg.http.site import LOOPBACK, Options, Site
from dlg.rpc import Address, Answerer, ZeroRPCTransport
from dlg.support.hosts import to_externally_contactable_host
from dlg_engine.managers.addresses import EVENTS_PORT, NodeAddress
from dlg_engine.managers.node import Node
from dlg_engine.managers.relay import Relay
from dlg_engine.rest import composite_routes, node_routes, session_routes
from dlg_engine.rest.below import Below
from dlg_engine.rest.composite_routes import IslandService
from dlg_engine.rest.errors import STATUSES, describe_as_clients_expect
from dlg_engine.rest.service import NodeService
from dlg_engine.runners import make_runner

logger = logging.getLogger(__name__)

LINGER_S = 0.2
"""How long a manager that was told to stop lives on, so that its answer still leaves."""
ORIGINS = frozenset({"http://dlg-tm.localhost"})
"""What the clients of the existing system say they are; a page of that name is of this host."""
DEADLINE_S = 10.0
"""How long running sessions may go on when a manager is told to end."""


@dataclass(frozen=True, kw_only=True)
class ManagerOptions:
    """How a manager is run."""

    host: str = "127.0.0.1"
    """The interface on which it listens."""
    port: int = 0
    rpc_port: int = 0
    events_port: int = 0
    most_bytes: int = 1 << 30
    token: str = ""
    insecure: bool = False
    """Whether it may listen beyond this host though nobody has to show who he is."""
    workdir: Path = Path()
    runner: str = "threads"
    workers: int | None = None
    below: Sequence[str] = ()
    """Nodes of a data island, islands of a master."""
    deadline_s: float = DEADLINE_S

    def check(self) -> None:
        """Raise UsageError if it would be open to anybody."""
        if self.host not in LOOPBACK and not self.insecure:
            raise UsageError(
                f"{self.host} can be reached from other hosts, and whoever reaches a manager can "
                "run programs on this one: add --insecure if nobody else is on the network"
            )


Announce = Callable[[str, str], None]
"""Is told the name of the manager, as others below or above call it, and its URL."""


class Running:
    """What a manager consists of while it runs: it listens, and is taken apart in the end."""

    def __init__(
        self, options: ManagerOptions, routes: Sequence[Route[Any]], service: Any
    ) -> None:
        options.check()
        self.options = options
        stop: Route[Any] = Route("POST", "/api/stop", self._stop, tag="manager")
        site = Site(name="dlg-rest", statuses=STATUSES, describe=describe_as_clients_expect)
        http = Options(
            host=options.host, port=options.port, token=options.token,
            most_bytes=options.most_bytes, workers=8, most_waiting=256, origins=ORIGINS,
        )  # fmt: skip
        self.server = Server(service, (*routes, stop), http, site)
        self.host = to_externally_contactable_host(options.host)
        self.stack = ExitStack()
        self.transport = ZeroRPCTransport()
        self.stack.callback(self.transport.close)

    def address(self, rpc_port: int) -> NodeAddress:
        """Return how others call this manager."""
        options = self.options
        return NodeAddress(self.host, self.server.port, options.events_port, rpc_port)

    def serve(self, name: str, announce: Announce) -> None:
        """Serve until the process is told to end, by a signal or a request; then take apart."""
        with self.stack:
            asyncio.run(serve(self.server, lambda: announce(name, self.server.url)))

    def _stop(self, _service: Any, _asked: Asked) -> Answer:
        """Shut this manager down."""
        threading.Timer(LINGER_S, self.server.end).start()
        return as_json(session_routes.DONE)


def run_node(options: ManagerOptions, announce: Announce) -> None:
    """Run the manager of a node until it is told to end."""
    service = NodeService()
    running = Running(options, (*session_routes.ROUTES, *node_routes.ROUTES), service)
    runner = make_runner(options.runner, options.workers)
    try:
        options.workdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{options.workdir} cannot be made: {error.strerror}") from error
    address = running.address(options.rpc_port)
    service.node = Node(address, options.workdir, runner, running.transport, bind=options.host)
    running.stack.callback(service.node.shutdown, options.deadline_s)
    running.serve(service.node.name, announce)


def run_composite(options: ManagerOptions, announce: Announce, *, master: bool) -> None:
    """Run the manager of a data island, or a master, until it is told to end."""
    own = composite_routes.MASTER if master else composite_routes.ISLAND
    service = IslandService()
    running = Running(options, (*session_routes.ROUTES, *own), service)
    below = service.below = Below(running.transport, islands=master)
    running.stack.callback(below.close)
    relay = Relay(running.server.url, below.manager)
    serving = running.transport.serve(
        Address(options.host, options.rpc_port), Answerer(relay.methods()).answer
    )
    running.stack.callback(serving.close)
    for name in options.below:
        below.add(name)
    address = running.address(serving.address.port)._replace(events_port=EVENTS_PORT)
    running.serve(str(address), announce)
