"""What a data island offers to the master above it: its calls go on to the nodes they are for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from dlg.exceptions import SubManagerException, UsageError
from dlg_engine.managers.children import DEPLOY_TIMEOUT_S, gather
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.managers.inspecting import inspect
from dlg_engine.managers.looking import LOOK_UPS, at_node, past_sessions
from dlg_engine.managers.orphans import Orphans
from dlg_engine.managers.run_options import read_options
from dlg_engine.sessions.states import SessionStates


class Relay:
    """Passes on what a master asks of a data island."""

    def __init__(
        self,
        name: str,
        manager: CompositeManager,
        *,
        url: str = "",
        facts: Callable[[], list[dict[str, Any]]] = list,
    ) -> None:
        """`facts` gives what the nodes have told last."""
        self.name, self.manager, self.url, self.facts = name, manager, url, facts
        self.life = uuid.uuid4().hex
        self.orphans = Orphans(manager.session_state, manager.give_up)

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """Return what can be called."""
        manager = self.manager
        return {
            "about": self.about,
            "create_session": self.create_session,
            "destroy_session": manager.destroy_session,
            "add_part": self.add_part,
            "deploy_session": self.deploy_session,
            "trigger": manager.trigger,
            "cancel_session": manager.cancel_session,
            "end_at_rest": lambda session_id: manager.end_at_rest(manager.session(session_id)),
            "give_up": manager.give_up,
            "session_status": manager.session_status,
            "graph_status": self.graph_status,
            "changes": manager.waiting.changes,
            "inspect": lambda node, what, *args: inspect(manager, node, what, *args),
            "forget_node": manager.losses.forget_node,
            "past_sessions": lambda: past_sessions(manager),
            "of_node": self.of_node,
        }

    def about(self) -> dict[str, Any]:
        """Return that it lives, and which nodes it has."""
        self.orphans.heard()
        told = {"island": self.name, "url": self.url, "nodes": self.manager.roster.nodes}
        return {**told, "life": self.life, "facts": self.facts()}

    def create_session(self, session_id: str) -> None:
        """Create a session for the master; it does not outlive that for long."""
        self.manager.create_session(session_id)
        self.orphans.watch(session_id)

    def add_part(
        self, session_id: str, node: str, packed: bytes, exports: dict[str, list[str]]
    ) -> None:
        """Pass on a part of a graph that the master has cut."""
        session = self.manager.session(session_id)
        session.pass_on(node, packed)
        session.become(SessionStates.BUILDING)
        child = self.manager.roster.child(node)
        self.manager.create_on(session, [child])
        call = self.manager.calls.call(child, "add_part", session_id, node, packed, exports)
        gather([(node, call)])

    def deploy_session(
        self, session_id: str, completed: list[str], options: dict[str, Any] | None = None
    ) -> None:
        """Deploy the parts that have been passed on; the master says where to start."""
        session = self.manager.session(session_id)
        session.options, session.is_whole = read_options(options), False
        session.expect(passed_on=True)
        self.manager.following.follow(session, self.manager.roster.child)
        self.manager.calls.all(
            session.nodes,
            "deploy_session",
            session_id,
            completed,
            session.options.told(),
            timeout_s=DEPLOY_TIMEOUT_S,
        )
        if not session.become(SessionStates.RUNNING):  # a node was lost at this moment
            raise SubManagerException(session.reason)

    def of_node(self, node: str, method: str, *args: Any) -> Any:
        """Return what a node tells of itself."""
        if method not in LOOK_UPS:
            raise UsageError(f"{method!r} is nothing that nodes are asked from above")
        return at_node(self.manager, node, method, *args)

    def graph_status(self, session_id: str) -> bytes:
        """Return the state of each drop as JSON."""
        return msgspec.json.encode(self.manager.graph_status(session_id))
