"""The server of the translator."""

from __future__ import annotations

from dlg.http.server import Server
from dlg.http.site import Site
from dlg_translator import web
from dlg_translator.rest.errors import STATUSES
from dlg_translator.rest.routes import ROUTES
from dlg_translator.rest.service import Options, make_service

SITE = Site(
    name="dlg-tm",
    statuses=STATUSES,
    page=web.page,
    assets=web.assets,
    allowing="dlg tm --origin",
)


def make_server(options: Options) -> Server:
    """Return the server of the translator, which listens already."""
    return Server(make_service(options), ROUTES, options, SITE)
