"""JSON over HTTP to a manager, on a connection for each request.

An error that a manager tells is raised as its class where it is one of ours, with what it said.
"""

from __future__ import annotations

import http.client
import json
import ssl
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from dlg import exceptions
from dlg.exceptions import DaliugeException, RunError, UsageError

TIMEOUT_S = 60.0
OK, BAD, NOT_FOUND, SERVERS_FAULT = 200, 300, 404, 500
COMPRESSED_FROM = 1 << 14
"""Bodies of fewer bytes are sent as they are."""
ON_THIS_HOST = frozenset({"localhost", "127.0.0.1", "::1"})
"""Where compressing would take longer than sending."""


class ManagerUnreachableError(RunError):
    """A manager does not answer."""


class ManagerFailedError(RunError):
    """A manager failed to do what it was asked for."""


class ManagerRefusedError(UsageError):
    """A manager was asked for something that it says is wrong."""


class NothingThereError(ManagerRefusedError):
    """Who answers knows no such address."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a manager listens, and how it is spoken to."""

    host: str = "localhost"
    port: int = 8000
    token: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None
    timeout_s: float = TIMEOUT_S
    root: str = "/api"
    """What all its paths begin with."""

    @property
    def url(self) -> str:
        """Its address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    @property
    def authorization(self) -> dict[str, str]:
        """The header that shows the token; nothing without one."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def get(self, *path: str, **query: Any) -> Any:
        """Return what a GET answers."""
        return self.ask("GET", path, query=query)

    def post(self, *path: str, body: Any = None, form: Mapping[str, Any] | None = None) -> Any:
        """Return what a POST of JSON, or of a form, answers."""
        if form is not None:
            text = urlencode({k: v for k, v in form.items() if v is not None}).encode()
            return self.ask("POST", path, text, "application/x-www-form-urlencoded")
        return self.ask("POST", path, b"" if body is None else msgspec.json.encode(body))

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
        address = self.root + "".join("/" + quote(part, safe="") for part in path)
        if query:
            address += "?" + urlencode(query)
        headers = {"Accept": "application/json", **self.authorization}
        if body is not None:
            headers["Content-Type"] = kind
            if len(body) >= COMPRESSED_FROM and self.host not in ON_THIS_HOST:
                body = zlib.compress(body, 1)
                headers["Content-Encoding"] = "deflate"
        status, content = self._exchange(method, address, body, headers)
        if OK <= status < BAD:
            return _parsed(content)
        raise self.refusal(status, content)

    def _exchange(
        self, method: str, address: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        link = self.connect(self.timeout_s)
        try:
            link.request(method, address, body, dict(headers))
            answer = link.getresponse()
            return answer.status, answer.read()
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            raise ManagerUnreachableError(
                f"no manager answers at {self.url}: {_told(error)}"
            ) from error
        finally:
            link.close()

    def connect(self, timeout_s: float) -> http.client.HTTPConnection:
        """Return a connection that has not been opened yet."""
        if self.tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        return http.client.HTTPSConnection(
            self.host, self.port, timeout=timeout_s, context=self.tls
        )

    def refusal(self, status: int, content: bytes) -> DaliugeException:
        """Return the error that an answer tells."""
        found = _parsed(content)
        told = found if isinstance(found, Mapping) else {"error": str(found)[:500]}
        lines = [str(told.get("error") or f"status {status}"), *_problems(told)]
        kind = getattr(exceptions, str(told.get("type")), None)
        if not (isinstance(kind, type) and issubclass(kind, DaliugeException)):
            refused = NothingThereError if status == NOT_FOUND else ManagerRefusedError
            kind = ManagerFailedError if status >= SERVERS_FAULT else refused
        error: DaliugeException = kind.__new__(kind)
        error.args = ("\n  ".join(lines),)
        error.add_note(f"told by {self.url}, status {status}")
        return error


def _told(error: Exception) -> str:
    """Return what went wrong, and what to look for."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "it has another certificate; is the same file of the cluster there?"
    if isinstance(error, ssl.SSLError):
        return f"{error.reason or error}; it may speak HTTP only, outside of the cluster"
    if isinstance(error, TimeoutError):
        return "nothing came back in time; is it a manager that listens there?"
    if isinstance(error, ConnectionResetError):
        return "it closed the connection; where it speaks HTTPS, name the file of its cluster"
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return "it does not speak HTTP; is it the right port?"
    return f"{str(error) or type(error).__name__}; is it running there?"


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
