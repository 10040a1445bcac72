"""The routes by which one node is looked at through an island or a master."""

from __future__ import annotations

from typing import Any

from dlg.exceptions import UsageError
from dlg.http.answers import JSON, Answer, as_json
from dlg.http.asking import Asked, Param
from dlg.http.errors import NotFoundError
from dlg.http.routes import Route
from dlg_engine.managers.addresses import find_node
from dlg_engine.managers.looking import at_node, graph_of_node
from dlg_engine.rest.service import CompositeService
from dlg_engine.rest.session_routes import SESSION

NODE = Param("node", required=True, help="A node, as host:port:events_port:rpc_port.")


def listing(service: CompositeService, asked: Asked) -> Answer:
    """List the sessions of a node."""
    return as_json(_ask(service, asked, "session_list"))


def session(service: CompositeService, asked: Asked) -> Answer:
    """Tell the status, graph and directory that a session has on a node."""
    one = asked.text("s")
    return as_json(
        {
            "status": _ask(service, asked, "session_status", one),
            "graph": graph_of_node(service.manager, _node(service, asked), one),
            "dir": _ask(service, asked, "session_dir", one),
        }
    )


def status(service: CompositeService, asked: Asked) -> Answer:
    """Tell the status of a session on a node."""
    return as_json(_ask(service, asked, "session_status", asked.text("s")))


def graph(service: CompositeService, asked: Asked) -> Answer:
    """Tell the dropspecs that a node has of a session, by oid."""
    return as_json(graph_of_node(service.manager, _node(service, asked), asked.text("s")))


def graph_status(service: CompositeService, asked: Asked) -> Answer:
    """Tell the state of each drop that a node has of a session."""
    found = _ask(service, asked, "graph_status", asked.text("s"))
    return Answer(found, JSON) if isinstance(found, bytes) else as_json(found)


def _ask(service: CompositeService, asked: Asked, method: str, *args: str) -> Any:
    return at_node(service.manager, _node(service, asked), method, *args)


def _node(service: CompositeService, asked: Asked) -> str:
    try:
        return find_node(asked.text("node"), service.manager.roster.nodes)
    except UsageError:
        raise NotFoundError(f"there is no node {asked.text('node')!r} here") from None


_N = "/api/node/{node}/sessions"
_BOTH = (NODE, SESSION)

ROUTES: tuple[Route[Any], ...] = (
    Route("GET", _N, listing, (NODE,), tag="nodes"),
    Route("GET", f"{_N}/{{s}}", session, _BOTH, tag="nodes"),
    Route("GET", f"{_N}/{{s}}/status", status, _BOTH, tag="nodes"),
    Route("GET", f"{_N}/{{s}}/graph", graph, _BOTH, tag="nodes"),
    Route("GET", f"{_N}/{{s}}/graph/status", graph_status, _BOTH, tag="nodes"),
)
