"""The events of a session as they happen: a stream that is taken up where it broke off."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from dlg.clients.http import BAD, OK, Link, ManagerUnreachableError
from dlg.support import clock

SILENT_S = 60.0
"""A stream without a byte for so long has broken off: managers send something now and then."""
TRIES = 6
PAUSE_S = 0.2
"""Before the second try; doubled before each further one."""


class ServerEvent(NamedTuple):
    """One event: what it is called, its id, and the value of its JSON."""

    name: str
    id: str
    data: Any


class BrokenStreamError(ManagerUnreachableError):
    """A stream of events broke off and could not be taken up again."""


def follow(link: Link, session_id: str, *, form: str = "oids", after: str = "") -> Iterator[Any]:
    """Yield the events of a session until it is over and all has been told.

    They are `changes` of drops, which are named by `form` (oids, or rows of the graph), from the
    id `after` on, and `session` with its summary. Raises what the manager refuses, and
    BrokenStreamError if it cannot be reached any more.
    """
    path = f"/api/v1/sessions/{quote(session_id, safe='')}/events?" + urlencode({"form": form})
    failed, over = 0, False
    while not over:
        try:
            for event in _stream(link, path, after):
                if event.id and event.id != after:
                    failed, after = 0, event.id
                over = event.name == "session" and bool(event.data.get("ended"))
                yield event
        except (OSError, http.client.HTTPException) as error:
            reason: Exception = error
        else:
            reason = EOFError("the stream ended")
        if not over:
            failed += 1
            if failed == TRIES:
                text = f"{link.url} told no more of session {session_id}: {reason}"
                raise BrokenStreamError(text) from reason
            clock.sleep(PAUSE_S * 2 ** (failed - 1))


def _stream(link: Link, path: str, after: str) -> Iterator[ServerEvent]:
    """Yield the events of one connection."""
    headers = {"Accept": "text/event-stream"} | link.authorization
    if after:
        headers["Last-Event-ID"] = after
    with closing(link.connect(SILENT_S)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        if not OK <= answer.status < BAD:
            raise link.refusal(answer.status, answer.read())
        yield from parse(iter(answer.readline, b""))


def parse(lines: Iterable[bytes]) -> Iterator[ServerEvent]:
    """Yield the events in a stream of lines; one that is not whole at the end is left out."""
    name, event_id = "", ""
    data: list[str] = []
    for raw in lines:
        line = raw.decode().rstrip("\r\n")
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield ServerEvent(name or "message", event_id, json.loads("\n".join(data)))
            name, event_id, data = "", "", []
        elif field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            event_id = value
