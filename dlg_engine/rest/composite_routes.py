"""The routes of data islands and masters: who is below."""

from __future__ import annotations

from typing import Any

from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked, Param
from dlg.http.routes import Route
from dlg_engine.managers.addresses import find_node
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.rest.below import Below
from dlg_engine.rest.service import CompositeService
from dlg_engine.rest.session_routes import DONE

NODE = Param("node", required=True, help="A node, as host:port:events_port:rpc_port.")


class IslandService(CompositeService):
    """A data island or a master, with the means to take others in."""

    below: Below

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
    return as_json({"islands": service.manager.roster.children})


def add_node(service: IslandService, asked: Asked) -> Answer:
    """Take a node in."""
    service.below.add(asked.text("node"))
    return as_json(DONE)


def remove_node(service: IslandService, asked: Asked) -> Answer:
    """Let a node go."""
    name = find_node(asked.text("node"), service.manager.roster.children)
    service.below.remove(name)
    return as_json(DONE)


def node_sessions(service: IslandService, asked: Asked) -> Answer:
    """List the sessions of a node."""
    name = find_node(asked.text("node"), service.manager.roster.nodes)
    child = service.manager.roster.child(name)
    found = service.manager.calls.call(child, "sessions").result()
    return as_json([{"sessionId": one, "status": state} for one, state in found.items()])


ISLAND: tuple[Route[Any], ...] = (
    Route("GET", "/api/nodes", nodes, tag="nodes"),
    Route("POST", "/api/node/{node}", add_node, (NODE,), tag="nodes"),
    Route("DELETE", "/api/node/{node}", remove_node, (NODE,), tag="nodes"),
    Route("GET", "/api/node/{node}/sessions", node_sessions, (NODE,), tag="nodes"),
)
MASTER: tuple[Route[Any], ...] = (
    Route("GET", "/api/nodes", nodes_of_master, tag="nodes"),
    Route("GET", "/api/islands", islands, tag="nodes"),
    Route("POST", "/api/island/{node}", add_node, (NODE,), tag="nodes"),
    Route("DELETE", "/api/island/{node}", remove_node, (NODE,), tag="nodes"),
)
