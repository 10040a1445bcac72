"""A manager as a process: what it consists of, put together, served and taken apart again."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlg.clients.access import Access
from dlg.exceptions import UsageError
from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked
from dlg.http.routes import Route
from dlg.http.server import Server, serve
from dlg.http.site import Options, Site
from dlg.rpc import Address, Answerer, ZeroRPCTransport
from dlg.support import arenas
from dlg.support.hosts import to_externally_contactable_host
from dlg.support.session_log import attached
from dlg_engine import web
from dlg_engine.daemon.draining import drain
from dlg_engine.daemon.pid_files import kept
from dlg_engine.daemon.security import Security
from dlg_engine.lifecycle.life import Life
from dlg_engine.lifecycle.options import LifecycleOptions
from dlg_engine.managers import facts
from dlg_engine.managers.addresses import EVENTS_PORT, NodeAddress
from dlg_engine.managers.inspecting import logs_of
from dlg_engine.managers.node import Node
from dlg_engine.managers.orphans import ALONE_S
from dlg_engine.managers.relay import Relay
from dlg_engine.rest import metrics, session_routes
from dlg_engine.rest.below import Below
from dlg_engine.rest.composite_routes import IslandService
from dlg_engine.rest.describing import document_of, with_description
from dlg_engine.rest.errors import STATUSES, describe_as_clients_expect, status_of
from dlg_engine.rest.service import NodeService
from dlg_engine.rest.tables import routes_of
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
    advertise: str = ""
    """The host by which others know it; "" for the address at which it listens."""
    port: int = 0
    rpc_port: int = 0
    events_port: int = 0
    most_bytes: int = 1 << 30
    security: Security = field(default_factory=Security)
    workdir: Path = Path()
    runner: str = "threads"
    workers: int | None = None
    below: Sequence[str] = ()
    """Nodes of a data island, islands of a master."""
    patient: bool = False
    """Whether those of `below` that do not answer yet are waited for while it runs already."""
    origins: frozenset[str] = frozenset()
    """Whose pages may use it besides its own: `https://eagle.example.org`."""
    pid_file: Path | None = None
    """Where to leave the number of the process; None for nowhere."""
    deadline_s: float = DEADLINE_S
    alone_s: float = ALONE_S
    """After so long without a word from above sessions that came from there are ended."""
    lifecycle: LifecycleOptions = field(default_factory=LifecycleOptions)
    store: Path | None = None
    """Where a node keeps results to be used again; None for the usual place."""

    @property
    def token(self) -> str:
        """Return what every request has to show; "" for nothing."""
        return self.security.token


Announce = Callable[[str, str], None]
"""Is told the name of the manager, as others below or above call it, and its URL."""


class Running:
    """What a manager consists of while it runs: it listens, and is taken apart in the end."""

    def __init__(self, options: ManagerOptions, level: str, service: Any) -> None:
        security = options.security
        security.check(options.host)
        self.options = options
        stop: Route[Any] = Route("POST", "/api/stop", self._stop, tag="manager")
        document = document_of(level, secured=bool(options.token))
        site = Site(
            name="dlg-rest", statuses=STATUSES, status_of=status_of,
            describe=describe_as_clients_expect, assets=web.assets, allowing="--origin",
        )  # fmt: skip
        http = Options(
            host=options.host, port=options.port, token=security.token,
            certificate=security.certificate, key=security.key,
            most_bytes=options.most_bytes, workers=8, most_waiting=256,
            origins=ORIGINS | options.origins,
            open_paths=web.OPEN_PATHS | {"/health"},
        )  # fmt: skip
        self.answerer: Answerer | None = None
        figures = metrics.route(lambda: self.server.traffic, lambda: self.answerer)
        routes = (*routes_of(level), figures, stop)
        whole = (*with_description(routes, document), *web.ROUTES)
        self.server = Server(service, whole, http, site)
        self.host = options.advertise or to_externally_contactable_host(options.host)
        self.drain: Callable[[float], object] | None = None
        """Takes nothing new and waits, for so many seconds, until what runs has ended."""
        self._leaving = False
        self.stack = ExitStack()
        self.transport = ZeroRPCTransport(security.keys)
        self.stack.callback(self.transport.close)

    @property
    def url(self) -> str:
        """Return where its REST is for others."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.server.options.scheme}://{host}:{self.server.port}"

    def address(self, rpc_port: int) -> NodeAddress:
        """Return how others call this manager."""
        options = self.options
        return NodeAddress(self.host, self.server.port, options.events_port, rpc_port)

    def serve(self, name: str, announce: Announce) -> None:
        """Serve until the process is told to end, by a signal or a request; then take apart."""
        with self.stack:
            asyncio.run(serve(self.server, lambda: announce(name, self.url), self._leave))

    def _leave(self) -> None:
        """Answer until what runs has ended, or its time has; the second time, end at once."""
        if self.drain is None or self._leaving:
            self.server.end()
            return
        self._leaving = True
        threading.Thread(target=self._drain, name="dlg-drain", daemon=True).start()

    def _drain(self) -> None:
        try:
            if self.drain is not None:
                self.drain(self.options.deadline_s)
        finally:
            self.server.end()

    def _stop(self, _service: Any, _asked: Asked) -> Answer:
        """Shut this manager down."""
        threading.Timer(LINGER_S, self._leave).start()
        return as_json(session_routes.DONE)


