"""What managers tell of their nodes along with each sign of life, so that nobody has to ask."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from dlg.support.hosts import resources
from dlg_engine.managers.heartbeat import Heartbeat
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.sessions.states import SessionStates

Facts = Mapping[str, Any]


def of_node(manager: NodeManager, url: str, since: float) -> dict[str, Any]:
    """Return what a node tells of itself: where it is, its host, and how many sessions it has."""
    states = [manager.session_status(one) for one in manager.session_ids]
    return {
        "name": manager.node,
        "url": url,
        "island": "",
        "alive": True,
        **resources(str(manager.workdir)),
        "running": states.count(SessionStates.RUNNING),
        "sessions": len(states),
        "since": since,
    }


def of_nodes(heartbeat: Heartbeat, island: str) -> list[dict[str, Any]]:
    """Return what the nodes of an island have told, and who of them is still alive."""
    found = []
    for name, told in heartbeat.told.items():
        facts = dict(told.about.get("facts") or {"name": name, "url": ""})
        found.append({**facts, "island": island, "alive": told.alive, "since": told.since})
    return found


def below_islands(heartbeat: Heartbeat) -> list[dict[str, Any]]:
    """Return what the nodes below all islands have told; none lives that cannot be reached."""
    found: list[dict[str, Any]] = []
    for name, told in heartbeat.told.items():
        for facts in told.about.get("facts") or ():
            alive = bool(told.alive and facts.get("alive"))
            found.append({**facts, "island": name, "alive": alive})
    return found


def islands_of(heartbeat: Heartbeat) -> list[dict[str, Any]]:
    """Return the islands below a master."""
    return [
        {"name": name, "url": str(told.about.get("url", "")), "alive": told.alive}
        for name, told in heartbeat.told.items()
    ]


def overview(
    level: str, name: str, url: str, islands: Iterable[Facts], nodes: Iterable[Facts]
) -> dict[str, Any]:
    """Return who is there, as all levels tell it."""
    return {
        "level": level,
        "name": name,
        "url": url,
        "version": version("dlg"),
        "python": platform.python_version(),
        "islands": list(islands),
        "nodes": list(nodes),
    }
