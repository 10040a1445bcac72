"""The route that tells who is there: all levels answer in the same form, and ask nobody for it.

What is told was heard along with the last signs of life, so it is about a second old.
"""

from __future__ import annotations

from typing import Any

from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked
from dlg.http.routes import Route
from dlg_engine.managers import facts
from dlg_engine.rest.composite_routes import IslandService
from dlg_engine.rest.service import NodeService

PATH = "/api/v1/cluster"


def of_node(service: NodeService, _asked: Asked) -> Answer:
    """Tell what this node has, and how busy it is."""
    node = service.node
    return as_json(facts.overview("node", node.name, node.url, (), [node.facts()]))


def of_island(service: IslandService, _asked: Asked) -> Answer:
    """Tell which nodes there are, what they have and how busy they are."""
    name, url = service.name, service.url
    own = {"name": name, "url": url, "alive": True}
    nodes = facts.of_nodes(service.below.heartbeat, name)
    return as_json(facts.overview("island", name, url, [own], nodes))


def of_master(service: IslandService, _asked: Asked) -> Answer:
    """Tell which islands and nodes there are, what they have and how busy they are."""
    heartbeat = service.below.heartbeat
    islands, nodes = facts.islands_of(heartbeat), facts.below_islands(heartbeat)
    return as_json(facts.overview("master", service.name, service.url, islands, nodes))


NODE: tuple[Route[Any], ...] = (Route("GET", PATH, of_node, tag="nodes"),)
ISLAND: tuple[Route[Any], ...] = (Route("GET", PATH, of_island, tag="nodes"),)
MASTER: tuple[Route[Any], ...] = (Route("GET", PATH, of_master, tag="nodes"),)
