"""The routes by which sessions are watched: what has changed, as a stream or since a version."""

from __future__ import annotations

from typing import Any

from dlg.exceptions import InvalidSessionState, UsageError
from dlg.http.answers import EVENTS, Answer, as_events, as_json
from dlg.http.asking import Asked, Kind, Param
from dlg.http.routes import Route
from dlg.support import clock
from dlg_engine.managers import told
from dlg_engine.managers.boards import Board
from dlg_engine.rest.service import ManagerService
from dlg_engine.rest.session_routes import SESSION
from dlg_engine.rest.streams import Stream

FORMS = ("oids", "rows")
MOST_LISTED = 10_000


def list_sessions(service: ManagerService, asked: Asked) -> Answer:
    """List the sessions with how they stand, newest first, page by page."""
    manager = service.manager
    after, limit = asked.text("after"), asked.whole("limit")
    return as_json(told.session_page(manager.session_ids, manager.session, after, limit))


def events(service: ManagerService, asked: Asked) -> Answer:
    """Tell every change of a session as it happens, until it is over; resumed by Last-Event-ID."""
    session, form = service.manager.session(asked.text("s")), asked.text("form")
    if form not in FORMS:
        raise UsageError(f"form: {form!r} is no form of events; there are {', '.join(FORMS)}")
    version = first_version(session.board, asked)
    return as_events(Stream(session, version, rows=form == "rows").events())


def status(service: ManagerService, asked: Asked) -> Answer:
    """Tell the states of drops that have changed after a version, and the present version."""
    session, since = service.manager.session(asked.text("s")), asked.whole("since")
    told.check_version(session.board, since)
    found = told.states_since(session.board, since) if session.board else {"drops": {}}
    return as_json({"version": 0, **found})


def drops(service: ManagerService, asked: Asked) -> Answer:
    """List the drops of a session, all or those in a state or with a text, page by page."""
    board = board_of(service, asked)
    state, text = asked.text("state"), asked.text("text")
    offset, limit = asked.whole("offset"), asked.whole("limit")
    return as_json(told.drop_page(board, offset=offset, limit=limit, state=state, text=text))


def timeline(service: ManagerService, asked: Asked) -> Answer:
    """Tell when each app ran on which node; of too many, those that took longest."""
    return as_json(told.timeline(board_of(service, asked), asked.whole("most"), clock.now()))


def board_of(service: ManagerService, asked: Asked) -> Board:
    """Return the drops of a session; refuse one that has not been deployed."""
    session = service.manager.session(asked.text("s"))
    board: Board | None = session.board
    if board is None:
        raise InvalidSessionState(f"session {session.session_id} has not been deployed")
    return board


def first_version(board: Board | None, asked: Asked) -> int:
    """Return the version after which a client wants to be told of changes.

    That is the id of the last event it got, if it comes back. A client that knows more than there
    is has followed an earlier session of that name, and gets everything.
    """
    last = asked.last_event
    if not last:
        told.check_version(board, asked.whole("since"))
        return asked.whole("since")
    if not (last.isascii() and last.isdecimal()):
        raise UsageError(f"Last-Event-ID: {last[:50]!r} is no id of an event of ours")
    present = 0 if board is None else board.journal.version
    return int(last) if int(last) <= present else 0


def _whole(name: str, default: int, least: int, most: int | None, text: str) -> Param:
    return Param(name, Kind.WHOLE, text, default=default, least=least, most=most)


LIMIT = _whole("limit", 100, 1, MOST_LISTED, "How many at most.")
AFTER = Param("after", help="The session after which the page begins.")
FORM = Param("form", default="oids", help="oids, or rows: how drops are named.")
SINCE = _whole("since", 0, 0, None, "The version after which changes are told.")
OFFSET = _whole("offset", 0, 0, None, "How many drops to pass over.")
STATE = Param("state", help="Only drops in this state: ERROR, COMPLETED, RUNNING, ...")
SEARCH = Param("text", help="Only drops with this in their name, oid or category.")
SPANS = _whole("most", 5000, 1, 1_000_000, "How many apps at most.")
_S = "/api/v1/sessions/{s}"

ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/api/v1/sessions", list_sessions, (LIMIT, AFTER), tag="watching"),
    Route("GET", f"{_S}/events", events, (SESSION, FORM, SINCE), tag="watching", kind=EVENTS),
    Route("GET", f"{_S}/status", status, (SESSION, SINCE), tag="watching"),
    Route(
        "GET", f"{_S}/drops", drops, (SESSION, OFFSET, LIMIT, STATE, SEARCH), tag="watching"
    ),
    Route("GET", f"{_S}/timeline", timeline, (SESSION, SPANS), tag="watching"),
)  # fmt: skip
"""What every manager tells those who watch."""
