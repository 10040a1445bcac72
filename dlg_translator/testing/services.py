"""A server in a thread of this process, and a manager that only writes down what it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from dlg.http.server import in_thread
from dlg_translator.rest.app import make_server
from dlg_translator.rest.service import Options

PATIENCE_S = 20


@contextmanager
def running(options: Options) -> Iterator[int]:
    """Serve the translator on a free port of loopback, which is yielded."""
    with in_thread(make_server(replace(options, port=0))) as server:
        yield server.port


@dataclass
class FakeManager:
    """A manager by its routes: it keeps sessions, graphs and what was deployed."""

    nodes: Sequence[str] = ("node1", "node2")
    islands: Sequence[str] | None = None
    """Those of a master; None for an island, which has no such route."""
    refuse: str = ""
    """The end of a path that it answers with 500."""
    url: str = ""
    sessions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    deployed: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Return the status and the answer to a request."""
        self.calls.append(f"{method} {path}")
        if self.refuse and path.endswith(self.refuse):
            return 500, {"type": "SubManagerException", "args": ["no room"]}
        words = [unquote(word) for word in path.strip("/").split("/")]
        match (method, *words):
            case ("GET", "api", "nodes"):
                return 200, list(self.nodes)
            case ("GET", "api", "islands") if self.islands is not None:
                return 200, {"islands": list(self.islands)}
            case ("POST", "api", "sessions"):
                return self._create(json.loads(body)["sessionId"])
            case ("POST", "api", "sessions", session, "graph", "append"):
                self.sessions[session] += json.loads(body)
            case ("POST", "api", "sessions", session, "deploy"):
                self.deployed[session] = parse_qs(body.decode())["completed"][0].split(",")
            case ("DELETE", "api", "sessions", session):
                del self.sessions[session]
            case _:
                return 404, {"error": f"no {path}"}
        return 200, {"Status": "Success"}

    def _create(self, session: str) -> tuple[int, Any]:
        if session in self.sessions:
            return 409, {"type": "SessionAlreadyExistsException", "args": [session]}
        self.sessions[session] = []
        return 200, {"sessionId": session}

    @contextmanager
    def listening(self) -> Iterator[FakeManager]:
        """Answer on a free port of loopback, whose address is then `url`."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="manager")
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join(PATIENCE_S)
            server.server_close()


def _handler(manager: FakeManager) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, found = manager.answer(self.command, self.path.partition("?")[0], body)
            content = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _any  # noqa: N815  the names are http.server's

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    return Handler
