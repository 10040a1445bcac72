"""The routes of data islands and masters: who is below."""

from __future__ import annotations

from typing import Any

from dlg.clients.access import Access
from dlg.exceptions import UsageError
from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked
from dlg.http.errors import NotFoundError
from dlg.http.routes import Route
from dlg_engine.managers.addresses import find_node
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.rest import existing_routes, node_below_routes
from dlg_engine.rest.below import Below
from dlg_engine.rest.node_below_routes import NODE
from dlg_engine.rest.service import CompositeService
from dlg_engine.rest.session_routes import DONE


class IslandService(CompositeService):
    """A data island or a master, with the means to take others in."""

    below: Below
    name: str = ""
    """How others call it."""
    url: str = ""
    access: Access = Access()
    """What it shows to the daemons of hosts and to islands over REST."""

    @property
    def manager(self) -> CompositeManager:
        """Return the manager."""
        return self.below.manager


def nodes(service: IslandService, _asked: Asked) -> Answer:
    """List the nodes."""
    return as_json(service.manager.roster.nodes)


def nodes_of_master(service: IslandService, _asked: Asked) -> Answer:
    """List the nodes of all islands."""
    return as_json({"nodes": service.manager.roster.nodes})


def islands(service: IslandService, _asked: Asked) -> Answer:
    """List the islands."""
    told = service.below.heartbeat.told
    return as_json({"islands": [name for name, one in told.items() if one.alive]})


def add_node(service: IslandService, asked: Asked) -> Answer:
    """Take a node in."""
    service.below.add(asked.text("node"))
    return as_json(DONE)


def remove_node(service: IslandService, asked: Asked) -> Answer:
    """Let a node go."""
    try:
        # One that is lost can be removed too: it would be taken back if it ever answered.
        name = find_node(asked.text("node"), list(service.below.heartbeat.told))
    except UsageError:
        raise NotFoundError(f"there is no {asked.text('node')!r} here") from None
    service.below.remove(name)
    return as_json(DONE)


_BOTH = (*node_below_routes.ROUTES, *existing_routes.COMPOSITE)
ISLAND: tuple[Route[Any], ...] = (
    *_BOTH,
    Route("GET", "/api/nodes", nodes, tag="nodes"),
    Route("POST", "/api/node/{node}", add_node, (NODE,), tag="nodes"),
    Route("DELETE", "/api/node/{node}", remove_node, (NODE,), tag="nodes"),
)
MASTER: tuple[Route[Any], ...] = (
    *_BOTH,
    Route("GET", "/api/nodes", nodes_of_master, tag="nodes"),
    Route("GET", "/api/islands", islands, tag="nodes"),
    Route("POST", "/api/island/{node}", add_node, (NODE,), tag="nodes"),
    Route("DELETE", "/api/island/{node}", remove_node, (NODE,), tag="nodes"),
)
