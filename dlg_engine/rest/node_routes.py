"""The routes that only the manager of a node has."""

from __future__ import annotations

from typing import Any

from dlg.exceptions import NoDropException, UsageError
from dlg.http.answers import Answer, as_file, as_json
from dlg.http.asking import Asked, Kind, Param
from dlg.http.routes import Route, Takes
from dlg_engine.rest.service import NodeService
from dlg_engine.rest.session_routes import DONE, OID, SESSION


def link(service: NodeService, asked: Asked) -> Answer:
    """Link drops of two parts of a graph: one is the consumer, input, ... of the other."""
    kind, left, right = asked.whole("linkType"), asked.text("lhOID"), asked.text("rhOID")
    service.manager.add_link(asked.text("s"), left, kind, right)
    return as_json(DONE)


def trigger(service: NodeService, asked: Asked) -> Answer:
    """Complete data and start apps of a session."""
    uids = asked.document
    if not isinstance(uids, list) or not all(isinstance(uid, str) for uid in uids):
        raise UsageError("a list of uids is expected")
    service.manager.trigger(asked.text("s"), uids)
    return as_json(DONE)


def subscribe(service: NodeService, asked: Asked) -> Answer:
    """Take note of links to drops of other nodes: [lhs, link type, rhs] by node."""
    service.node.subscribe(asked.text("s"), asked.document)
    return as_json(DONE)


def data(service: NodeService, asked: Asked) -> Answer:
    """Tell where the file of a drop is, in the directory of its session."""
    path = service.file_of(asked.text("s"), asked.text("oid"))
    return as_json({"filepath": "" if path is None else str(path)})


def download(service: NodeService, asked: Asked) -> Answer:
    """Give the file of a drop, if it lies in the directory of its session."""
    path = service.file_of(asked.text("s"), asked.text("oid"))
    if path is None:
        raise NoDropException(asked.text("oid"), "it has no file in the session's directory")
    return as_file(path, download=path.name)


_S = "/api/sessions/{s}"
LINK = (
    SESSION,
    Param("lhOID", required=True, help="The drop that is the consumer, the input, ..."),
    Param("rhOID", required=True, help="... of this one."),
    Param("linkType", Kind.WHOLE, "The type of the link.", required=True, least=0),
)

ROUTES: tuple[Route[Any], ...] = (
    Route("POST", f"{_S}/graph/link", link, LINK, tag="graph"),
    Route(
        "POST", f"{_S}/subscriptions", subscribe, (SESSION,), tag="graph",
        takes=Takes.JSON, media=("application/json",),
    ),
    Route("POST", f"{_S}/trigger", trigger, (SESSION,), tag="sessions", takes=Takes.JSON),
    Route("GET", f"{_S}/graph/drop/data/{{oid*}}", data, (SESSION, OID), tag="graph"),
    Route(
        "GET", "/sessions/{s}/graph/drop/data/{oid*}", download, (SESSION, OID), tag="graph",
        kind="application/octet-stream",
    ),
)  # fmt: skip
