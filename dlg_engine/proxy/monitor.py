"""`dlg monitor` as a process: the port for proxies, that for clients, and one for each proxy."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlg.exceptions import UsageError
from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked
from dlg.http.errors import STATUS
from dlg.http.routes import Route
from dlg.http.server import Server, listen, serve, tls_context
from dlg.http.site import LOOPBACK, Options, Site
from dlg.support.certificates import server_context
from dlg.support.hosts import to_externally_contactable_host
from dlg_engine.daemon.security import Security
from dlg_engine.proxy.greeting import link_key
from dlg_engine.proxy.hub import MOST_PROXIES, AwayError, Hub
from dlg_engine.proxy.link import BrokenExchangeError
from dlg_engine.proxy.through import Front, Through

PROXY_PORT, CLIENT_PORT, FIRST_PORT = 30000, 30001, 20000
BAD_GATEWAY = 502
STATUSES = {**STATUS, AwayError: BAD_GATEWAY, BrokenExchangeError: BAD_GATEWAY}


@dataclass(frozen=True, kw_only=True)
class MonitorOptions:
    """How a monitor is run."""

    host: str = "127.0.0.1"
    proxy_port: int = PROXY_PORT
    client_port: int = CLIENT_PORT
    first_port: int | None = FIRST_PORT
    """Where the first proxy is published, and upwards; 0 for any ports, None for none."""
    security: Security = field(default_factory=Security)
    proxy_token: str = field(default="", repr=False)
    """What proxies must know; "" for the same as clients."""
    plain: bool = False
    """Whether it may be reached from other hosts without TLS."""

    def check(self) -> None:
        """Raise UsageError if anybody could use it, or listen."""
        self.security.check(self.host)
        away = self.host not in LOOPBACK
        if away and self.link_tls() is None and not (self.plain or self.security.insecure):
            raise UsageError(
                f"{self.host} can be reached from other hosts, and without TLS others can read "
                "and change what is asked. Name the file of a cluster (dlg keys new) or a "
                "certificate; or add --no-tls where a tunnel protects the way"
            )

    def link_tls(self) -> ssl.SSLContext | None:
        """Return what lets proxies come by TLS; None for no TLS."""
        security = self.security
        if security.file is not None and security.pinned:
            try:
                return server_context(security.file)
            except ValueError as error:
                raise UsageError(f"{security.file} cannot be used for TLS: {error}") from error
        if security.certificate is None:
            return None
        return tls_context(security.certificate, security.key)


class Monitor:
    """A monitor that listens from the beginning, and serves from `run` on."""

    def __init__(self, options: MonitorOptions, tell: Callable[[str], None]) -> None:
        """`tell` is told who comes and goes."""
        options.check()
        self.options = options
        token = options.proxy_token or options.security.token
        self.hub = Hub(link_key(token), self._publish, tell, options.link_tls())
        self._front = self._server(options.client_port, "")
        self._published: list[Server] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._links = listen(options.host, options.proxy_port)
        self.proxy_port: int = self._links.getsockname()[1]

    @property
    def url(self) -> str:
        """Where clients find all proxies."""
        return self._url(self._front)

    async def run(self, announce: Callable[[], None]) -> None:
        """Serve until the process is told to end."""
        await self.hub.start(self._links)
        try:
            await serve(self._front, announce)
        finally:
            await self.hub.close()
            for server in self._published:
                await server.close()

    def _publish(self, name: str) -> str:
        """Return where a new proxy is found."""
        first = self.options.first_port
        if first is None:
            return f"{self.url}/{name}/"
        server = self._next_port(first, name)
        self._published.append(server)
        starting = asyncio.ensure_future(server.start())
        self._starting.add(starting)
        starting.add_done_callback(self._starting.discard)
        return f"{self._url(server)}/"

    def _next_port(self, first: int, name: str) -> Server:
        """Return a server for a proxy at the next port that is free."""
        taken = {server.port for server in self._published}
        for port in range(first, first + 2 * MOST_PROXIES) if first else (0,):
            if port in taken:
                continue
            try:
                return self._server(port, name)
            except UsageError as error:
                last = error
        raise last

    def _server(self, port: int, only: str) -> Server:
        options, security = self.options, self.options.security
        http = Options(
            host=options.host, port=port, token=security.token,
            certificate=security.certificate, key=security.key, workers=2,
        )  # fmt: skip
        site = Site(
            name="dlg-monitor", statuses=STATUSES,
            directory="GET /api/proxies lists the proxies of this monitor",
        )  # fmt: skip
        routes = () if only else ROUTES
        # Paths without an id are answered by the default: there is nothing.
        expression = "/.*" if only else r"/[A-Za-z0-9][^/]*(?:/.*)?"
        return Server(Front(self.hub, only), routes, http, site, [(expression, Through)])

    def _url(self, server: Server) -> str:
        found = to_externally_contactable_host(self.options.host)
        host = f"[{found}]" if ":" in found else found
        return f"{server.options.scheme}://{host}:{server.port}"


def proxies(front: Front, _asked: Asked) -> Answer:
    """List the proxies that have come: which are there, and where each is found."""
    return as_json({"proxies": front.hub.told()})


def health(_front: Front, _asked: Asked) -> Answer:
    """Tell that the monitor answers."""
    return as_json({"status": "ok"})


ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/api/proxies", proxies, tag="proxies"),
    Route("GET", "/health", health, tag="proxies"),
)


def run_monitor(
    options: MonitorOptions,
    announce: Callable[[Mapping[str, object]], None],
    tell: Callable[[str], None],
) -> None:
    """Run a monitor until it is told to end; `announce` is told where it listens."""

    async def run() -> None:
        monitor = Monitor(options, tell)
        told = {"name": "monitor", "url": monitor.url, "proxy_port": monitor.proxy_port}
        await monitor.run(lambda: announce(told))

    asyncio.run(run())
