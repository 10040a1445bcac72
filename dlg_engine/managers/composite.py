"""Managers of managers: a data island of its nodes, a master of its islands.

What they have in common: children that are called, sessions whose graph is cut into parts for the
nodes, and answers that are merged. A session exists on all children or on none: what one of them
refuses is undone on the others, and the error says which it was.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from itertools import zip_longest
from typing import Any

import msgspec

from dlg.exceptions import (
    DaliugeException,
    InvalidSessionState,
    NoSessionException,
    SessionAlreadyExistsException,
    SubManagerException,
    UsageError,
)
from dlg.graph import read_physical_graph
from dlg.graph.writing import lean_specs
from dlg.rpc import Peer
from dlg_engine.managers.addresses import find_node
from dlg_engine.managers.adopting import Adoption
from dlg_engine.managers.boards import wait_until_settled
from dlg_engine.managers.children import DEPLOY_TIMEOUT_S, Children, gather
from dlg_engine.managers.composite_session import CompositeSession
from dlg_engine.managers.followed import waiting_at_island
from dlg_engine.managers.following import Following
from dlg_engine.managers.losses import Losses
from dlg_engine.managers.reusing import share_keys
from dlg_engine.managers.roster import Roster
from dlg_engine.managers.run_options import RunOptions, without_reprodata
from dlg_engine.managers.session_ids import check_session_id
from dlg_engine.managers.split import Part, Spec, split
from dlg_engine.managers.told import all_states
from dlg_engine.sessions.states import SessionStates

logger = logging.getLogger(__name__)

AT_ONCE = 2
"""How many pieces of its part a node is given before the first of them must be in."""
CHUNK = 1 << 22
"""About how many bytes of dropspecs go in one call."""


class CompositeManager:
    """Runs sessions over the nodes below; every method may be called from any thread."""

    def __init__(self, peer: Callable[[str], Peer]) -> None:
        """`peer` gives a child by its name, to be called."""
        self.calls = Children(peer)
        self.roster = Roster()
        self._sessions: dict[str, CompositeSession] = {}
        self._lock = threading.Lock()
        self.losses = Losses(self._sessions, self.roster, self.calls)
        self.following = Following(self.calls.call, self.end_at_rest)
        self.waiting = waiting_at_island(self._sessions)
        self.adoption = Adoption(
            self._sessions, self.calls, self.roster, self.following, self.losses
        )

    def close(self) -> None:
        """Follow nobody any more, and let nobody wait."""
        self.following.close()
        self.waiting.close()

    # -- who is there --------------------------------------------------------------------------

    def _managers(self, session: CompositeSession) -> list[str]:
        """Return the children that have parts of a session."""
        return list(dict.fromkeys(map(self.roster.child, session.nodes)))

    def give_up(self, session_id: str, reason: str) -> None:
        """End a session that cannot go on: it has FAILED."""
        self.losses.give_up(self.session(session_id), reason)

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
        """Create a session on all children, or on none; refuse an id as they would."""
        check_session_id(session_id)
        with self._lock:
            if session_id in self._sessions:
                raise SessionAlreadyExistsException(session_id)
            session = self._sessions[session_id] = CompositeSession(session_id)
        try:
            self.create_on(session, self.roster.children)
        except DaliugeException:
            self._sessions.pop(session_id, None)
            raise

    def destroy_session(self, session_id: str) -> None:
        """Forget a session everywhere."""
        session = self.session(session_id)
        self.following.leave(session)
        on = dict.fromkeys([*session.children, *self._managers(session)])
        self.losses.order([(one, ("destroy_session", session_id)) for one in on])
        if self._sessions.pop(session_id, None) is not None:
            session.end("the session was deleted")

    def create_on(self, session: CompositeSession, children: Iterable[str]) -> None:
        """Create a session on children that do not have it yet: on all, or on none of them."""
        new = [child for child in children if child not in session.children]
        self.calls.all(new, "create_session", session.session_id, undo="destroy_session")
        session.children.update(new)

    def add_graph(self, session_id: str, specs: Sequence[Spec]) -> None:
        """Add dropspecs; they are checked and cut when the session is deployed."""
        session = self.session(session_id)
        if session.state not in {SessionStates.PRISTINE, SessionStates.BUILDING}:
            raise InvalidSessionState(f"session {session_id} takes no more drops: it is deployed")
        drops, asked = without_reprodata(specs)
        session.asked = session.asked if asked is None else asked
        session.specs.extend(drops)
        session.become(SessionStates.BUILDING)

    def deploy_session(
        self,
        session_id: str,
        completed: Iterable[str] | None = None,
        options: RunOptions | None = None,
    ) -> None:
        """Cut the graph, hand out the parts and start them.

        Raises InvalidGraphException if the graph is wrong, UsageError if it wants nodes that are
        not there, and SubManagerException if a node refuses its part; nothing runs then.
        """
        session = self.session(session_id)
        if session.state is not SessionStates.BUILDING:
            raise InvalidSessionState(
                f"session {session_id} cannot be deployed while {session.state.name}"
            )
        wanted = options or session.options
        wanted.check(completed)
        parts, roots = _cut(session, self.roster.nodes, completed)
        session.options = RunOptions(int(wanted.level(session.asked)), wanted.reuse)
        session.become(SessionStates.DEPLOYING)
        try:
            self.create_on(session, self._managers(session))  # some came after it was made
            _hand_out(self.calls, self.roster, session_id, parts)
            session.expect()
            self.following.follow(session, self.roster.child)
            self.calls.all(
                self._managers(session), "deploy_session", session_id, [],
                msgspec.structs.replace(
                    session.options, part=len(parts) > 1, nodes=tuple(parts)
                ).told(),
                timeout_s=DEPLOY_TIMEOUT_S,
            )  # fmt: skip
            if wanted.reuse and len(parts) > 1:
                share_keys(self.calls, self.roster, session_id, session.specs, list(parts))
        except DaliugeException as error:
            self.give_up(session_id, str(error))
            raise
        if not session.become(SessionStates.RUNNING):  # a node was lost at this moment
            raise SubManagerException(session.reason)
        # All of them, for what waits to be triggered is not at rest.
        self.trigger(session_id, {node: roots.get(node, []) for node in parts})

    def trigger(self, session_id: str, starts: Mapping[str, Sequence[str]]) -> None:
        """Start drops of a session: those of `starts[node]` on each node."""
        by_child: dict[str, dict[str, list[str]]] = {}
        for node, oids in starts.items():
            by_child.setdefault(self.roster.child(node), {})[node] = list(oids)
        gather(
            (child, self.calls.call(child, "trigger", session_id, there))
            for child, there in by_child.items()
        )

    def cancel_session(self, session_id: str, reason: str = "cancelled") -> None:
        """Give a session up on all nodes; refuse one that does not run."""
        session = self.session(session_id)
        if session.state is not SessionStates.RUNNING:
            raise InvalidSessionState(
                f"session {session_id} cannot be cancelled while {session.state.name}"
            )
        session.become(SessionStates.CANCELLED, reason)
        order = ("cancel_session", session_id, reason)
        self.losses.order([(one, order) for one in self._managers(session)])

    def end_at_rest(self, session: CompositeSession) -> None:
        """Let a session end on all nodes: what waits there does so in vain."""
        order = ("end_at_rest", session.session_id)
        self.losses.order([(one, order) for one in self._managers(session)])

    # -- what there is to know -------------------------------------------------------------------

    def session_status(self, session_id: str) -> dict[str, int]:
        """Return the state of a session on each node that runs a part of it, as last told."""
        session = self.session(session_id)
        if not session.nodes:
            return dict.fromkeys(self.roster.nodes, int(session.state))
        return {node: int(session.state_on(node)) for node in session.nodes}

    def session_state(self, session_id: str) -> SessionStates:
        """Return the state of a session as a whole."""
        return self.session(session_id).state

    def wait(self, session_id: str, timeout_s: float) -> bool:
        """Wait until a session is over and all is known of it; return whether that is so."""
        return wait_until_settled(self.session(session_id), timeout_s)

    def graph(self, session_id: str) -> dict[str, Spec]:
        """Return the dropspecs of a session by oid."""
        return {str(spec["oid"]): spec for spec in self.session(session_id).specs if "oid" in spec}

    def graph_status(self, session_id: str) -> dict[str, dict[str, int]]:
        """Return the state of each drop of a session that has been deployed."""
        session = self.session(session_id)
        if session.board is None:
            raise InvalidSessionState(f"session {session_id} has not been deployed")
        return all_states(session.board)

    def graph_size(self, session_id: str) -> int:
        """Return how many drops a session has."""
        return self.session(session_id).size


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


def _hand_out(calls: Children, roster: Roster, session_id: str, parts: Mapping[str, Part]) -> None:
    """Give each node its part, or rather whoever is called for it."""
    waiting: deque[tuple[str, Future[Any]]] = deque()
    # In turn, so that all nodes are at work, and few at a time: each call must end in its time.
    for turn in zip_longest(*(_pieces(node, part) for node, part in parts.items())):
        for node, chunk, exports in filter(None, turn):
            if len(waiting) >= AT_ONCE * len(parts):
                gather([waiting.popleft()])
            child = roster.child(node)
            waiting.append((node, calls.call(child, "add_part", session_id, node, chunk, exports)))
    gather(waiting)


def _pieces(node: str, part: Part) -> Iterator[tuple[str, bytes, Mapping[str, list[str]]]]:
    """Yield the part of a node in chunks; who waits for its drops goes with the first."""
    exports: Mapping[str, list[str]] = part.exports
    for chunk in _chunks(part.all_specs):
        yield node, chunk, exports
        exports = {}


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
