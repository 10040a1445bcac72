"""What a data island offers to the master above it: its calls go on to the nodes they are for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from dlg.exceptions import NoDropException
from dlg_engine.managers.children import gather
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.managers.overview import summarise
from dlg_engine.sessions.states import SessionStates


class Relay:
    """Passes on what a master asks of a data island."""

    def __init__(self, name: str, manager: CompositeManager) -> None:
        self.name, self.manager = name, manager

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """Return what can be called."""
        manager = self.manager
        return {
            "about": self.about,
            "create_session": manager.create_session,
            "destroy_session": manager.destroy_session,
            "add_part": self.add_part,
            "deploy_session": self.deploy_session,
            "trigger": manager.trigger,
            "cancel_session": manager.cancel_session,
            "give_up": manager.give_up,
            "session_status": manager.session_status,
            "graph_status": self.graph_status,
            "summary": lambda session_id: summarise(manager, session_id),
            "drop": self.drop,
            "forget_node": manager.forget_node,
        }

    def about(self) -> dict[str, Any]:
        """Return that it lives, and which nodes it has."""
        return {"island": self.name, "nodes": self.manager.roster.nodes}

    def add_part(
        self, session_id: str, node: str, packed: bytes, exports: dict[str, list[str]]
    ) -> None:
        """Pass on a part of a graph that the master has cut."""
        session = self.manager.session(session_id)
        if node not in session.nodes:
            session.nodes.append(node)
        session.state = SessionStates.BUILDING
        child = self.manager.roster.child(node)
        call = self.manager.calls.call(child, "add_part", session_id, node, packed, exports)
        gather([(node, call)])

    def deploy_session(self, session_id: str, completed: list[str]) -> None:
        """Deploy the parts that have been passed on; the master says where to start."""
        session = self.manager.session(session_id)
        self.manager.calls.all(session.nodes, "deploy_session", session_id, completed)
        session.state = SessionStates.RUNNING

    def drop(self, session_id: str, oid: str) -> Any:
        """Return what the node that has a drop knows of it."""
        nodes = self.manager.session(session_id).nodes
        found = self.manager.calls.try_all(nodes, "drop", session_id, oid)
        if not found:
            raise NoDropException(oid)
        return next(iter(found.values()))

    def graph_status(self, session_id: str) -> bytes:
        """Return the state of each drop as JSON."""
        return msgspec.json.encode(self.manager.graph_status(session_id))
