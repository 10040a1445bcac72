"""Which routes a node, a data island and a master have: the tables of this folder together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.http.routes import Route
from dlg_engine.rest import (
    cluster_routes,
    composite_routes,
    data_routes,
    drop_routes,
    existing_routes,
    host_routes,
    node_routes,
    session_routes,
    view_routes,
    watch_routes,
)

Routes = tuple[Route[Any], ...]

ALL: Routes = (
    *session_routes.ROUTES,
    *existing_routes.ROUTES,
    *view_routes.ROUTES,
    *watch_routes.ROUTES,
    *data_routes.ROUTES,
    *drop_routes.ROUTES,
)
"""What every manager has."""
LEVELS: Mapping[str, Routes] = {
    "node": (*node_routes.ROUTES, *cluster_routes.NODE),
    "island": (*composite_routes.ISLAND, *cluster_routes.ISLAND),
    "master": (*composite_routes.MASTER, *cluster_routes.MASTER, *host_routes.ROUTES),
}
"""What only some have."""


def routes_of(level: str) -> Routes:
    """Return the routes of a level; those that only a process can have are not here."""
    return (*ALL, *LEVELS[level])
