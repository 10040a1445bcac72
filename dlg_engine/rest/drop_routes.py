"""The routes about single drops and about logs, at every level."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from dlg.http.answers import HTML, TEXT, Answer, as_json, as_text
from dlg.http.asking import Asked, Kind, Param
from dlg.http.routes import Route
from dlg_engine.managers.inspecting import detail
from dlg_engine.managers.told import describe
from dlg_engine.rest.service import ManagerService
from dlg_engine.rest.session_routes import OID, SESSION
from dlg_engine.rest.watch_routes import board_of

MOST_PREVIEWED = 1 << 20
LINES = 1000
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Log of {oid}</title>
<h1>Log of drop {oid}</h1><p>session {session}</p>
<table><tr><th>{heads}</tr>
{rows}
</table></html>
"""


def drop(service: ManagerService, asked: Asked) -> Answer:
    """Tell what there is to know of a drop: state, error with traceback, links, dropspec."""
    board, oid = board_of(service, asked), asked.text("oid")
    board.row_of(oid)
    return as_json(detail(board, oid, service.inspect("drop_state", asked.text("s"), oid)))


def drop_logs(service: ManagerService, asked: Asked) -> Answer:
    """Tell the last lines that a drop has left in the log of its session."""
    lines = _lines(service, asked, asked.whole("most"))
    kept = ("time", "level", "module", "function", "line", "message")
    return as_json({"logs": [{key: line.get(key) for key in kept} for line in lines]})


def drop_preview(service: ManagerService, asked: Asked) -> Answer:
    """Show the beginning of data: text, JSON, a picture, or how Python shows an object."""
    oid, most = asked.text("oid"), asked.whole("most")
    board_of(service, asked).row_of(oid)
    return as_json(service.inspect("drop_preview", asked.text("s"), oid, most))


def logs(service: ManagerService, asked: Asked) -> Answer:
    """Give the log of a session as text; above a node, that of all its nodes by time."""
    return as_text("".join(map(as_line, service.logs(asked.text("s")))))


def drop_with_logs(service: ManagerService, asked: Asked) -> Answer:
    """Tell the state and the log of a drop in the form of the existing system."""
    board, session, oid = board_of(service, asked), asked.text("s"), asked.text("oid")
    known = service.inspect("drop_state", session, oid)
    told = describe(board, board.row_of(oid), *board.states())
    error = known["error"]
    text = "" if error is None else f"{error['class']}: {error['message']}"
    lines = [_as_existing(line) for line in _lines(service, asked, LINES)]
    return as_json({
        "session": session, "oid": oid, "status": told["status"], "error": text,
        "stopped_by": known["stopped_by"], "phase": known["phase"], "logs": lines,
    })  # fmt: skip


def log_page(service: ManagerService, asked: Asked) -> Answer:
    """Show the log of a drop as a page."""
    lines = [_as_existing(line) for line in _lines(service, asked, LINES)]
    heads = "<th>".join(html.escape(head) for head in _as_existing({}))
    rows = "\n".join("<tr><td>" + "<td>".join(_cells(line)) for line in lines)
    oid, session = html.escape(asked.text("oid")), html.escape(asked.text("s"))
    page = PAGE.format(oid=oid, session=session, heads=heads, rows=rows)
    return Answer(page.encode(), HTML)


def _lines(service: ManagerService, asked: Asked, most: int) -> list[dict[str, Any]]:
    oid = asked.text("oid")
    board_of(service, asked).row_of(oid)
    found: list[dict[str, Any]] = service.inspect("drop_logs", asked.text("s"), oid, most)
    return found


def _as_existing(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of a log with the keys that existing clients know; the message is HTML."""
    return {
        "time": _time(line),
        "Level": line.get("level", ""),
        "Module": line.get("module", ""),
        "Function/Method": line.get("function", ""),
        "Line #": line.get("line", 0),
        "Message": html.escape(str(line.get("message", ""))),
    }


def _cells(line: Mapping[str, Any]) -> Iterable[str]:
    for key, value in line.items():
        yield f"<pre>{value}</pre>" if key == "Message" else html.escape(str(value))


def as_line(line: Mapping[str, Any]) -> str:
    """Return a line of a log as text."""
    who = "/".join(str(line[key]) for key in ("node", "drop") if line.get(key))
    place = f"[{who}] " if who else ""
    level = f"{line.get('level', ''):7}"
    return f"{_time(line)} {level} {place}{line.get('module', '')}: {line.get('message', '')}\n"


def _time(line: Mapping[str, Any]) -> str:
    at = datetime.fromtimestamp(float(line.get("time") or 0.0), tz=UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


MOST = Param(
    "most", Kind.WHOLE, "How many lines, the last ones.", default=LINES, least=1, most=10_000
)
BYTES = Param(
    "most", Kind.WHOLE, "How many bytes are looked at.", default=4096, least=1,
    most=MOST_PREVIEWED,
)  # fmt: skip
_V1 = "/api/v1/sessions/{s}"
_OLD = "/api/sessions/{s}"

ROUTES: tuple[Route[Any], ...] = (
    Route("GET", f"{_V1}/drops/{{oid}}", drop, (SESSION, OID), tag="watching"),
    Route("GET", f"{_V1}/drops/{{oid}}/logs", drop_logs, (SESSION, OID, MOST), tag="watching"),
    Route(
        "GET", f"{_V1}/drops/{{oid}}/preview", drop_preview, (SESSION, OID, BYTES), tag="watching"
    ),
    Route("GET", f"{_V1}/logs", logs, (SESSION,), tag="watching", kind=TEXT),
    Route("GET", f"{_OLD}/logs", logs, (SESSION,), tag="sessions", kind=TEXT),
    Route(
        "GET", f"{_OLD}/graph/drop/{{oid*}}", drop_with_logs, (SESSION, OID), tag="graph"
    ),
    Route(
        "GET", "/sessions/{s}/graph/drop/{oid*}", log_page, (SESSION, OID), tag="graph", kind=HTML
    ),
)  # fmt: skip
