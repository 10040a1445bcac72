"""JSON over HTTP to a manager, with the standard library only.

An error that a manager tells is raised as its class where it is one of ours, with what it said.
"""

from __future__ import annotations

import http.client
import json
import ssl
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from dlg import exceptions
from dlg.exceptions import DaliugeException, RunError, UsageError

TIMEOUT_S = 60.0
OK, BAD, SERVERS_FAULT = 200, 300, 500
COMPRESSED_FROM = 1 << 14
"""Bodies of fewer bytes are sent as they are."""


class ManagerUnreachableError(RunError):
    """A manager does not answer."""


class ManagerFailedError(RunError):
    """A manager failed to do what it was asked for."""


class ManagerRefusedError(UsageError):
    """A manager was asked for something that it says is wrong."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a manager listens, and how it is spoken to."""

    host: str = "localhost"
    port: int = 8000
    token: str = ""
    tls: ssl.SSLContext | None = None
    timeout_s: float = TIMEOUT_S

    @property
    def url(self) -> str:
        """Its address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def get(self, *path: str, **query: Any) -> Any:
        """Return what a GET answers."""
        return self.ask("GET", path, query=query)

    def post(self, *path: str, body: Any = None, form: Mapping[str, Any] | None = None) -> Any:
        """Return what a POST of JSON, or of a form, answers."""
        if form is not None:
            text = urlencode({k: v for k, v in form.items() if v is not None}).encode()
            return self.ask("POST", path, text, "application/x-www-form-urlencoded")
        return self.ask("POST", path, b"" if body is None else json.dumps(body).encode())

    def delete(self, *path: str) -> Any:
        """Return what a DELETE answers."""
        return self.ask("DELETE", path)

    def ask(
        self,
        method: str,
        path: Iterable[str],
        body: bytes | None = None,
        kind: str = "application/json",
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the answer to a request; raise the error that the manager tells."""
        address = "/api" + "".join("/" + quote(part, safe="") for part in path)
        if query:
            address += "?" + urlencode(query)
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = kind
            if len(body) >= COMPRESSED_FROM:
                body = zlib.compress(body, 1)
                headers["Content-Encoding"] = "deflate"
        status, content = self._exchange(method, address, body, headers)
        found = _parsed(content)
        if OK <= status < BAD:
            return found
        raise self._error(status, found)

    def _exchange(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        link = (
            http.client.HTTPConnection(self.host, self.port, timeout=self.timeout_s)
            if self.tls is None
            else http.client.HTTPSConnection(
                self.host, self.port, timeout=self.timeout_s, context=self.tls
            )
        )
        try:
            link.request(method, address, body, dict(headers))
            answer = link.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ManagerUnreachableError(
                f"no manager answers at {self.url}: {str(error) or type(error).__name__}; "
                "is it running there?"
            ) from error
        finally:
            link.close()

    def _error(self, status: int, found: Any) -> DaliugeException:
        told = found if isinstance(found, Mapping) else {"error": str(found)[:500]}
        lines = [str(told.get("error") or f"status {status}"), *_problems(told)]
        kind = getattr(exceptions, str(told.get("type")), None)
        if not (isinstance(kind, type) and issubclass(kind, DaliugeException)):
            kind = ManagerFailedError if status >= SERVERS_FAULT else ManagerRefusedError
        error: DaliugeException = kind.__new__(kind)
        error.args = ("\n  ".join(lines),)
        error.add_note(f"told by {self.url}, status {status}")
        return error


def _problems(told: Mapping[str, Any]) -> list[str]:
    """Return a line for each problem that an error lists, unless it only repeats the error."""
    listed = told.get("problems") or []
    if len(listed) == 1 and listed[0].get("message") == told.get("error"):
        return []
    return [
        f"{one.get('severity')}[{one.get('code')}] {one.get('pointer')} {one.get('message')}"
        for one in listed
    ]


def _parsed(content: bytes) -> Any:
    text = content.decode("utf-8", errors="replace")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
