"""Single drops of a session: what there is to know of them, and what is in them."""

from __future__ import annotations

import http.client
from contextlib import closing
from typing import Any
from urllib.parse import quote

from dlg.clients.http import BAD, OK, Link, ManagerUnreachableError


def describe_drop(link: Link, session_id: str, oid: str) -> dict[str, Any]:
    """Return all there is to know of a drop; NoDropException if there is none."""
    return dict(link.get("v1", "sessions", session_id, "drops", oid))


def read_data(link: Link, session_id: str, oid: str) -> bytearray:
    """Return the bytes of data that was completed: of an object its pickle, of a directory a tar.

    Raises NoDropException if there is no such data, ManagerUnreachableError if it breaks off.
    """
    path = f"/api/v1/sessions/{quote(session_id, safe='')}/drops/{quote(oid, safe='')}/data"
    found = bytearray()
    try:
        with closing(link.connect(link.timeout_s)) as connection:
            connection.request("GET", path, headers=link.authorization)
            answer = connection.getresponse()
            if not OK <= answer.status < BAD:
                raise link.refusal(answer.status, answer.read())
            while piece := answer.read(1 << 20):
                found += piece
    except (OSError, http.client.HTTPException) as error:
        raise ManagerUnreachableError(
            f"{oid} could not be read from {link.url}: {str(error) or type(error).__name__}"
        ) from error
    return found
