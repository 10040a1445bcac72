"""A client of the daemon of a host, which starts and ends the managers there."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Any

from dlg.clients.access import find_access
from dlg.clients.http import TIMEOUT_S, Link

DAEMON_PORT = 9000


class DaemonClient:
    """The daemon of a host; roles are `node`, `island` and `master`."""

    def __init__(
        self,
        host: str = "localhost",
        port: int = DAEMON_PORT,
        *,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT_S,
    ) -> None:
        """Without a `token` it is found, with the certificate, where `find_access` looks."""
        if token is None:
            access = find_access(host, port)
            token, tls = access.token, tls or access.tls
        self.link = Link(host, port, token, tls, timeout, "/managers")

    def managers(self) -> dict[str, int | None]:
        """Return the process of each manager; None for one that does not run."""
        return dict(self.link.get())

    def about(self, role: str) -> dict[str, Any]:
        """Return the process of a manager, None if it does not run; if it does, its name too."""
        return dict(self.link.get(role))

    def start(self, role: str, nodes: Sequence[str] | None = None) -> dict[str, Any]:
        """Start a manager, an island with its nodes; return its process and name."""
        body = {} if nodes is None else {"nodes": list(nodes)}
        return dict(self.link.post(role, "start", body=body))

    def stop(self, role: str) -> None:
        """End a manager."""
        self.link.post(role, "stop")
