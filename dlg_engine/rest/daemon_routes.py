"""The routes of the daemon of a host: start, stop and look at its managers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dlg.http.answers import Answer, as_json
from dlg.http.asking import Asked, Kind, Param
from dlg.http.routes import Route
from dlg_engine.rest.session_routes import DONE, health

ROLES = ("master", "island", "node")
NODES = Param("nodes", Kind.NAMES, "The nodes it has from the beginning.")


class Managers(Protocol):
    """What the daemon does with the managers of its host."""

    def start(self, role: str, nodes: Sequence[str] = ()) -> dict[str, Any]:
        """Start a manager; return its process, name and URL."""

    def stop(self, role: str) -> None:
        """End a manager."""

    def pid(self, role: str) -> int | None:
        """Return the process of a manager."""

    def about(self, role: str) -> dict[str, Any]:
        """Return process, name and URL of a manager."""


def overview(service: Managers, _asked: Asked) -> Answer:
    """Tell which managers run on this host: the number of the process of each."""
    return as_json({role: service.pid(role) for role in ROLES})


def _start(role: str) -> Callable[[Managers, Asked], Answer]:
    def start(service: Managers, asked: Asked) -> Answer:
        return as_json(service.start(role, asked.values.get("nodes") or ()))

    start.__doc__ = f"Start the {role} manager of this host."
    return start


def _stop(role: str) -> Callable[[Managers, Asked], Answer]:
    def stop(service: Managers, _asked: Asked) -> Answer:
        service.stop(role)
        return as_json(DONE)

    stop.__doc__ = f"End the {role} manager of this host."
    return stop


def _about(role: str) -> Callable[[Managers, Asked], Answer]:
    def about(service: Managers, _asked: Asked) -> Answer:
        return as_json(service.about(role))

    about.__doc__ = f"Tell whether the {role} manager of this host runs, and where."
    return about


def _of(role: str) -> tuple[Route[Any], ...]:
    params = (NODES,) if role == "island" else ()
    return (
        Route("POST", f"/managers/{role}/start", _start(role), params, tag="managers"),
        Route("POST", f"/managers/{role}/stop", _stop(role), tag="managers"),
        Route("GET", f"/managers/{role}", _about(role), tag="managers"),
    )


ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/", overview, tag="managers"),
    Route("GET", "/managers", overview, tag="managers"),
    Route("GET", "/health", health, tag="managers"),
    *(route for role in ROLES for route in _of(role)),
)
