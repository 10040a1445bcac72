"""The route that tells pages where to draw what of a session's graph."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

from dlg.exceptions import UsageError
from dlg.graph import read_physical_graph
from dlg.graph.physical import Links, PhysicalGraph
from dlg.graph.spec_links import removeUnmetRelationships
from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked, Kind, Param
from dlg.http.routes import Route
from dlg_engine.rest.service import ManagerService, NodeService
from dlg_engine.rest.session_routes import SESSION
from dlg_engine.rest.view import By, Drawable
from dlg_engine.sessions.states import SessionStates

NOTHING = PhysicalGraph((), b"", (), (), Links(), ())
MOST_KEPT = 8
"""How many answers are kept for a session."""


class Views:
    """The graph of one session as it was drawn: made once, as a deployed graph does not change."""

    def __init__(self, drawable: Drawable) -> None:
        self._drawable = drawable
        self._lock = threading.Lock()
        self._answers: dict[tuple[By, int | None], Answer] = {}

    def answer(self, by: By, group: int | None) -> Answer:
        """Return what is drawn; raise UsageError for a group that is not there."""
        with self._lock:
            found = self._answers.pop((by, group), None)
            if found is None:
                found = as_json(self._drawable.view(by, group))
            self._answers[by, group] = found
            while len(self._answers) > MOST_KEPT:
                del self._answers[next(iter(self._answers))]
            return found


_lock = threading.Lock()
_views: WeakKeyDictionary[Any, Views] = WeakKeyDictionary()
"""By session, and gone with it."""


def view(service: ManagerService, asked: Asked) -> Answer:
    """Tell where to draw the drops of a session, or groups of them, with links, as columns."""
    session = service.manager.session(asked.text("s"))
    by = _way(asked.text("by"))
    with _lock:
        views = _views.get(session)
    if views is None:
        deployed = session.state > SessionStates.BUILDING
        views = Views(drawable(service, asked.text("s")))
        if deployed:
            with _lock:
                _views[session] = views
    return views.answer(by, asked.number("group"))


def drawable(service: ManagerService, session_id: str) -> Drawable:
    """Return the graph of a session, ready to be drawn.

    Raises InvalidGraphException for one that could not be deployed either.
    """
    specs = list(service.manager.graph(session_id).values())
    if isinstance(service, NodeService):
        # What a node has of a graph is linked to drops of other nodes.
        own = [dict(spec) for spec in specs]
        removeUnmetRelationships(own)
        specs = list(own)
    return Drawable(read_physical_graph(specs, runs_here=False) if specs else NOTHING)


def _way(text: str) -> By:
    try:
        return By(text)
    except ValueError:
        ways = ", ".join(By)
        raise UsageError(f"by: {text!r} is no way to draw a graph; there are {ways}") from None


BY = Param("by", default="auto", help="auto: drops of a small graph, groups of a big one.")
GROUP = Param(
    "group", Kind.WHOLE, "A group to open: its drops, and the groups around it.", least=0
)
ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/api/v1/sessions/{s}/view", view, (SESSION, BY, GROUP), tag="watching"),
)
