"""Routes that only those ask for who know them from the existing system."""

from __future__ import annotations

from typing import Any

from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked
from dlg.http.errors import MethodError
from dlg.http.routes import Route
from dlg_engine.managers.looking import past_sessions
from dlg_engine.rest.service import ManagerService
from dlg_engine.rest.session_routes import SESSION


def shutdown(_service: ManagerService, _asked: Asked) -> Answer:
    """Refuse: a manager is not shut down by a question, but by POST /api/stop."""
    raise MethodError("nothing is shut down by a GET: use POST /api/stop", ())


def options(_service: ManagerService, _asked: Asked) -> Answer:
    """Answer with an empty object."""
    return as_json({})


def repro_data(service: ManagerService, asked: Asked) -> Answer:
    """Tell what a session leaves behind to be compared with others: its drops, and signatures.

    Before its end there are no signatures, and nothing at all unless somebody has asked for it.
    """
    drops, data = service.evidence(asked.text("s"))
    return as_json({"graph": drops, "reprodata": data})


def repro_status(service: ManagerService, asked: Asked) -> Answer:
    """Tell whether all is there that a session leaves behind to be compared with others."""
    return as_json(service.has_evidence(asked.text("s")))


def left_behind(service: Any, _asked: Asked) -> Answer:
    """List sessions that are gone and have left their directories."""
    return as_json([{"sessionId": one} for one in past_sessions(service.manager)])


_S = "/api/sessions/{s}"

ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/api/shutdown", shutdown, tag="manager"),
    Route("OPTIONS", "/api/sessions", options, tag="sessions"),
    Route("OPTIONS", f"{_S}/graph/append", options, (SESSION,), tag="graph"),
    Route("GET", f"{_S}/repro/data", repro_data, (SESSION,), tag="sessions"),
    Route("GET", f"{_S}/repro/status", repro_status, (SESSION,), tag="sessions"),
)
"""Those of all managers."""
COMPOSITE: tuple[Route[Any], ...] = (
    Route("GET", "/api/past_sessions", left_behind, tag="sessions"),
)
"""Those of islands and masters."""