def run_node(options: ManagerOptions, announce: Announce) -> None:
    """Run the manager of a node until it is told to end."""
    arenas.keep_few()
    with kept(options.pid_file):
        _run_node(options, announce)


def run_composite(options: ManagerOptions, announce: Announce, *, master: bool) -> None:
    """Run the manager of a data island, or a master, until it is told to end."""
    arenas.keep_few()
    with kept(options.pid_file):
        _run_composite(options, announce, master=master)


def _run_node(options: ManagerOptions, announce: Announce) -> None:
    service = NodeService()
    running = Running(options, "node", service)
    runner = make_runner(options.runner, options.workers)
    try:
        options.workdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{options.workdir} cannot be made: {error.strerror}") from error
    address = running.address(options.rpc_port)
    service.node = Node(
        address, options.workdir, runner, running.transport,
        bind=options.host, secrets=options.security.secrets(),
    )  # fmt: skip
    service.node.url = running.url
    service.node.orphans.limit_s = options.alone_s
    running.answerer = service.node.answerer
    service.node.manager.life = Life(options.lifecycle)  # there are no sessions yet
    service.node.manager.store = options.store
    running.drain = functools.partial(drain, service.node.manager)
    running.stack.callback(service.node.shutdown)
    running.stack.enter_context(attached(logs_of(service.node.manager)))
    running.serve(service.node.name, announce)


def _run_composite(options: ManagerOptions, announce: Announce, *, master: bool) -> None:
    service = IslandService()
    level = "master" if master else "island"
    running = Running(options, level, service)
    below = service.below = Below(running.transport, islands=master)
    running.stack.callback(below.close)
    service.url = running.url
    service.access = Access(options.token, options.security.client_tls())
    relay = Relay(
        running.url, below.manager, url=running.url,
        facts=lambda: facts.of_nodes(below.heartbeat, service.name),
    )  # fmt: skip
    relay.orphans.limit_s = options.alone_s
    running.stack.callback(relay.orphans.close)
    running.answerer = answerer = Answerer(relay.methods())
    serving = running.transport.serve(Address(options.host, options.rpc_port), answerer.answer)
    running.stack.callback(serving.close)
    service.name = str(running.address(serving.address.port)._replace(events_port=EVENTS_PORT))
    for name in options.below:
        (below.expect if options.patient else below.add)(name)
    running.serve(service.name, announce)
