"""Handing a graph to a manager that runs: create a session, append the graph, deploy.

The protocol is the one all managers speak; a session that could not be deployed is removed again.
"""

from __future__ import annotations

import http.client
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from dlg.http.errors import BadRequestError, ConflictError
from dlg_translator.formats.specs import pieces
from dlg_translator.rest.errors import ManagerError

TIMEOUT_S = 60.0
MOST_ANSWER = 1 << 26
OK, BAD = 200, 300
CONFLICT, NOT_FOUND = 409, 404


@dataclass(frozen=True, slots=True)
class Manager:
    """Where a manager listens."""

    scheme: str
    host: str
    port: int
    prefix: str = ""
    timeout_s: float = TIMEOUT_S

    @property
    def url(self) -> str:
        """Its address without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"

    def session_page(self, session: str) -> str:
        """Return the address of the page that shows a session."""
        return f"{self.url}/session?sessionId={quote(session, safe='')}"

    def nodes(self) -> list[str]:
        """Return the nodes it manages; a manager of one node is that node."""
        status, found = self._call("GET", "/api/nodes")
        if status == NOT_FOUND:
            return [self.host]
        listed = self._good(status, found, "tell its nodes")
        nodes = listed.get("nodes") if isinstance(listed, Mapping) else listed
        return _names(nodes, "nodes")

    def islands(self) -> list[str]:
        """Return the hosts of the islands below it; it is the only one unless it is a master."""
        status, found = self._call("GET", "/api/islands")
        if status == NOT_FOUND:
            return [self.host]
        listed = self._good(status, found, "tell its islands")
        islands = listed.get("islands") if isinstance(listed, Mapping) else listed
        return _names(islands, "islands") or [self.host]

    def submit(
        self, session: str, specs: Iterable[Mapping[str, Any]], roots: Sequence[str]
    ) -> None:
        """Create `session`, give it the graph and deploy it.

        Raises `ConflictError` where there is such a session, `ManagerError` for all else that the
        manager refuses, and for one that does not answer.
        """
        name = json.dumps({"sessionId": session}).encode()
        status, found = self._call("POST", "/api/sessions", name)
        if status == CONFLICT:
            raise ConflictError(f"{self.url} has a session {session!r} already")
        self._good(status, found, f"create session {session!r}")
        path = f"/api/sessions/{quote(session, safe='')}"
        try:
            self._append(f"{path}/graph/append", specs)
            form = urlencode({"completed": ",".join(roots)}).encode()
            self._good(
                *self._call("POST", f"{path}/deploy", form, "application/x-www-form-urlencoded"),
                "deploy the session",
            )
        except ManagerError:
            self._remove(path)
            raise

    def _append(self, path: str, specs: Iterable[Mapping[str, Any]]) -> None:
        """Send the graph from a file, so that a big one is never one text in memory."""
        with tempfile.SpooledTemporaryFile(1 << 24) as file:
            for piece in pieces(specs):
                file.write(piece)
            size = file.tell()
            file.seek(0)
            self._good(*self._call("POST", path, file, length=size), "take the graph")

    def _remove(self, path: str) -> None:
        try:
            self._call("DELETE", path)
        except ManagerError:
            return  # it cannot be reached any more; what went wrong first is what is told

    def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        kind: str = "application/json",
        length: int = -1,
    ) -> tuple[int, Any]:
        maker = (
            http.client.HTTPSConnection if self.scheme == "https" else http.client.HTTPConnection
        )
        link = maker(self.host, self.port, timeout=self.timeout_s)
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind
        if length >= 0:
            headers["Content-Length"] = str(length)
        try:
            link.request(method, self.prefix + path, body, headers)
            answer = link.getresponse()
            return answer.status, _parsed(answer.read(MOST_ANSWER))
        except (OSError, http.client.HTTPException) as error:
            raise ManagerError(f"the manager {self.url} cannot be reached: {error}") from error
        finally:
            link.close()

    def _good(self, status: int, found: Any, what: str) -> Any:
        if OK <= status < BAD:
            return found
        words = found if isinstance(found, str) else json.dumps(found)
        raise ManagerError(f"the manager {self.url} did not {what}: {status} {words[:500]}")


def manager_at(url: str) -> Manager:
    """Return the manager at `url`; raise `BadRequestError` for what is no address of one."""
    text = url.strip()
    if "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadRequestError(f"{url!r} is no address of a manager: {error}") from error
    sound = parts.scheme in {"http", "https"} and parts.hostname and parts.username is None
    if not sound or parts.query or parts.fragment or any(c.isspace() for c in text):
        raise BadRequestError(
            f"{url!r} is no address of a manager; one looks like http://host:8001"
        )
    default = 443 if parts.scheme == "https" else 80
    return Manager(parts.scheme, str(parts.hostname), port or default, parts.path.rstrip("/"))


def _parsed(content: bytes) -> Any:
    text = content.decode("utf-8", errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _names(found: Any, what: str) -> list[str]:
    if not isinstance(found, list):
        raise ManagerError(f"the manager did not list its {what}")
    return [str(one) for one in found]
