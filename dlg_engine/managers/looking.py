"""Looking at single nodes through the managers above: their sessions, graphs and leftovers.

A node offers `look_ups` to be called. A manager above reaches them by `at_node`, a master through
the island that has the node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from dlg.exceptions import NoDropException
from dlg_engine.managers.adopting import held_sessions
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.managers.paging import paged
from dlg_engine.managers.reaching import Reach

LOOK_UPS = frozenset(
    {
        "session_list", "session_status", "session_dir", "graph_page", "graph_status",
        "data_piece", "evidence_page", "has_evidence", "held_sessions", "reuse_page", "reuse_keys",
    }
)  # fmt: skip
"""What can be asked of one node through those above it."""


def look_ups(manager: NodeManager) -> Mapping[str, Callable[..., Any]]:
    """Return what a node answers besides the calls that run its sessions."""

    def session_list() -> list[dict[str, Any]]:
        return [
            {
                "sessionId": one,
                "status": int(manager.session_status(one)),
                "size": manager.graph_size(one),
            }
            for one in manager.session_ids
        ]

    def graph_page(session_id: str, start: int) -> tuple[bytes, int]:
        return paged(manager.graph(session_id), start)

    def drop_specs(session_id: str, oids: list[str]) -> bytes:
        graph = manager.graph(session_id)
        missing = next((oid for oid in oids if oid not in graph), None)
        if missing is not None:
            raise NoDropException(missing)
        return msgspec.json.encode({oid: graph[oid] for oid in oids})

    return {
        "drop_specs": drop_specs,
        "held_sessions": lambda: held_sessions(manager),
        "session_list": session_list,
        "session_dir": lambda session_id: str(manager.session(session_id).directory),
        "graph_page": graph_page,
        "past_sessions": lambda: left_behind(manager),
    }


def left_behind(manager: NodeManager) -> list[str]:
    """Return the ids of sessions that are gone and whose directories are still there."""
    known = set(manager.session_ids)
    try:
        found = [entry.name for entry in manager.workdir.iterdir() if entry.is_dir()]
    except FileNotFoundError:  # nothing has run yet
        return []
    return sorted(name for name in found if name not in known)


def past_sessions(manager: CompositeManager) -> list[str]:
    """Return the ids of sessions that are gone and have left a directory on some node."""
    found = manager.calls.try_all(manager.roster.children, "past_sessions")
    names = {name for names in found.values() for name in names}
    return sorted(names - set(manager.session_ids))


def at_node(manager: CompositeManager, node: str, method: str, *args: Any) -> Any:
    """Return what one of `LOOK_UPS` gives on a node below; raise what it raises there."""
    return Reach(manager.calls, manager.roster).ask(node, method, *args)


def graph_of_node(manager: CompositeManager, node: str, session_id: str) -> dict[str, Any]:
    """Return the dropspecs that a node has of a session, fetched page by page."""
    return Reach(manager.calls, manager.roster).graph(node, session_id)
