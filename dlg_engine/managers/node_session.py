"""A session on one of several nodes: its part of the graph, and what passes between the nodes.

The part is a whole graph of its own (`split`). What is added here: other nodes are told when a
drop they wait for has ended, and a fetch is started, failed or skipped when its data has ended
elsewhere.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from dlg.ddap_protocol import DROPStates
from dlg.drops.live import LiveGraph
from dlg.drops.runners import Runner
from dlg.drops.surroundings import Courier
from dlg.event import Event, EventHandler
from dlg.graph.physical import PhysicalGraph
from dlg.states.steps import APP
from dlg_engine.managers.news import FailedElsewhereError, News
from dlg_engine.managers.split import FETCH, Spec
from dlg_engine.sessions.session import Session
from dlg_engine.sessions.states import OVER
from dlg_engine.sessions.states import Event as Step

MOST_ERRORS = 100
"""How many failed drops a summary names."""

Tell = Callable[[str, News], None]
"""Sends news to a node."""


class NodeSession(Session):
    """One graph's part on one node."""

    def __init__(
        self,
        session_id: str,
        directory: Path,
        runner: Runner,
        *,
        node: str = "",
        courier: Courier | None = None,
        tell: Tell | None = None,
    ) -> None:
        super().__init__(session_id, directory, runner)
        self.node = node
        self._courier, self._tell = courier, tell
        self._exports: dict[str, list[str]] = {}
        self._fetches: dict[tuple[str, str], list[int]] = {}
        self._early: list[News] = []
        self._not_own: set[int] = set()
        self._to_be_triggered = False
        self._gate = threading.Lock()

    def add_exports(self, exports: Mapping[str, Iterable[str]]) -> None:
        """Let nodes be told when drops have ended: `exports[oid]` are those nodes."""
        for oid, nodes in exports.items():
            told = self._exports.setdefault(oid, [])
            told += [node for node in nodes if node not in told]

    @property
    def is_part(self) -> bool:
        """Return whether other nodes run parts of the same graph that this one waits for."""
        return any(
            spec.get("dropclass") == FETCH
            for part in self._parts
            if not isinstance(part, PhysicalGraph)
            for spec in part
        )

    @property
    def has_ended(self) -> bool:
        """Return whether every drop here has come to an end and nothing is at work any more."""
        live = self.live
        return live is not None and live.idle and not self._waiting()

    def wait_for_end(self) -> None:
        """Return when the session is over, or nothing more can happen here by itself."""
        live = self._running()
        with live.changed:
            live.changed.wait_for(self._is_at_rest)

    def _is_at_rest(self) -> bool:
        if self.state in OVER:
            return True
        if not self._running().idle:
            return False
        return not (self._fetches or self._to_be_triggered) or not self._waiting()

    def give_up(self, reason: str) -> None:
        """End a session that cannot go on because of something outside: it has FAILED."""
        if self.state in OVER:
            return
        self._step(Step.FAIL)
        self.reason = reason
        if self.live is not None:
            self.live.cancel()

    def own_specs(self) -> dict[str, Spec]:
        """Return the dropspecs of its own drops by oid."""
        return {
            str(spec["oid"]): spec
            for part in self._parts
            for spec in (part.specs if isinstance(part, PhysicalGraph) else part)
            if "oid" in spec and not _stands_in(spec)
        }

    def own_size(self) -> int:
        """Return how many drops of its own it has."""
        return len(self.own_specs())

    def drop_states(self) -> dict[str, dict[str, int]]:
        """Return the state of each of its own drops."""
        live = self._running()
        flow = live.flow
        return {
            uid: {"status": status, "execStatus": flow.exec_status[row]}
            if flow.traits[row] & APP
            else {"status": status}
            for row, (uid, status) in enumerate(zip(live.uids, flow.status, strict=True))
            if row not in self._not_own
        }

    def summary(self) -> dict[str, Any]:
        """Return how it stands: its state, drops by state, what failed."""
        live = self.live
        if live is None:
            return {"status": int(self.state), "counts": {}, "errors": [], "reason": self.reason}
        report = self.report()
        own = Counter(state["status"] for state in self.drop_states().values())
        return {
            "status": int(self.state),
            "counts": {DROPStates(state).name: count for state, count in sorted(own.items())},
            "errors": [
                {
                    "uid": e.uid,
                    "name": e.name,
                    "exception": e.exception,
                    "stopped": e.stopped,
                    "elsewhere": isinstance(e.error, FailedElsewhereError),
                }
                for e in report.errors[:MOST_ERRORS]
            ],
            "reason": self.reason,
        }

    def trigger(self, oids: Iterable[str]) -> None:
        """Complete the data and start the apps among `oids`, which wait for nobody."""
        live = self._running()
        live.apply(self._start_rows, [live.row_of(oid) for oid in oids])

    def _start_rows(self, rows: list[int]) -> None:
        """Start rows, as one event: nobody may see the graph at rest in between."""
        self._to_be_triggered = False
        self._running().flow.start(rows)

    def hear(self, news: News) -> None:
        """Take note of the end of a drop on another node; before the session runs it is kept."""
        with self._gate:
            if self.live is None or not self._started:
                self._early.append(news)
                return
        self._take(news)

    def deploy(self, completed: Iterable[str] | None = None) -> None:
        """Make the live graph and start it at the drops `completed`, or at its own roots.

        Fetches are no roots, though they wait for no drop: they wait for news.
        """
        completed = completed if completed is None else list(completed)
        self._to_be_triggered = completed == []
        super().deploy(completed if completed is not None or not self.is_part else ())
        if completed is None and self.is_part:
            live = self._running()
            live.start(self._own_roots(live))
        with self._gate:
            early, self._early = self._early, []
        for news in early:
            self._take(news)

    # -- to and from other nodes -----------------------------------------------------------

    def _make_live(self) -> LiveGraph:
        live = super()._make_live()
        live.surroundings = dataclasses.replace(live.surroundings, courier=self._courier)
        for row, spec in enumerate(live.specs):
            if _stands_in(spec):
                self._not_own.add(row)
            if spec.get("dropclass") == FETCH:
                key = (str(spec["wanted"]), str(spec["source"]))
                self._fetches.setdefault(key, []).append(row)
        for oid, nodes in self._exports.items():
            row = live.row_of(oid)
            live.drop(row).subscribe(_Teller(self, tuple(nodes)), "dropCompleted")
            # Nobody here knows when the others have fetched it.
            live.flow.keep_after_use(row)
        return live

    def _own_roots(self, live: LiveGraph) -> list[int]:
        fetches = {row for rows in self._fetches.values() for row in rows}
        return [row for row in live.flow.roots() if row not in fetches]

    def _take(self, news: News) -> None:
        live = self._running()
        flow = live.flow
        for row in self._fetches.get((news.oid, news.source), ()):
            if news.status == DROPStates.COMPLETED:
                live.start([row])
            elif news.status == DROPStates.ERROR:
                who = news.stopped_by or news.oid
                live.apply(flow.fail, row, FailedElsewhereError(news.source, who, news.reason))
            elif news.status == DROPStates.SKIPPED:
                live.apply(flow.skip, row)
            else:
                live.apply(flow.cancel, row)

    def tell(self, nodes: tuple[str, ...], oid: str, status: DROPStates) -> None:
        """Tell `nodes` that drop `oid` has ended."""
        if self._tell is None:
            return
        stopped_by, reason = "", ""
        if status is DROPStates.ERROR:
            stopped_by, reason = self._cause(oid)
        news = News(self.session_id, oid, self.node, int(status), stopped_by, reason)
        for node in nodes:
            self._tell(node, news)

    def _cause(self, oid: str) -> tuple[str, str]:
        """Return which drop failed first, here or elsewhere, and with what."""
        live = self._running()
        row = live.row_of(oid)
        cause = live.flow.stopped_by.get(row, row)
        failure = live.flow.failures.get(cause)
        if isinstance(failure, FailedElsewhereError):
            return failure.drop, failure.reason
        return live.uids[cause], f"{type(failure).__name__}: {failure}" if failure else ""


def _stands_in(spec: Spec) -> bool:
    """Return whether a drop stands in for one of another node."""
    return spec.get("dropclass") == FETCH or bool(spec.get("replica"))


class _Teller(EventHandler):
    """Tells other nodes of the end of one drop."""

    __slots__ = ("_nodes", "_session")

    def __init__(self, session: NodeSession, nodes: tuple[str, ...]) -> None:
        self._session, self._nodes = session, nodes

    def handleEvent(self, e: Event) -> None:
        """Tell."""
        about: Any = e
        if about.status in {DROPStates.EXPIRED, DROPStates.DELETED}:
            return  # its end was told before
        self._session.tell(self._nodes, about.oid, about.status)
