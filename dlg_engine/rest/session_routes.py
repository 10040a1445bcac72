"""The routes that all managers have: sessions and their graphs."""

from __future__ import annotations

from typing import Any

from dlg.exceptions import UsageError
from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked, Kind, Param
from dlg.http.routes import Route, Takes
from dlg.reproducibility.levels import parse_level
from dlg_engine.managers.run_options import RunOptions
from dlg_engine.rest.service import ManagerService, sessions

DONE = {"Status": "Success"}
SESSION = Param("s", required=True, help="The id of a session.")
OID = Param("oid", required=True, help="The oid of a drop.")
JSON_OR_TEXT = ("application/json", "text/plain")


def info(service: ManagerService, _asked: Asked) -> Answer:
    """Tell who is below, and which sessions there are."""
    return as_json(service.info())


def submission_method(_service: ManagerService, _asked: Asked) -> Answer:
    """Tell who may submit graphs."""
    return as_json({"methods": ["BROWSER", "SERVER"]})


def list_sessions(service: ManagerService, _asked: Asked) -> Answer:
    """List the sessions with their status and size."""
    return as_json(sessions(service))


def create_session(service: ManagerService, asked: Asked) -> Answer:
    """Create a session."""
    session_id = asked.text("sessionId")
    service.manager.create_session(session_id)
    return as_json({"sessionId": session_id})


def get_session(service: ManagerService, asked: Asked) -> Answer:
    """Tell the status, graph and directory of a session."""
    one = asked.text("s")
    found = {"status": service.status(one), "graph": service.manager.graph(one)}
    directory = service.directory(one)
    return as_json({**found, "dir": directory.get("dir", directory)})


def delete_session(service: ManagerService, asked: Asked) -> Answer:
    """Cancel a session if it runs, and forget it."""
    service.manager.destroy_session(asked.text("s"))
    return as_json(DONE)


def session_status(service: ManagerService, asked: Asked) -> Answer:
    """Tell the status of a session: a number, or one for each manager below."""
    return as_json(service.status(asked.text("s")))


def append_graph(service: ManagerService, asked: Asked) -> Answer:
    """Add dropspecs to the graph of a session."""
    service.manager.add_graph(asked.text("s"), dropspecs(asked.document))
    return as_json(DONE)


def graph(service: ManagerService, asked: Asked) -> Answer:
    """Tell the dropspecs of a session by oid."""
    return as_json(service.manager.graph(asked.text("s")))


def graph_size(service: ManagerService, asked: Asked) -> Answer:
    """Tell how many drops a session has."""
    return as_json(service.manager.graph_size(asked.text("s")))


def graph_status(service: ManagerService, asked: Asked) -> Answer:
    """Tell the state of each drop."""
    return as_json(service.manager.graph_status(asked.text("s")))


def deploy(service: ManagerService, asked: Asked) -> Answer:
    """Start a session."""
    given = asked.values.get("completed")
    completed = None if given is None else [uid for uid in str(given).split(",") if uid]
    level = asked.values.get("repro")
    repro = None if level is None else int(parse_level(level))
    options = RunOptions(repro, reuse=bool(asked.values.get("reuse")))
    service.manager.deploy_session(asked.text("s"), completed, options)
    return as_json(DONE)


def cancel(service: ManagerService, asked: Asked) -> Answer:
    """Give a session up."""
    service.manager.cancel_session(asked.text("s"))
    return as_json(DONE)


def directory(service: ManagerService, asked: Asked) -> Answer:
    """Tell where a session works."""
    return as_json(service.directory(asked.text("s")))


def summary(service: ManagerService, asked: Asked) -> Answer:
    """Tell how a session stands as a whole: state, drops by state, errors, the reason."""
    return as_json(service.summary(asked.text("s")))


def health(_service: ManagerService, _asked: Asked) -> Answer:
    """Tell that the manager answers."""
    return as_json({"status": "ok"})


def dropspecs(document: Any) -> list[Any]:
    """Return a list of dropspecs; refuse anything else.

    What is wrong with a dropspec is told when the session is deployed, but it has to be one.
    """
    if not isinstance(document, list):
        raise UsageError("a graph is a list of dropspecs")
    for place, spec in enumerate(document):
        if not isinstance(spec, dict):
            raise UsageError(f"/{place}: a dropspec is an object, not {spec!r:.40}")
        if not isinstance(spec.get("oid", ""), str):
            raise UsageError(f"/{place}/oid: an oid is a text, not {spec['oid']!r:.40}")
    return document


COMPLETED = Param("completed", help="Uids of drops to start from, with commas between.")
REPRO = Param("repro", help="Keep evidence at this level of reproducibility: a name or number.")
REUSE = Param("reuse", Kind.FLAG, "Take results from the stores of nodes, and keep new ones.")
ID = Param("sessionId", required=True, help="The id it is to have.")
_S = "/api/sessions/{s}"

ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/api", info, tag="manager"),
    Route("GET", "/api/submission_method", submission_method, tag="manager"),
    Route("GET", "/health", health, tag="manager"),
    Route("GET", "/api/sessions", list_sessions, tag="sessions"),
    Route("POST", "/api/sessions", create_session, (ID,), tag="sessions"),
    Route("GET", _S, get_session, (SESSION,), tag="sessions"),
    Route("DELETE", _S, delete_session, (SESSION,), tag="sessions"),
    Route("GET", f"{_S}/status", session_status, (SESSION,), tag="sessions"),
    Route(
        "POST", f"{_S}/graph/append", append_graph, (SESSION,), tag="graph",
        takes=Takes.JSON, media=JSON_OR_TEXT,
    ),
    Route("GET", f"{_S}/graph", graph, (SESSION,), tag="graph"),
    Route("GET", f"{_S}/graph/size", graph_size, (SESSION,), tag="graph"),
    Route("GET", f"{_S}/graph/status", graph_status, (SESSION,), tag="graph"),
    Route("POST", f"{_S}/deploy", deploy, (SESSION, COMPLETED, REPRO, REUSE), tag="sessions"),
    Route("POST", f"{_S}/cancel", cancel, (SESSION,), tag="sessions"),
    Route("GET", f"{_S}/dir", directory, (SESSION,), tag="sessions"),
    Route("GET", "/api/v1/sessions/{s}", summary, (SESSION,), tag="sessions"),
)  # fmt: skip
"""What every manager answers."""
