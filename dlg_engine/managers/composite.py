"""Managers of managers: a data island of its nodes, a master of its islands.

What they have in common: children that are called, sessions whose graph is cut into parts for the
nodes, and answers that are merged. A session exists on all children or on none: what one of them
refuses is undone on the others, and the error says which it was.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import msgspec

from dlg.exceptions import (
    DaliugeException,
    InvalidSessionState,
    NoSessionException,
    SessionAlreadyExistsException,
    UsageError,
)
from dlg.graph import read_physical_graph
from dlg.graph.writing import lean_specs
from dlg.rpc import Peer
from dlg_engine.managers.addresses import find_node
from dlg_engine.managers.children import Children, gather
from dlg_engine.managers.roster import Roster
from dlg_engine.managers.split import Part, Spec, split
from dlg_engine.sessions.states import OVER, SessionStates

logger = logging.getLogger(__name__)

NAMED = 3
"""How many lost drops a message names."""
CHUNK = 1 << 22
"""About how many bytes of dropspecs go in one call."""


@dataclass(slots=True)
class CompositeSession:
    """What a composite manager knows of a session."""

    session_id: str
    specs: list[Spec] = field(default_factory=list)
    state: SessionStates = SessionStates.PRISTINE
    reason: str = ""
    nodes: list[str] = field(default_factory=list)
    """Those that run a part of it."""


class CompositeManager:
    """Runs sessions over the nodes below; every method may be called from any thread."""

    def __init__(self, peer: Callable[[str], Peer]) -> None:
        """`peer` gives a child by its name, to be called."""
        self.calls = Children(peer)
        self.roster = Roster()
        self._sessions: dict[str, CompositeSession] = {}
        self._lock = threading.Lock()

    # -- who is there --------------------------------------------------------------------------

    def _managers(self, session: CompositeSession) -> list[str]:
        """Return the children that have parts of a session."""
        return list(dict.fromkeys(map(self.roster.child, session.nodes)))

    def lose_node(self, node: str, why: str) -> None:
        """A node is gone: its sessions cannot go on."""
        self.roster.remove(node)
        for session in list(self._sessions.values()):
            if node in session.nodes and session.state is SessionStates.RUNNING:
                reason = _loss(session, node, why)
                logger.error("session %s failed: %s", session.session_id, reason)
                self.forget_node(node)
                self.give_up(session.session_id, reason)

    def forget_node(self, node: str) -> None:
        """Let the nodes below let go of one that is lost."""
        self.calls.try_all(
            [one for one in self.roster.children if one != node], "forget_node", node
        )

    def give_up(self, session_id: str, reason: str) -> None:
        """End a session that cannot go on: it has FAILED."""
        session = self.session(session_id)
        if session.state not in OVER:
            session.state, session.reason = SessionStates.FAILED, reason
            there = [one for one in self._managers(session) if one in self.roster.children]
            self.calls.try_all(there, "give_up", session_id, reason)

    # -- sessions --------------------------------------------------------------------------------

    @property
    def session_ids(self) -> list[str]:
        """Return the ids of all sessions, oldest first."""
        return list(self._sessions)

    def session(self, session_id: str) -> CompositeSession:
        """Return a session; raise NoSessionException if there is none."""
        try:
            return self._sessions[session_id]
        except KeyError:
            raise NoSessionException(session_id) from None

    def create_session(self, session_id: str) -> None:
        """Create a session on all children, or on none."""
        with self._lock:
            if session_id in self._sessions:
                raise SessionAlreadyExistsException(session_id)
            self._sessions[session_id] = CompositeSession(session_id)
        try:
            self.calls.all(
                self.roster.children, "create_session", session_id, undo="destroy_session"
            )
        except DaliugeException:
            self._sessions.pop(session_id, None)
            raise

    def destroy_session(self, session_id: str) -> None:
        """Forget a session everywhere."""
        self.session(session_id)
        self.calls.try_all(self.roster.children, "destroy_session", session_id)
        self._sessions.pop(session_id, None)

    def add_graph(self, session_id: str, specs: Sequence[Spec]) -> None:
        """Add dropspecs; they are checked and cut when the session is deployed."""
        session = self.session(session_id)
        if session.state not in {SessionStates.PRISTINE, SessionStates.BUILDING}:
            raise InvalidSessionState(f"session {session_id} takes no more drops: it is deployed")
        session.specs += specs
        session.state = SessionStates.BUILDING

    def deploy_session(self, session_id: str, completed: Iterable[str] | None = None) -> None:
        """Cut the graph, hand out the parts and start them.

        Raises InvalidGraphException if the graph is wrong, UsageError if it wants nodes that are
        not there, and SubManagerException if a node refuses its part; nothing runs then.
        """
        session = self.session(session_id)
        if session.state is not SessionStates.BUILDING:
            raise InvalidSessionState(
                f"session {session_id} cannot be deployed while {session.state.name}"
            )
        parts, roots = _cut(session, self.roster.nodes, completed)
        session.state = SessionStates.DEPLOYING
        try:
            self._hand_out(session, parts)
            self.calls.all(self._managers(session), "deploy_session", session_id, [])
        except DaliugeException as error:
            self.give_up(session_id, str(error))
            raise
        session.state = SessionStates.RUNNING
        self.trigger(session_id, roots)

    def trigger(self, session_id: str, starts: Mapping[str, Sequence[str]]) -> None:
        """Start drops of a session: those of `starts[node]` on each node."""
        by_child: dict[str, dict[str, list[str]]] = {}
        for node, oids in starts.items():
            by_child.setdefault(self.roster.child(node), {})[node] = list(oids)
        gather(
            (child, self.calls.call(child, "trigger", session_id, there))
            for child, there in by_child.items()
        )

    def _hand_out(self, session: CompositeSession, parts: Mapping[str, Part]) -> None:
        waiting: list[tuple[str, Future[Any]]] = []
        for node, part in parts.items():
            exports: Mapping[str, list[str]] = part.exports
            for chunk in _chunks(part.all_specs):
                call = self.calls.call(
                    self.roster.child(node), "add_part", session.session_id, node, chunk, exports
                )
                waiting.append((node, call))
                exports = {}
        gather(waiting)

    def cancel_session(self, session_id: str, reason: str = "cancelled") -> None:
        """Give a session up on all nodes; refuse one that does not run."""
        session = self.session(session_id)
        if self.session_state(session_id) is not SessionStates.RUNNING:
            raise InvalidSessionState(
                f"session {session_id} cannot be cancelled while {session.state.name}"
            )
        session.state, session.reason = SessionStates.CANCELLED, reason
        self.calls.try_all(self._managers(session), "cancel_session", session_id, reason)

    # -- what there is to know -------------------------------------------------------------------

    def session_status(self, session_id: str) -> dict[str, int]:
        """Return the state of a session on each node that runs a part of it."""
        session = self.session(session_id)
        if not session.nodes:
            return dict.fromkeys(self.roster.nodes, int(session.state))
        told = self.calls.try_all(self._managers(session), "session_status", session_id)
        found: dict[str, int] = {}
        for child, state in told.items():
            found |= state if isinstance(state, dict) else {child: state}
        return {node: int(found.get(node, SessionStates.FAILED)) for node in session.nodes}

    def session_state(self, session_id: str) -> SessionStates:
        """Return the state of a session as a whole; how it ended is kept."""
        session = self.session(session_id)
        if session.state is SessionStates.RUNNING:
            states = {SessionStates(state) for state in self.session_status(session_id).values()}
            if states <= OVER and session.state is SessionStates.RUNNING:
                bad = states - {SessionStates.FINISHED}
                session.state = max(bad) if bad else SessionStates.FINISHED
        return session.state

    def graph(self, session_id: str) -> dict[str, Spec]:
        """Return the dropspecs of a session by oid."""
        return {str(spec["oid"]): spec for spec in self.session(session_id).specs if "oid" in spec}

    def graph_status(self, session_id: str) -> dict[str, dict[str, int]]:
        """Return the state of each drop of a session that has been deployed."""
        session = self.session(session_id)
        if session.state < SessionStates.RUNNING:
            raise InvalidSessionState(f"session {session_id} has not been deployed")
        found = self.calls.try_all(self._managers(session), "graph_status", session_id)
        merged: dict[str, dict[str, int]] = {}
        for packed in found.values():
            merged |= msgspec.json.decode(packed)
        return merged


def _cut(
    session: CompositeSession, nodes: Sequence[str], completed: Iterable[str] | None
) -> tuple[dict[str, Part], dict[str, list[str]]]:
    """Return the parts, and where to start on each node."""
    graph = read_physical_graph(list(session.specs))
    names = {str(spec.get("node", "")) for spec in graph.specs}
    if len(nodes) == 1:
        meant = dict.fromkeys(names, nodes[0])
    else:
        meant = {name: find_node(name, nodes) for name in names}
    session.specs = [
        {**spec, "node": meant[str(spec.get("node", ""))]} for spec in lean_specs(graph)
    ]
    home = {str(spec["oid"]): str(spec["node"]) for spec in session.specs}
    before = graph.neighbours[1]
    starts = [graph.oids[row] for row in range(len(graph)) if not before[row]]
    roots: dict[str, list[str]] = {}
    for oid in starts if completed is None else completed:
        if oid not in home:
            raise UsageError(f"the graph has no drop {oid!r} to start from")
        roots.setdefault(home[oid], []).append(oid)
    parts = split(session.specs, lambda spec: str(spec["node"]))
    session.nodes = list(parts)
    return parts, roots


def _loss(session: CompositeSession, node: str, why: str) -> str:
    """Return what a session lost with a node."""
    lost = [str(spec["oid"]) for spec in session.specs if spec.get("node") == node]
    named = ", ".join(lost[:NAMED]) + (", ..." if len(lost) > NAMED else "")
    return f"node {node} {why}; lost with it: {len(lost)} drops ({named})"


def _chunks(specs: Sequence[Spec]) -> Iterable[bytes]:
    """Yield the specs as JSON texts of about `CHUNK` bytes."""
    encoder = msgspec.json.Encoder()
    texts: list[bytes] = []
    size = 0
    for spec in specs:
        text = encoder.encode(spec)
        texts.append(text)
        size += len(text)
        if size >= CHUNK:
            yield b"[" + b",".join(texts) + b"]"
            texts, size = [], 0
    if texts:
        yield b"[" + b",".join(texts) + b"]"
