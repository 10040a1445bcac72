"""Which manager a command talks to, and the options that say so."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import click

from dlg import settings
from dlg.clients import (
    DataIslandManagerClient,
    ManagerClient,
    ManagerRefusedError,
    ManagerUnreachableError,
    MasterManagerClient,
    NodeManagerClient,
    find_access,
)
from dlg.clients.http import NothingThereError
from dlg.exceptions import UsageError
from dlg_engine.cli.dividing import Place
from dlg_engine.managers.addresses import LARGEST_PORT

TIMEOUT_S = 600.0
"""How long a manager may take to answer: to deploy a million drops takes a while."""
CONTACT_TIMEOUT_S = 10.0
"""How long it may take to say who it is; at a wrong port somebody may listen and say nothing."""
LEVELS: tuple[tuple[str, type[ManagerClient]], ...] = (
    ("master", MasterManagerClient),
    ("island", DataIslandManagerClient),
    ("node", NodeManagerClient),
)
"""In the order in which they are looked for."""

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Command = Callable[..., Any]


class NoManagerError(UsageError):
    """There is no manager where one was looked for."""


@dataclass(frozen=True)
class Manager:
    """A manager that answers."""

    level: str
    client: ManagerClient

    @property
    def url(self) -> str:
        """Its address."""
        return self.client.link.url

    def where(self) -> str:
        """Return the options that lead other commands here."""
        link = self.client.link
        host = "" if link.host == "localhost" else f" -H {link.host}"
        usual = link.port == dict(LEVELS)[self.level].default_port
        return host + ("" if usual and self.level == "master" else f" -P {link.port}")

    def places(self) -> list[Place]:
        """Return the nodes it knows, with their islands; raise UsageError if there are none."""
        places = list(self._places())
        if not places:
            raise UsageError(
                f"the {self.level} at {self.url} has no nodes yet: start some with  dlg nm"
            )
        return places

    def _places(self) -> Iterable[Place]:
        client = self.client
        if not isinstance(client, DataIslandManagerClient):
            name = str(client.info()["node"])
            return [Place(name, name)]
        return [Place(node, island) for island, nodes in _islands(client) for node in nodes]


def _islands(client: DataIslandManagerClient) -> Iterable[tuple[str, list[str]]]:
    """Return the islands with their nodes."""
    if not isinstance(client, MasterManagerClient):
        return [(client.link.host, client.nodes())]
    islands = client.islands()
    if len(islands) == 1:
        return [(islands[0], client.nodes())]
    found: dict[str, list[str]] = {}
    for node in client.cluster()["nodes"]:
        found.setdefault(str(node["island"]), []).append(str(node["name"]))
    return found.items()


def manager_options(command: Command) -> Command:
    """Give a command the options that say which manager it talks to, as the parameter `at`."""
    options = [
        click.option(
            "-H", "--host", metavar="HOST",
            help="Where the manager is; this host unless DLG_MANAGER says otherwise.",
        ),
        click.option(
            "-P", "--port", type=click.IntRange(1, LARGEST_PORT),
            help="Its port; without it a master (8002), an island (8001), a node (8000) is found.",
        ),
        click.option(
            "--cluster", "--cluster-file", "cluster_file", type=FILE, metavar="FILE",
            help="The file of the cluster, if not the usual one.",
        ),
        click.option(
            "--token-file", type=FILE, metavar="FILE",
            help="A file with the token that managers are shown.",
        ),
    ]  # fmt: skip

    @functools.wraps(command)
    def call(
        *,
        host: str | None,
        port: int | None,
        cluster_file: Path | None,
        token_file: Path | None,
        **others: Any,
    ) -> Any:
        return command(at=Wanted(host, port, cluster_file, token_file), **others)

    for option in reversed(options):
        call = option(call)
    return call


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


class Wanted(NamedTuple):
    """Which manager is meant, and how one gets in."""

    host: str | None = None
    port: int | None = None
    cluster: Path | None = None
    token_file: Path | None = None

    def find(self) -> Manager:
        """Return the manager that answers; raise NoManagerError if there is none."""
        found_host, found_port = (
            read_place(settings.current().manager) if self.host is None else _given(self.host)
        )
        host, port = found_host or "localhost", self.port or found_port
        if port is not None:
            return self._ask(host, port)
        tried: list[UsageError] = []
        for _, kind in LEVELS:
            try:
                return self._ask(host, kind.default_port)
            except (NoManagerError, ManagerRefusedError) as error:
                tried.append(error)
        refused = next((e for e in tried if isinstance(e, ManagerRefusedError)), None)
        if refused is not None:  # something is there, and lets nobody in
            raise refused
        ports = ", ".join(str(kind.default_port) for _, kind in LEVELS)
        raise NoManagerError(
            f"no manager answers at {host}, ports {ports}: say with --host and --port where one "
            "is, or start some on this machine with  dlg local-cluster"
        ) from tried[0]

    def _ask(self, host: str, port: int) -> Manager:
        access = find_access(host, port, cluster=self.cluster, token_file=self.token_file)
        how: Any = {"token": access.token, "tls": access.tls, "timeout": TIMEOUT_S}
        try:
            level = _level(
                MasterManagerClient(host, port, **{**how, "timeout": CONTACT_TIMEOUT_S})
            )
        except ManagerUnreachableError as error:
            raise NoManagerError(str(error)) from error
        return Manager(level, dict(LEVELS)[level](host, port, **how))


def _level(client: MasterManagerClient) -> str:
    """Return of which level the manager is that answers; raise NoManagerError if it is none."""
    try:
        found = client.link.get()
    except NothingThereError:  # a daemon, say
        found = None
    if not isinstance(found, Mapping) or not {"node", "hosts"} & set(found):
        raise NoManagerError(f"what answers at {client.link.url} is no manager")
    if "node" in found:
        return "node"
    try:
        client.islands()
    except (ManagerRefusedError, UsageError):
        return "island"
    return "master"


def _given(host: str) -> tuple[str | None, int | None]:
    """Return host and port of what `--host` was given, be it an address as in a browser."""
    _, scheme, rest = host.partition("://")
    if scheme:
        return read_place(rest.rstrip("/"))
    return read_place(host) if host.count(":") == 1 else (host, None)  # "::1" has no port


def read_place(text: str) -> tuple[str | None, int | None]:
    """Return the host and the port in `host:port`, `host` or `:port`; raise UsageError else."""
    if not text:
        return None, None
    try:
        parts = urlsplit(f"//{text}")
        found = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{text!r} is no place of a manager: {error}") from error
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise UsageError(f"{text!r} is no place of a manager; one is written host:port")
    return found
