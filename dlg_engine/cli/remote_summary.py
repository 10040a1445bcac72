"""What is told of a session of a manager: states, times, errors and where they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import click

from dlg.clients import ManagerClient
from dlg.clients.drops import describe_drop
from dlg.clients.watching import preview
from dlg.ddap_protocol import DROPStates
from dlg.exceptions import DaliugeException
from dlg_engine.cli.connection import Manager
from dlg_engine.cli.progress import span
from dlg_engine.cli.summary import (
    COLOURS,
    SHOWN_ERRORS,
    count_of_drops,
    error_lines,
    result_lines,
    reused_lines,
    shown_size,
    shown_value,
    state_lines,
)
from dlg_engine.sessions.report import DropError

MOST_PREVIEW = 1000
"""Bytes that are asked for of a result: enough for a text of a few lines."""
_LINE = 200

Summary = Mapping[str, Any]


class Results(NamedTuple):
    """The data that no app consumes."""

    first: Sequence[tuple[str, str]]
    """Oid and name of those that are told."""
    total: int


def summary_lines(
    manager: Manager, summary: Summary, results: Results | None = None
) -> Iterator[str]:
    """Yield the lines that tell how a session stands, and what `results` there are."""
    session_id = str(summary["sessionId"])
    yield from error_lines(drop_errors(manager.client, summary))
    yield headline(summary)
    yield from state_lines(summary["counts"])
    yield from reused_lines(int(summary.get("reused") or 0))
    if results and results.total:
        yield from _result_lines(manager.client, session_id, results)
    if results is None:  # who asks how it stands knows how to ask
        yield f"session {session_id}: {page_of(manager, session_id)}"
    else:
        yield f"session {session_id}: dlg status {session_id}{manager.where()}"


def page_of(manager: Manager, session_id: str) -> str:
    """Return the address of the page of a session."""
    return f"{manager.url}/session?sessionId={quote(session_id, safe='')}"


def _result_lines(client: ManagerClient, session_id: str, results: Results) -> Iterator[str]:
    """Yield where the results are, or what they are; nothing for those that did not come to be."""
    if not results.first:
        yield f"results: {results.total:,}, each to be seen on the page of the session"
    found = [(name, _result(client, session_id, oid)) for oid, name in results.first]
    rows = [(name, what) for name, what in found if what]
    if rows:
        yield "results"
    yield from result_lines(rows)
    if rows and results.total > len(results.first):
        yield f"  and {results.total - len(results.first):,} more"


def headline(summary: Summary) -> str:
    """Return in one line how a session stands."""
    state = click.style(summary["state"], fg=COLOURS.get(summary["state"]), bold=True)
    reason = f" ({summary['reason']})" if summary.get("reason") else ""
    parts = [count_of_drops(int(summary["drops"]))]
    nodes = len(summary.get("nodes") or ())
    if nodes:
        parts.append(f"{nodes} node{'s' if nodes > 1 else ''}")
    began, ended = summary.get("started"), summary.get("ended")
    if began and ended:
        parts.append(f"run {span(max(0.0, ended - began))}")
    return f"{state}{reason}: {', '.join(parts)}"


def drop_errors(client: ManagerClient, summary: Summary) -> list[DropError]:
    """Return what failed in a session; of the first few, which are shown, with the traceback."""
    found = []
    for place, error in enumerate(summary.get("errors") or ()):
        uid = str(error["uid"])
        detail = _detail(client, summary, uid) if place < SHOWN_ERRORS else {}
        found.append(
            DropError(
                uid=uid,
                name=str(error.get("name") or uid),
                exception=str(error["exception"]),
                traceback=str(detail.get("traceback") or ""),
                stopped=int(error.get("stopped") or 0),
                node=str(error.get("node") or ""),
            )
        )
    return found


def _detail(client: ManagerClient, summary: Summary, uid: str) -> Mapping[str, Any]:
    try:
        return describe_drop(client.link, str(summary["sessionId"]), uid)["error"] or {}
    except DaliugeException:
        return {}  # its node has gone meanwhile; the error itself is known


def _result(client: ManagerClient, session_id: str, oid: str) -> str:
    """Return where a result is, or what its value is if that is in memory; "" for none."""
    try:
        drop = describe_drop(client.link, session_id, oid)
        if drop["status"] != DROPStates.COMPLETED:
            return ""
        url = urlsplit(str(drop.get("dataURL") or ""))
        if url.scheme == "file":
            return f"{unquote(url.path)}{shown_size(drop.get('size'))} on {drop['node']}"
        return _preview(client, session_id, oid)
    except DaliugeException as error:
        return f"({error})"


def _preview(client: ManagerClient, session_id: str, oid: str) -> str:
    """Return the beginning of what is in a drop, where that is a text."""
    found = preview(client.link, session_id, oid, MOST_PREVIEW)
    if found["kind"] in {"text", "json"}:
        return _told(str(found["text"]), whole=bool(found["whole"]))
    return f"{found['type']}{shown_size(found.get('size'))}"


def _told(text: str, *, whole: bool) -> str:
    """Return a text as it is, or the beginning of one that is longer than what was asked for."""
    return (
        shown_value(text)
        if whole
        else f"{shown_value(' '.join(text.split())[:_LINE].rstrip())} ..."
    )
