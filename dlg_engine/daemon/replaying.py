"""A record as a service of this host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dlg.exceptions import UsageError
from dlg.http.server import Server, serve
from dlg.http.site import LOOPBACK, Options, Site
from dlg_engine import web
from dlg_engine.managers.records import Record
from dlg_engine.rest import replay_routes
from dlg_engine.rest.errors import STATUSES, describe_as_clients_expect, status_of


def make_server(record: Record, host: str, port: int, *, insecure: bool = False) -> Server:
    """Return a server of a record, which listens already.

    Raises UsageError for a place beyond this host, unless that is meant to be `insecure`.
    """
    if host not in LOOPBACK and not insecure:
        raise UsageError(
            f"{host} can be reached from other hosts, where everybody could see the record: "
            "add --insecure if they may"
        )
    site = Site(
        name="dlg-replay", statuses=STATUSES, status_of=status_of,
        describe=describe_as_clients_expect, assets=web.assets,
    )  # fmt: skip
    routes = (*replay_routes.ROUTES, *web.ROUTES)
    return Server(replay_routes.ReplayService(record), routes, Options(host=host, port=port), site)


def replay(server: Server, announce: Callable[[str], None]) -> None:
    """Serve until the process is told to end."""
    asyncio.run(serve(server, lambda: announce(server.url)))
