"""What a manager must be able to do to be served over REST, and the two kinds that can.

Handlers know this contract only. A status is a number at a node and, above, a mapping from each
manager below to its own.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from dlg.reproducibility.evidence import Document
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.managers.evidence import (
    all_have_evidence,
    evidence_at_node,
    evidence_of_nodes,
    has_evidence,
)
from dlg_engine.managers.inspecting import home_of, inspect, inspect_node, logs_of_nodes
from dlg_engine.managers.node import Node
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.managers.run_options import RunOptions
from dlg_engine.managers.split import Spec
from dlg_engine.managers.told import summary

Status = int | dict[str, Any]


class SessionManager(Protocol):
    """What the managers of all levels do with sessions."""

    @property
    def session_ids(self) -> list[str]:
        """Return the ids of all sessions."""

    def session(self, session_id: str) -> Any:
        """Return a session, whatever a manager knows of one; it has a `state`."""

    def create_session(self, session_id: str) -> None:
        """Create a session."""

    def destroy_session(self, session_id: str) -> None:
        """Forget a session."""

    def add_graph(self, session_id: str, specs: Sequence[Spec]) -> None:
        """Add dropspecs."""

    def deploy_session(
        self,
        session_id: str,
        completed: Iterable[str] | None = None,
        options: RunOptions | None = None,
    ) -> None:
        """Start a session."""

    def cancel_session(self, session_id: str) -> None:
        """Give a session up."""

    def graph(self, session_id: str) -> Mapping[str, Spec]:
        """Return the dropspecs by oid."""

    def graph_size(self, session_id: str) -> int:
        """Return how many drops a session has."""

    def graph_status(self, session_id: str) -> Mapping[str, Mapping[str, int]]:
        """Return the state of each drop."""


class ManagerService(ABC):
    """A manager as handlers see it: its sessions, and what each level tells in its own way."""

    @property
    @abstractmethod
    def manager(self) -> SessionManager:
        """Return the manager."""

    @abstractmethod
    def info(self) -> dict[str, Any]:
        """Return what it says of itself."""

    @abstractmethod
    def status(self, session_id: str) -> Status:
        """Return the status of a session."""

    @abstractmethod
    def directory(self, session_id: str) -> dict[str, str]:
        """Return where a session works, under `dir`; nothing where that is on other hosts."""

    def summary(self, session_id: str) -> dict[str, Any]:
        """Return how a session stands as a whole, with what failed on which node."""
        return summary(self.manager.session(session_id))

    @abstractmethod
    def evidence(self, session_id: str) -> Document:
        """Return the drops of a session with what is known of each, and what is of the run."""

    @abstractmethod
    def has_evidence(self, session_id: str) -> bool:
        """Return whether a session has ended and evidence of all of it is there."""

    @abstractmethod
    def inspect(self, what: str, session_id: str, oid: str, *args: Any) -> Any:
        """Return what the node that has a drop tells of it: one of `inspecting.inspections`."""

    @abstractmethod
    def logs(self, session_id: str) -> list[dict[str, Any]]:
        """Return the log of a session, in order of time."""


class NodeService(ManagerService):
    """A node; it is given to the service when the port is known at which that listens."""

    node: Node

    @property
    def manager(self) -> NodeManager:
        """Return the manager of the node."""
        return self.node.manager

    def info(self) -> dict[str, Any]:
        """Return its sessions."""
        return {"node": self.node.name, "pid": os.getpid(), "sessions": sessions(self)}

    def status(self, session_id: str) -> Status:
        """Return the status of a session."""
        return int(self.manager.session_status(session_id))

    def directory(self, session_id: str) -> dict[str, str]:
        """Return where a session works."""
        return {"dir": str(self.manager.session(session_id).directory)}

    def evidence(self, session_id: str) -> Document:
        """Return the drops with what is known of each, and what is of the run."""
        return evidence_at_node(self.manager.session(session_id))

    def has_evidence(self, session_id: str) -> bool:
        """Return whether it has ended and left evidence."""
        return has_evidence(self.manager.session(session_id))

    def inspect(self, what: str, session_id: str, oid: str, *args: Any) -> Any:
        """Return what the node tells of a drop."""
        return inspect_node(self.manager, what, session_id, oid, *args)

    def logs(self, session_id: str) -> list[dict[str, Any]]:
        """Return the log of a session."""
        found: list[dict[str, Any]] = inspect_node(self.manager, "session_logs", session_id)
        return found

    def file_of(self, session_id: str, oid: str) -> Path | None:
        """Return the file of a drop if it lies in the directory of its session."""
        path = getattr(self.manager.drop(session_id, oid), "path", None)
        root = self.manager.session(session_id).directory.resolve()
        if path is None:
            return None
        real = Path(path).resolve()
        return real if real.is_file() and real.is_relative_to(root) else None


class CompositeService(ManagerService):
    """A data island, or a master."""

    @property
    @abstractmethod
    def manager(self) -> CompositeManager:
        """Return the manager."""

    def info(self) -> dict[str, Any]:
        """Return who is below, and its sessions."""
        return {"hosts": self.manager.roster.children, "sessionIds": self.manager.session_ids}

    def status(self, session_id: str) -> Status:
        """Return the status for each manager below; a master's have nodes below them."""
        states = self.manager.session_status(session_id)
        roster = self.manager.roster
        if all(roster.child(node) == node for node in states):
            return dict(states)
        found: dict[str, Any] = {}
        for node, state in states.items():
            found.setdefault(roster.child(node), {})[node] = state
        return found

    def directory(self, session_id: str) -> dict[str, str]:
        """Return nothing: a manager of managers has no directory."""
        self.manager.session(session_id)
        return {}

    def evidence(self, session_id: str) -> Document:
        """Return the drops with what their nodes know of each, and what is known of the run."""
        return evidence_of_nodes(self.manager, session_id)

    def has_evidence(self, session_id: str) -> bool:
        """Return whether it has ended on all nodes and left evidence."""
        return all_have_evidence(self.manager, session_id)

    def inspect(self, what: str, session_id: str, oid: str, *args: Any) -> Any:
        """Return what the node that has a drop tells of it."""
        node = home_of(self.manager, session_id, oid)
        return inspect(self.manager, node, what, session_id, oid, *args)

    def logs(self, session_id: str) -> list[dict[str, Any]]:
        """Return the log of a session on all its nodes."""
        return logs_of_nodes(self.manager, session_id)


def sessions(service: ManagerService) -> list[dict[str, Any]]:
    """Return id, status and size of each session."""
    return [
        {
            "sessionId": one,
            "status": service.status(one),
            "size": service.manager.graph_size(one),
        }
        for one in service.manager.session_ids
    ]
