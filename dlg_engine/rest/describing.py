"""The routes of a manager as an OpenAPI document, and the route that gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked
from dlg.http.openapi import Document, describe_routes
from dlg.http.routes import Route
from dlg_engine.rest import watch_schemas
from dlg_engine.rest.errors import OTHER_MANAGER, STATUSES, SUB_MANAGER
from dlg_engine.rest.schemas import LEVELS, SCHEMAS, TOLD

TITLES = {
    "node": "dlg node manager",
    "island": "dlg data island manager",
    "master": "dlg master manager",
}
TAGS = {
    "manager": "The manager itself.",
    "sessions": "Sessions, from their creation to their end.",
    "graph": "The graph of a session, and its drops.",
    "nodes": "Who is below.",
    "hosts": "Managers of other hosts, through the daemons there.",
    "watching": "What pages and programs follow a session by.",
}
_WORDS = {
    SUB_MANAGER: "A manager below could not be reached, or failed.",
    OTHER_MANAGER: "The daemon of a host, or an island, could not be reached, or failed.",
}


def document_of(level: str, *, secured: bool = False) -> Document:
    """Return what the document of a node, island or master says besides its routes."""
    return Document(
        title=TITLES[level],
        description="Runs graphs: see the manual for how its levels work together.",
        tags=TAGS,
        statuses=STATUSES,
        words=_WORDS,
        error={"type": {"type": "string"}, "args": {"type": "array"}},
        secured=secured,
        told={**TOLD, **watch_schemas.TOLD, **LEVELS[level]},
        schemas={**SCHEMAS, **watch_schemas.SCHEMAS},
    )


def with_description(routes: Sequence[Route[Any]], document: Document) -> tuple[Route[Any], ...]:
    """Return the routes, and one more that describes them all."""

    def describe(_service: Any, _asked: Asked) -> Answer:
        """Describe all routes for programs, as OpenAPI."""
        return as_json(describe_routes(whole, document))

    whole = (*routes, Route("GET", "/api/openapi.json", describe, tag="manager"))
    return whole
