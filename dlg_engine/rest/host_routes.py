"""The routes by which a master has the daemons of hosts start and end managers there.

A host is written `name` or `name:port`, where the port is that of its daemon.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from dlg.clients.daemon import DAEMON_PORT, DaemonClient
from dlg.clients.http import ManagerUnreachableError
from dlg.clients.managers import DataIslandManagerClient
from dlg.exceptions import UsageError
from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked, Kind, Param
from dlg.http.errors import NotFoundError
from dlg.http.routes import Route
from dlg_engine.managers.addresses import ISLAND_PORT, read_address
from dlg_engine.rest.composite_routes import IslandService
from dlg_engine.rest.daemon_routes import ROLES
from dlg_engine.rest.session_routes import DONE

HOST = Param("host", required=True, help="A host, as name or name:port of its daemon.")
NODE = Param("node", required=True, help="A node, as host:port:events_port:rpc_port.")
NODES = Param("nodes", Kind.NAMES, "The nodes of the new island.")
CALL_S = 90.0
"""A manager may take a while to start."""


T = TypeVar("T")


def _ask(service: IslandService, asked: Asked, ask: Callable[[DaemonClient], T]) -> T:
    """Return what the daemon of a host answers; raise NotFoundError if there is none."""
    try:
        return ask(_daemon(service, asked))
    except ManagerUnreachableError as error:
        raise NotFoundError(f"no daemon: {error}") from error


def _daemon(service: IslandService, asked: Asked) -> DaemonClient:
    at = read_address(asked.text("host"), DAEMON_PORT)
    access = service.access
    return DaemonClient(at.host, at.port, token=access.token, tls=access.tls, timeout=CALL_S)


def _island(service: IslandService, asked: Asked) -> tuple[str, DataIslandManagerClient]:
    """Return the island of a host, which the master must have, and its name."""
    host = read_address(asked.text("host")).host
    for name in service.below.heartbeat.told:
        at = read_address(name, ISLAND_PORT)
        if at.host == host:
            break
    else:
        raise NotFoundError(f"there is no island on host {host!r} here")
    access = service.access
    return name, DataIslandManagerClient(at.host, at.port, token=access.token, tls=access.tls)


def start_island(service: IslandService, asked: Asked) -> Answer:
    """Start the island of a host, and take it in with its nodes."""
    started = _ask(
        service, asked, lambda daemon: daemon.start("island", asked.values.get("nodes") or [])
    )
    name = str(started.get("name") or "")
    if not name:
        raise UsageError(
            f"the daemon of {asked.text('host')} does not say how its island is called"
        )
    service.below.add(name)
    return as_json({"islands": list(service.below.heartbeat.told)})


def start_node(service: IslandService, asked: Asked) -> Answer:
    """Start the node manager of a host."""
    return as_json(_ask(service, asked, lambda daemon: daemon.start("node")))


def stop_node(service: IslandService, asked: Asked) -> Answer:
    """End the node manager of a host."""
    _ask(service, asked, lambda daemon: daemon.stop("node"))
    return as_json(DONE)


def add_node(service: IslandService, asked: Asked) -> Answer:
    """Give a node to the island of a host."""
    name, island = _island(service, asked)
    island.add_node(asked.text("node"))
    service.below.look_again(name)
    return as_json(DONE)


def remove_node(service: IslandService, asked: Asked) -> Answer:
    """Take a node away from the island of a host."""
    name, island = _island(service, asked)
    island.remove_node(asked.text("node"))
    service.below.look_again(name)
    return as_json(DONE)


def _about(role: str) -> Callable[[IslandService, Asked], Answer]:
    def about(service: IslandService, asked: Asked) -> Answer:
        told = _ask(service, asked, lambda daemon: daemon.about(role))
        return as_json({"pid": told["pid"]})

    about.__doc__ = f"Tell the process of the {role} manager of a host, null if there is none."
    return about


_H = "/api/managers/{host}"
ROUTES: tuple[Route[Any], ...] = (
    Route("POST", f"{_H}/island", start_island, (HOST, NODES), tag="hosts"),
    Route("POST", f"{_H}/node/start", start_node, (HOST,), tag="hosts"),
    Route("POST", f"{_H}/node/stop", stop_node, (HOST,), tag="hosts"),
    Route("POST", f"{_H}/node/{{node}}", add_node, (HOST, NODE), tag="hosts"),
    Route("DELETE", f"{_H}/node/{{node}}", remove_node, (HOST, NODE), tag="hosts"),
    *(
        Route("GET", f"{_H}/{role}", _about(role), (HOST,), tag="hosts")
        for role in ROLES
    ),
)  # fmt: skip
