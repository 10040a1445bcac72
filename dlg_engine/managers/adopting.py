"""Taking over sessions that nodes hold and this manager does not know: it was started anew.

Nodes go on with what they run when the manager above ends, and tell all that happens from the
beginning to whoever asks. So a manager that was started anew only has to learn which sessions
there are: it asks each node that comes. Each part of a session says which nodes have the others;
the session is taken over when all of them are there. Sessions that clients have made at a node
itself stay there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from dlg.exceptions import DaliugeException
from dlg_engine.managers.children import Children
from dlg_engine.managers.composite_session import CompositeSession
from dlg_engine.managers.following import Following
from dlg_engine.managers.losses import Losses
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.managers.reaching import Reach
from dlg_engine.managers.roster import Roster
from dlg_engine.managers.run_options import RunOptions
from dlg_engine.managers.split import as_it_was
from dlg_engine.sessions.states import SessionStates

logger = logging.getLogger(__name__)

ASK_S = 10.0
"""How long a node may take to tell which sessions it holds."""
UNTRIGGERED = "the manager that was starting it has ended"


class Held(msgspec.Struct, frozen=True):
    """What a node tells of a session that came from above."""

    session: str
    nodes: list[str]
    """All nodes that run parts of it."""
    created: float
    started: float | None = None
    repro: int | None = None
    reuse: bool = False
    triggered: bool = True
    """Whether it was started, and not only made."""


def held_sessions(manager: NodeManager) -> list[dict[str, Any]]:
    """Return the sessions of a node that came from above, as they travel."""
    found = [manager.session(one) for one in manager.session_ids]
    return [
        msgspec.to_builtins(
            Held(
                one.session_id, list(one.options.nodes), one.created_s, one.started_s,
                one.options.repro, one.options.reuse, not one.awaits_trigger,
            )
        )
        for one in found
        if one.options.nodes and one.board is not None
    ]  # fmt: skip


class Adoption:
    """What a composite manager takes over."""

    def __init__(
        self,
        sessions: dict[str, CompositeSession],
        calls: Children,
        roster: Roster,
        following: Following,
        losses: Losses,
    ) -> None:
        self._sessions, self._calls, self._roster = sessions, calls, roster
        self._following, self._losses = following, losses
        self._reach = Reach(calls, roster)
        self._heard: dict[str, dict[str, Held]] = {}
        """For sessions that are not known: what their nodes have told."""
        self._lock = threading.Lock()

    def look(self, nodes: Iterable[str]) -> None:
        """Ask nodes that have come which sessions they hold; take over those that are whole."""
        for node in nodes:
            try:
                said = self._reach.ask(node, "held_sessions", timeout_s=ASK_S)
                told = msgspec.convert(said, list[Held])
            except (DaliugeException, msgspec.ValidationError) as error:
                logger.info("%s does not tell its sessions: %s", node, error)
                continue
            for held in told:
                self._take_note(node, held)

    def look_later(self, nodes: Iterable[str]) -> None:
        """Do so in a thread of its own, for who must not wait."""
        listed = list(nodes)
        if listed:
            threading.Thread(
                target=self._look_alone, args=(listed,), name="dlg-adopting", daemon=True
            ).start()

    def _look_alone(self, nodes: list[str]) -> None:
        try:
            self.look(nodes)
        except Exception:
            logger.exception("sessions of %s could not be looked at", ", ".join(nodes))

    def _take_note(self, node: str, held: Held) -> None:
        with self._lock:
            if held.session in self._sessions:
                self._heard.pop(held.session, None)
                return
            parts = self._heard.setdefault(held.session, {})
            parts[node] = held
            there = set(self._roster.nodes)
            if not all(one in parts and one in there for one in held.nodes):
                return
            del self._heard[held.session]
        try:
            self._adopt(parts)
        except DaliugeException as error:
            logger.warning("session %s is not taken over: %s", held.session, error)

    def _adopt(self, parts: Mapping[str, Held]) -> None:
        """Make a session of its parts, and follow it from its beginning."""
        one = next(iter(parts.values()))
        session = CompositeSession(one.session)
        session.nodes, session.children = one.nodes, set(map(self._roster.child, one.nodes))
        # An island that was started anew too may not have it: nothing would come through it.
        self._calls.all(session.children, "session_status", one.session)
        session.created_s = min(held.created for held in parts.values())
        starts = [held.started for held in parts.values() if held.started is not None]
        session.started_s = min(starts, default=None)
        session.options = RunOptions(one.repro, one.reuse)
        graphs = [self._reach.graph(node, one.session) for node in one.nodes]
        specs = [spec for graph in graphs for spec in graph.values()]
        session.specs = as_it_was(specs, one.nodes)
        session.expect(passed_on=True)  # a master above may want what comes as it came
        if self._sessions.setdefault(one.session, session) is not session:
            return
        self._following.follow(session, self._roster.child)
        session.become(SessionStates.RUNNING)
        logger.warning(
            "session %s is taken over from %d nodes", one.session, len(parts),
            extra={"action": "session-adopted"},
        )  # fmt: skip
        if not all(held.triggered for held in parts.values()):
            self._losses.give_up(session, UNTRIGGERED)
