"""The manager of one node: its sessions, and what other nodes and clients may ask of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlg.ddap_protocol import DROPLinkType
from dlg.drops.runners import Runner
from dlg.drops.surroundings import Courier
from dlg.exceptions import (
    DaliugeException,
    InvalidSessionState,
    NoDropException,
    NoSessionException,
    SessionAlreadyExistsException,
    UsageError,
)
from dlg.graph.spec_links import KEYS
from dlg_engine.lifecycle.life import Life
from dlg_engine.lifecycle.options import LifecycleOptions
from dlg_engine.managers.followed import waiting_at_node
from dlg_engine.managers.news import News
from dlg_engine.managers.node_session import NodeSession
from dlg_engine.managers.run_options import RunOptions, without_reprodata
from dlg_engine.managers.session_ids import check_session_id
from dlg_engine.managers.split import Spec
from dlg_engine.sessions.states import OVER, SessionStates

logger = logging.getLogger(__name__)


class NodeManager:
    """Runs sessions on this node; every method may be called from any thread.

    `node` is the name by which graphs and other nodes know it. `courier` brings data from other
    nodes and `tell` sends them news; without them it runs graphs of one node only. `lifecycle`
    says how the life of data is looked after.
    """

    def __init__(
        self,
        node: str,
        workdir: Path,
        runner: Runner,
        *,
        courier: Courier | None = None,
        tell: Callable[[str, News], None] | None = None,
        lifecycle: LifecycleOptions | None = None,
    ) -> None:
        self.node, self.workdir, self.runner = node, workdir, runner
        self._courier, self._tell = courier, tell
        self.life = Life(lifecycle)
        self._sessions: dict[str, NodeSession] = {}
        self.waiting = waiting_at_node(self._sessions)
        self._watchers: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()
        self.store: Path | None = None
        """Where results are kept to be used again; None for the usual place."""
        self.draining = False
        """Whether it takes no new sessions, as it is to end."""

    # -- sessions ----------------------------------------------------------------------------

    @property
    def session_ids(self) -> list[str]:
        """Return the ids of all sessions, oldest first."""
        return list(self._sessions)

    def create_session(self, session_id: str) -> None:
        """Create a session; refuse an id that is taken or cannot name a directory."""
        check_session_id(session_id)
        with self._lock:
            if self.draining:
                raise InvalidSessionState(
                    "this manager is shutting down: it takes no new sessions"
                )
            if session_id in self._sessions:
                raise SessionAlreadyExistsException(session_id)
            session = self._sessions[session_id] = NodeSession(
                session_id,
                self.workdir / session_id,
                self.runner,
                node=self.node,
                courier=self._courier,
                tell=self._tell,
            )
            session.life, session.store = self.life, self.store

    def session(self, session_id: str) -> NodeSession:
        """Return a session; raise NoSessionException if there is none."""
        try:
            return self._sessions[session_id]
        except KeyError:
            raise NoSessionException(session_id) from None

    def destroy_session(self, session_id: str) -> None:
        """Cancel a session if it runs, and forget it with what it has in memory; its files stay.

        Files with a lifespan are deleted at their dates all the same.
        """
        session = self.session(session_id)
        if session.state not in OVER:
            session.cancel("the session was deleted")
        with self._lock:
            self._sessions.pop(session_id, None)
            self._watchers.pop(session_id, None)
        self.life.forget(session.live)

    # -- building ----------------------------------------------------------------------------

    def add_graph(self, session_id: str, specs: Sequence[Spec]) -> None:
        """Add dropspecs to the graph of a session; they are checked when it is deployed."""
        session = self.session(session_id)
        drops, asked = without_reprodata(specs)
        if asked is not None:
            session.asked = asked
        session.add_graph(list(drops))

    def add_link(self, session_id: str, lhs: str, kind: int, rhs: str) -> None:
        """Link drops of two parts: `lhs` is the `kind` (say, a consumer) of `rhs`."""
        try:
            key = KEYS[DROPLinkType(kind)]
        except (KeyError, ValueError):
            raise UsageError(f"{kind!r} is no type of link that joins two parts") from None
        self.session(session_id).link(rhs, key, lhs)

    def add_exports(self, session_id: str, exports: Mapping[str, Iterable[str]]) -> None:
        """Let other nodes be told when drops of a session have ended."""
        self.session(session_id).add_exports(exports)

    # -- running -----------------------------------------------------------------------------

    def deploy_session(
        self,
        session_id: str,
        completed: Iterable[str] | None = None,
        options: RunOptions | None = None,
    ) -> None:
        """Start a session at the drops `completed`, or at all that wait for nobody.

        Raises InvalidGraphException if its graph is wrong; the session has FAILED then.
        """
        session = self.session(session_id)
        session.options = options or session.options
        session.options.check(completed)
        session.deploy([] if completed is None and session.waits_for_trigger else completed)
        self._watch(session)

    def trigger(self, session_id: str, oids: Iterable[str]) -> None:
        """Complete the data and start the apps among `oids`."""
        self.session(session_id).trigger(oids)

    def cancel_session(self, session_id: str, reason: str = "cancelled") -> None:
        """Give a session up; refuse one that does not run."""
        session = self.session(session_id)
        if session.state is not SessionStates.RUNNING:
            raise InvalidSessionState(
                f"session {session_id} cannot be cancelled while {session.state.name}"
            )
        session.cancel(reason)

    def hear(self, news: Iterable[News]) -> None:
        """Take note of what other nodes tell; news of sessions that are gone are dropped."""
        for one in news:
            session = self._sessions.get(one.session_id)
            if session is not None:
                session.hear(one)

    def wait(self, session_id: str, timeout_s: float) -> bool:
        """Wait until a session is over; return whether it is."""
        watcher = self._watchers.get(session_id)
        if watcher is not None:
            watcher.join(timeout_s)
        return self.session(session_id).state in OVER

    # -- what there is to know ---------------------------------------------------------------

    def session_status(self, session_id: str) -> SessionStates:
        """Return the state of a session."""
        return self.session(session_id).state

    def graph(self, session_id: str) -> dict[str, Spec]:
        """Return the dropspecs of a session by oid, without those that stand in for others."""
        return self.session(session_id).own_specs()

    def graph_size(self, session_id: str) -> int:
        """Return how many drops a session has on this node."""
        return self.session(session_id).size

    def graph_status(self, session_id: str) -> dict[str, dict[str, int]]:
        """Return the state of each drop of a session that has been deployed."""
        return self.session(session_id).drop_states()

    def drop(self, session_id: str, oid: str) -> Any:
        """Return a drop of a running session; raise NoDropException if there is none."""
        live = self.session(session_id).live
        if live is None:
            raise InvalidSessionState(f"session {session_id} has not been deployed")
        try:
            return live.drop(live.row_of(oid))
        except KeyError:
            raise NoDropException(oid) from None

    # -- ending ------------------------------------------------------------------------------

    def shutdown(self, deadline_s: float = 0.0) -> None:
        """Take no new sessions, give running ones `deadline_s` to end, then cancel them."""
        with self._lock:
            self.draining = True
            sessions = list(self._sessions.values())
        running = [s for s in sessions if s.state is SessionStates.RUNNING]
        for session in running:
            self.wait(session.session_id, deadline_s / max(1, len(running)))
        for session in sessions:
            if session.state not in OVER:
                session.cancel("the manager was shut down")
        self.waiting.close()
        self.life.close()
        self.runner.close()

    def _watch(self, session: NodeSession) -> None:
        """Let a thread wait for the end of a session, to decide how it has ended."""
        watcher = threading.Thread(
            target=_see_to_its_end, args=(session,), name=f"dlg-{session.session_id}", daemon=True
        )
        with self._lock:
            self._watchers[session.session_id] = watcher
        watcher.start()


def _see_to_its_end(session: NodeSession) -> None:
    try:
        session.wait_for_end()
        session.close()
    except DaliugeException:
        logger.exception("session %s could not be closed", session.session_id)
