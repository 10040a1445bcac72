"""Plain requests to managers that run as processes."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE_S = 60


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def link(url: str, patience_s: float = PATIENCE_S) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    return http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=patience_s)


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """Ask; `_` in the names of headers stands for `-`."""
    connection = link(url)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def post(url: str, path: str, value: Any = None) -> Reply:
    """Post JSON, or nothing."""
    if value is None:
        return ask(url, "POST", path, b"")
    return ask(url, "POST", path, json.dumps(value), Content_Type="application/json")
