"""Reaching single nodes through the managers above: a node below an island by way of that."""

from __future__ import annotations

from typing import Any

import msgspec

from dlg_engine.managers.children import CALL_TIMEOUT_S, Children
from dlg_engine.managers.roster import Roster


class Reach:
    """Who is called for each node."""

    def __init__(self, calls: Children, roster: Roster) -> None:
        self._calls, self._roster = calls, roster

    def ask(self, node: str, method: str, *args: Any, timeout_s: float = CALL_TIMEOUT_S) -> Any:
        """Return what one of `looking.LOOK_UPS` gives on a node; raise what it raises there."""
        child = self._roster.child(node)
        if child == node:
            return self._calls.call(node, method, *args, timeout_s=timeout_s).result()
        call = self._calls.call(child, "of_node", node, method, *args, timeout_s=timeout_s)
        return call.result()

    def graph(self, node: str, session_id: str) -> dict[str, Any]:
        """Return the dropspecs that a node has of a session, fetched page by page."""
        found: dict[str, Any] = {}
        start = 0
        while start >= 0:
            page, start = self.ask(node, "graph_page", session_id, start)
            found |= msgspec.json.decode(page)
        return found
