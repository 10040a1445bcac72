"""Which nodes a manager has, and whom it calls for each of them."""

from __future__ import annotations

import threading

from dlg.exceptions import UsageError
from dlg.rpc import PeerLostError


class Roster:
    """Nodes, each with the manager that is called for it; safe in any thread."""

    def __init__(self) -> None:
        self._child_of: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def nodes(self) -> list[str]:
        """Return all nodes below, in the order in which they came."""
        return list(self._child_of)

    @property
    def children(self) -> list[str]:
        """Return the managers that are called."""
        return list(dict.fromkeys(self._child_of.values()))

    def child(self, node: str) -> str:
        """Return whom to call for a node."""
        return self._child_of.get(node, node)

    def known_child(self, node: str) -> str:
        """Return whom to call for a node; raise PeerLostError if it is lost, or was let go."""
        child = self._child_of.get(node)
        if child is None:  # it would be waited for in vain
            raise PeerLostError(f"node {node} is lost, and with it what only it knew")
        return child

    def below(self, child: str) -> list[str]:
        """Return the nodes for which `child` is called."""
        return [node for node, called in self._child_of.items() if called == child]

    def add(self, node: str, child: str = "") -> None:
        """Take a node in; it is called itself unless it is below `child`."""
        with self._lock:
            self._child_of = {**self._child_of, node: child or node}

    def remove(self, node: str) -> None:
        """Let a node go; raise UsageError if there is none of that name."""
        with self._lock:
            if node not in self._child_of:
                raise UsageError(f"there is no node {node!r} here")
            self._child_of = {n: child for n, child in self._child_of.items() if n != node}
