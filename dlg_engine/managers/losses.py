"""What becomes of sessions when nodes are lost, or cannot be told something."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from dlg_engine.managers.children import Children, Order
from dlg_engine.managers.composite_session import CompositeSession
from dlg_engine.managers.roster import Roster
from dlg_engine.sessions.states import OVER, SessionStates

logger = logging.getLogger(__name__)

NAMED = 3
"""How many lost drops a message names."""


class Losses:
    """Deals with nodes that are gone: nothing waits for them, and all are told who must know."""

    def __init__(
        self, sessions: Mapping[str, CompositeSession], roster: Roster, calls: Children
    ) -> None:
        self._sessions, self._roster, self._calls = sessions, roster, calls

    def lose(self, nodes: Sequence[str], why: str) -> None:
        """Some nodes are gone: the sessions that have parts on them cannot go on."""
        children = {self._roster.child(node) for node in nodes}
        for node in nodes:
            self._roster.remove(node)
        left = self._roster.children
        gone = children.difference(left)
        for child in gone:
            self._calls.give_up(child)
        orders: list[tuple[str, Order]] = [
            (child, ("forget_node", node)) for node in nodes for child in left
        ]
        for session in list(self._sessions.values()):
            lost = [node for node in session.nodes if node in nodes]
            if lost and session.state not in OVER:
                reason = "; ".join(_loss(session, node, why) for node in lost)
                logger.error("session %s failed: %s", session.session_id, reason)
                orders += self._failing(session, reason)
            for node in lost:
                session.lose(node, f"node {node} {why}")
            if not session.nodes:  # it is there, but without anything to do
                orders += [(one, ("destroy_session", session.session_id)) for one in gone]
            session.children -= gone
        self.order(orders)

    def forget_node(self, node: str) -> None:
        """Let the nodes below let go of one that is lost."""
        self.order([(one, ("forget_node", node)) for one in self._roster.children if one != node])

    def give_up(self, session: CompositeSession, reason: str) -> None:
        """End a session that cannot go on: it has FAILED."""
        if session.state not in OVER:
            self.order(self._failing(session, reason))

    def order(self, orders: Iterable[tuple[str, Order]]) -> None:
        """Tell those who are there at once, and the others when they return."""
        there = set(self._roster.children)
        listed = list(orders)
        for child, what in listed:
            if child not in there:
                self._calls.owe(child, what)
        self._calls.order(one for one in listed if one[0] in there)

    @staticmethod
    def _failing(session: CompositeSession, reason: str) -> list[tuple[str, Order]]:
        """Let a session fail; return what its nodes must be told."""
        session.become(SessionStates.FAILED, reason)
        order = ("give_up", session.session_id, reason)
        return [(one, order) for one in session.children]


def _loss(session: CompositeSession, node: str, why: str) -> str:
    """Return what a session lost with a node."""
    lost = [str(spec["oid"]) for spec in session.specs if spec.get("node") == node]
    named = ", ".join(lost[:NAMED]) + (", ..." if len(lost) > NAMED else "")
    return f"node {node} {why}; lost with it: {len(lost)} drops ({named})"
