"""What a manager of managers knows of a session: its graph, and how it stands on each node.

The nodes tell their changes (`following`); here they are put together. A session of this manager
has a board of the whole graph from its deployment on. One that was passed on by a master keeps
what the nodes told as it came, for the master; its board is made when somebody looks at it here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np

from dlg.reproducibility.levels import Level
from dlg.states.journal import Bell, Journal
from dlg.support import clock
from dlg_engine.managers.at_rest import Rest, nothing_comes
from dlg_engine.managers.boards import PACKED, TIMES, Spec, WholeBoard, as_column
from dlg_engine.managers.run_options import RunOptions
from dlg_engine.managers.split import stands_in
from dlg_engine.sessions.states import OVER, SessionStates

MOST_ERRORS = 100
GONE = "the node knows nothing of the session any more"


class NodeFeed:
    """What a node has told of its part of a session."""

    __slots__ = (
        "ended_s", "errors", "failures", "known", "raw", "reason", "rest", "reused", "settled",
        "started_s", "state", "steps",
    )  # fmt: skip

    def __init__(self, raw: Journal | None) -> None:
        self.raw = raw
        """Its changes as they came; None where they are put on a board at once."""
        self.known = self.steps = self.failures = 0
        """How many of its changes, steps and failures are known."""
        self.reused = 0
        """How many of its apps did not have to run."""
        self.state: SessionStates | None = None
        self.reason = ""
        self.errors: list[dict[str, Any]] = []
        self.started_s: float | None = None
        self.ended_s: float | None = None
        self.rest: Rest | None = None
        """Its last rest of which is known."""
        self.settled = False
        """Whether all is known that there will be."""

    def told(self, since: int) -> dict[str, Any]:
        """Return what there is after `since`, for a manager above."""
        raw = self.raw or Journal()
        packed, times = raw.columns(since, MOST_CHANGES)
        return {
            "since": since,
            "changes": np.array(packed, dtype=PACKED).tobytes(),
            "times": np.array(times, dtype=TIMES).tobytes(),
            "more": since + len(times) < raw.version,
            "steps": self.steps,
            "state": None if self.state is None else int(self.state),
            "reason": self.reason,
            "failures": self.failures,
            "reused": self.reused,
            "errors": self.errors,
            "started": self.started_s,
            "ended": self.ended_s,
            "settled": self.settled,
            "rest": self.rest and [self.rest.number, self.rest.sent, self.rest.taken],
        }


MOST_CHANGES = 200_000
"""How many changes go in one answer."""


class CompositeSession:
    """What a composite manager knows of a session."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.state = SessionStates.PRISTINE
        self.reason = ""
        self.nodes: list[str] = []
        """Those that run a part of it."""
        self.children: set[str] = set()
        """The managers below that know of it."""
        self.created_s = clock.now()
        self.started_s: float | None = None
        self.ended_s: float | None = None
        self.bell = Bell()
        self.options = RunOptions()
        self.asked = Level.NOTHING
        """The level of evidence that the graph asks for."""
        self.is_whole = True
        """Whether all of its graph came here, and not some of the parts of a master."""
        self.feeds: dict[str, NodeFeed] = {}
        self.reused = 0
        """How many apps did not have to run, as their results were in a store."""
        self._specs: list[Spec] = []
        self._passed_on: list[bytes] = []
        self._board: WholeBoard | None = None
        self._changes = 0
        self._stuck = False
        self._lock = threading.RLock()

    # -- the graph ----------------------------------------------------------------------------

    @property
    def specs(self) -> list[Spec]:
        """Return its dropspecs; those that were passed on are unpacked when first asked for."""
        with self._lock:
            for packed in self._passed_on:
                self._specs += [s for s in msgspec.json.decode(packed) if not stands_in(s)]
            self._passed_on.clear()
            return self._specs

    @specs.setter
    def specs(self, specs: Iterable[Spec]) -> None:
        self._specs = list(specs)

    def pass_on(self, node: str, packed: bytes) -> None:
        """Note a part, as JSON, that goes on to a node."""
        with self._lock:
            if node not in self.nodes:
                self.nodes.append(node)
            self._passed_on.append(packed)

    @property
    def size(self) -> int:
        """Return how many drops it has."""
        return len(self.specs)

    # -- how it stands ------------------------------------------------------------------------

    def become(self, state: SessionStates, reason: str = "") -> bool:
        """Take a step: nothing else sets `state`. Return False if the session is over already."""
        with self._lock:
            if self.state in OVER:
                return False
            self.state, self.reason = state, reason or self.reason
            if state is SessionStates.RUNNING and self.started_s is None:
                self.started_s = clock.now()
            if state in OVER and self.ended_s is None:
                ends = [feed.ended_s for feed in self.feeds.values() if feed.ended_s is not None]
                self.ended_s = max(ends, default=0.0) or clock.now()
            self._conclude()
        self.bell.step()
        return True

    @property
    def settled(self) -> bool:
        """Return whether it is over, and nothing more will be told of its drops."""
        with self._lock:
            return self.state in OVER and all(feed.settled for feed in self.feeds.values())

    def state_on(self, node: str) -> SessionStates:
        """Return how the session stands on a node, as last told; that it is over holds for all."""
        feed = self.feeds.get(node)
        told = None if feed is None else feed.state
        return self.state if told is None or (self.state in OVER and told not in OVER) else told

    def mark(self) -> tuple[int, int]:
        """Return how many changes and steps there have been."""
        return self._changes, self.bell.steps

    def errors(self) -> list[dict[str, Any]]:
        """Return the drops that failed by themselves, those that stopped most first."""
        with self._lock:
            found = [error for feed in self.feeds.values() for error in feed.errors]
        own = [error for error in found if not error["elsewhere"]] or found
        return sorted(own, key=lambda e: (-e["stopped"], e["uid"]))[:MOST_ERRORS]

    def told_reason(self) -> str:
        """Return why it ended as it did, where no drop says it."""
        with self._lock:
            reasons = [self.reason, *(feed.reason for feed in self.feeds.values())]
        found: list[str] = []
        for reason in reasons:
            if not any(reason in told for told in found):
                found += [reason] if reason else []
        return "; ".join(found)

    # -- what the nodes tell ------------------------------------------------------------------

    def expect(self, *, passed_on: bool = False) -> None:
        """Get ready for what the nodes will tell, just before they start."""
        with self._lock:
            self.feeds = {
                node: NodeFeed(Journal(Bell()) if passed_on else None) for node in self.nodes
            }
            if not passed_on:
                self._board = WholeBoard(self.specs, self.nodes, Bell())

    @property
    def board(self) -> WholeBoard | None:
        """Return its drops; None before it is deployed."""
        if self._board is not None or not self.feeds:
            return self._board
        with self._lock:
            if self._board is None:
                board = WholeBoard(self.specs, self.nodes, Bell())
                for node, feed in self.feeds.items():
                    packed, times = (feed.raw or Journal()).columns()
                    board.take(node, np.array(packed, dtype=PACKED), np.array(times))
                self._board = board
            return self._board

    def cursor(self, node: str) -> list[int]:
        """Return how much is known of a node's part."""
        feed = self.feeds[node]
        rest = 0 if feed.rest is None else feed.rest.number
        return [feed.known, feed.steps, feed.failures, rest]

    def take(self, node: str, told: Mapping[str, Any]) -> None:
        """Take note of what a node tells; what is known already is left out."""
        with self._lock:
            feed = self.feeds.get(node)
            if feed is None or feed.settled:
                return
            if told.get("rest") and not told["more"]:
                feed.rest = Rest(*told["rest"])
                self._changes += 1
            stepped = feed.steps != told["steps"] or told["failures"] != feed.failures
            self._take_changes(node, feed, told)
            if not told["more"]:
                _take_state(feed, told)
                self.reused = sum(one.reused for one in self.feeds.values())
            if stepped or feed.settled:
                self._conclude()
        if stepped or feed.settled:
            self.bell.step()
        else:
            self.bell.ring()

    def _take_changes(self, node: str, feed: NodeFeed, told: Mapping[str, Any]) -> None:
        known = feed.known - told["since"]
        packed = np.frombuffer(told["changes"], dtype=PACKED)[known:]
        times = np.frombuffer(told["times"], dtype=TIMES)[known:]
        if known < 0 or not len(packed):
            return
        feed.known += len(packed)
        self._changes += len(packed)
        if feed.raw is not None:
            feed.raw.extend(as_column("Q", packed), as_column("d", times))
        if self._board is not None:
            self._board.take(node, packed, times)

    def lose(self, node: str, why: str) -> None:
        """A node is gone: nothing more will come from it, and its open drops have failed."""
        with self._lock:
            feed = self.feeds.get(node)
            if feed is not None and not feed.settled:
                if self.board is not None:
                    packed = self.board.lost_with(node)
                    times = np.full(len(packed), clock.now(), dtype=TIMES)
                    ended = {"changes": packed.tobytes(), "times": times.tobytes()}
                    self._take_changes(node, feed, {"since": feed.known, **ended})
                feed.settled, feed.state = True, SessionStates.FAILED
                feed.steps += 1  # for those above
                feed.reason = feed.reason or why
                self._conclude()
        self.bell.step()

    def end(self, reason: str) -> None:
        """The session is deleted: nothing more will be told of it."""
        with self._lock:
            for feed in self.feeds.values():
                feed.settled = True
                feed.steps += 1
            if self.state not in OVER:
                self.become(SessionStates.CANCELLED, reason)
        self.bell.step()

    def is_stuck(self) -> bool:
        """Return whether drops wait, and nothing more will happen by itself; once only."""
        with self._lock:
            if self._stuck or self.state is not SessionStates.RUNNING or self.settled:
                return False
            self._stuck = self.is_whole and nothing_comes(
                {n: f.rest for n, f in self.feeds.items()}
            )
            return self._stuck

    def _conclude(self) -> None:
        """Decide how the session has ended, once all nodes have told how it has there."""
        feeds = self.feeds.values()
        if self.state is SessionStates.RUNNING and all(feed.settled for feed in feeds):
            states = {feed.state for feed in feeds if feed.state is not None}
            bad = states - {SessionStates.FINISHED}
            self.become(max(bad) if bad else SessionStates.FINISHED)


def _take_state(feed: NodeFeed, told: Mapping[str, Any]) -> None:
    feed.steps, feed.failures, feed.reused = told["steps"], told["failures"], told["reused"]
    if told["errors"] is not None:
        feed.errors = told["errors"]
    feed.state = None if told["state"] is None else SessionStates(told["state"])
    feed.reason, feed.settled = told["reason"], told["settled"]
    feed.started_s, feed.ended_s = told["started"], told["ended"]
