"""The daemon of a host: REST to start, stop and see its managers, and finding others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dlg.clients.daemon import DAEMON_PORT
from dlg.clients.managers import DataIslandManagerClient, MasterManagerClient
from dlg.exceptions import UsageError
from dlg.http.errors import describe_with_class
from dlg.http.server import Server, serve
from dlg.http.site import Options, Site
from dlg.support.hosts import to_externally_contactable_host
from dlg_engine.daemon.finding import Finder
from dlg_engine.daemon.host import Host, HostOptions
from dlg_engine.daemon.pid_files import kept
from dlg_engine.daemon.processes import ManagerProcess
from dlg_engine.rest import daemon_routes

logger = logging.getLogger(__name__)

CALL_S = 20.0
UNNAMED = "dlg"
"""The name of a cluster without a file, where nobody gave it one."""


@dataclass(frozen=True, kw_only=True)
class DaemonOptions:
    """How the daemon of a host is run."""

    host: HostOptions = field(default_factory=HostOptions)
    port: int = DAEMON_PORT
    roles: Sequence[str] = ()
    """What it starts at its beginning."""
    nodes: Sequence[str] = ()
    """The nodes of the island it starts, where they are not to be found."""
    zeroconf: bool = True
    cluster: str = ""
    """The name of the cluster, where there is no file that says it."""
    pid_file: Path | None = None


@dataclass(frozen=True)
class _Told:
    """A manager that is told over REST who is below it."""

    take_in: Callable[[str], None]
    let_go: Callable[[str], None]


class Daemon:
    """The managers of this host, and what finds others for them."""

    def __init__(self, options: DaemonOptions) -> None:
        self.options = options
        self._islands: dict[str, str] = {}
        self._finder: Finder | None = None
        self.host = Host(options.host, self._changed)
        if options.zeroconf:
            name = options.host.security.cluster or options.cluster or UNNAMED
            try:
                self._finder = Finder(options.host.host, name, self._manager)
            except OSError as error:
                raise UsageError(
                    f"nobody can be found on the network of {options.host.host}: "
                    f"{error.strerror or error}; --no-zeroconf does without"
                ) from error

    def start(self) -> None:
        """Start what is to run from the beginning; raise what one of them fails with."""
        for role in self.options.roles:
            self.host.start(role, self.options.nodes if role == "island" else ())

    def close(self) -> None:
        """End the managers, and then take their announcements back."""
        self.host.close()
        if self._finder is not None:
            self._finder.close()

    def _changed(self, role: str, process: ManagerProcess | None) -> None:
        if self._finder is not None:
            self._finder.changed(role, process)

    def _manager(self, role: str, name: str) -> _Told:
        """Return the master of this host, or an island, to be told who is below."""
        security = self.options.host.security
        if role == "master":
            url = str(self.host.about("master").get("url") or "")
            if not url:
                raise UsageError("the master does not run")
            parts = urlsplit(url)
            master = MasterManagerClient(
                str(parts.hostname), parts.port, token=security.token,
                tls=security.client_tls(), timeout=CALL_S,
            )  # fmt: skip
            return _Told(master.add_island, master.remove_island)
        host, port = name.rsplit(":", 3)[:2]
        island = DataIslandManagerClient(
            host.strip("[]"), int(port), token=security.token, tls=security.client_tls(),
            timeout=CALL_S,
        )  # fmt: skip
        return _Told(island.add_node, island.remove_node)


def run_daemon(options: DaemonOptions, announce: Callable[[str], None]) -> None:
    """Run the daemon until it is told to end; `announce` is told its URL."""
    host, security = options.host, options.host.security
    security.check(host.host)
    with kept(options.pid_file), ExitStack() as stack:
        daemon = Daemon(options)
        stack.callback(daemon.close)
        http = Options(
            host=host.host, port=options.port, token=security.token,
            certificate=security.certificate, key=security.key, workers=4,
        )  # fmt: skip
        site = Site(name="dlg-daemon", describe=describe_with_class, directory="GET / lists all")
        server = Server(daemon.host, daemon_routes.ROUTES, http, site)
        daemon.start()
        url = f"{http.scheme}://{_written(host.host)}:{server.port}"
        asyncio.run(serve(server, lambda: announce(url)))


def _written(host: str) -> str:
    """Return a host as others reach it, as it is written in an address."""
    found = to_externally_contactable_host(host)
    return f"[{found}]" if ":" in found else found
