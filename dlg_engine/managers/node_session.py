"""A session on one of several nodes: its part of the graph, and what passes between the nodes.

The part is a whole graph of its own (`split`). What is added here: other nodes are told when a
drop they wait for has ended, and a fetch is started, failed or skipped when its data has ended
elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlg.ddap_protocol import DROPStates
from dlg.drops.live import LiveGraph
from dlg.drops.runners import Runner
from dlg.drops.surroundings import Courier
from dlg.event import Event, EventHandler
from dlg.graph.physical import PhysicalGraph
from dlg.reproducibility.levels import Level
from dlg.support.paths import default_store
from dlg_engine.lifecycle.life import Life
from dlg_engine.managers.news import FailedElsewhereError, News
from dlg_engine.managers.part_witness import PartWitness
from dlg_engine.managers.resting import RestingSession
from dlg_engine.managers.run_options import RunOptions
from dlg_engine.managers.sent_along import SentAlong, small_contents
from dlg_engine.managers.split import FETCH, Spec, stands_in
from dlg_engine.managers.told import all_states
from dlg_engine.reuse.parts import PartReuse
from dlg_engine.reuse.running import Reuse, ReusingRunner
from dlg_engine.reuse.store import Store
from dlg_engine.sessions.states import OVER

Tell = Callable[[str, News], None]
"""Sends news to a node."""


class NodeSession(RestingSession):
    """One graph's part on one node."""

    waits_for_trigger = False
    """Whether it starts nothing by itself when it is deployed."""

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
        self._sent_along, self._tell = SentAlong(courier, self._brought), tell
        self.store: Path | None = None
        """Where results are kept to be used again."""
        self.life: Life | None = None
        """Who looks after its data; set before it is deployed."""
        self.options = RunOptions()
        self.asked = Level.NOTHING
        """The level of evidence that the graph asks for."""
        self._exports: dict[str, list[str]] = {}
        self._unfetched: dict[str, set[str]] = {}
        """For each drop that others wait for: the nodes that have yet to get its data."""
        self._early: list[News] = []

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

    def own_specs(self) -> dict[str, Spec]:
        """Return the dropspecs of its own drops by oid."""
        return {
            str(spec["oid"]): spec
            for part in self._parts
            for spec in (part.specs if isinstance(part, PhysicalGraph) else part)
            if "oid" in spec and not stands_in(spec)
        }

    def own_size(self) -> int:
        """Return how many drops of its own it has, counted."""
        return sum(
            len(part) if isinstance(part, PhysicalGraph) else sum(not stands_in(s) for s in part)
            for part in self._parts
        )

    def drop_states(self) -> dict[str, dict[str, int]]:
        """Return the state of each of its own drops."""
        self._running()
        return {} if self.board is None else all_states(self.board)

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
        self._equip()
        live = super()._make_live()
        if self.life is not None:
            self.life.adopt(live)
        live.surroundings = dataclasses.replace(live.surroundings, courier=self._sent_along)
        for row, spec in enumerate(live.specs):
            if stands_in(spec):
                self._not_own.add(row)
            if spec.get("dropclass") == FETCH:
                key = (str(spec["wanted"]), str(spec["source"]))
                self._fetches.setdefault(key, []).append(row)
        self._show(live, self._not_own)
        for oid, nodes in self._exports.items():
            row = live.row_of(oid)
            live.drop(row).subscribe(_Teller(self, tuple(nodes)), "dropCompleted")
            live.flow.share(row, len(nodes))
            self._unfetched[oid] = set(nodes)
        return live

    def _equip(self) -> None:
        """See to what is asked of the session besides running its graph."""
        level = self.options.level(self.asked)
        if level is not Level.NOTHING:
            self.witness = PartWitness(level, self.node, self._exports, part=self.options.part)
            self.runner = self.witness.watch(self.runner)
        if self.options.reuse:
            store = Store(self.store or default_store())
            whole = not (self.options.part or self.is_part)
            self.reuse = Reuse(store) if whole else PartReuse(store, stands_in)
            self.runner = ReusingRunner(self.runner, self.reuse)

    def _own_roots(self, live: LiveGraph) -> list[int]:
        fetches = {row for rows in self._fetches.values() for row in rows}
        return [row for row in live.flow.roots() if row not in fetches]

    def _take(self, news: News) -> None:
        if news.fetched:
            self._has_it(news.oid, news.source)
            return
        if self.state in OVER:  # it comes from a node that was lost, and has returned
            return
        live = self._running()
        rows = self._fetches.get((news.oid, news.source), ())
        if len(rows) == 1:
            self._sent_along.keep(news)
        live.apply(self._take_rows, news, rows)

    def _take_rows(self, news: News, rows: Sequence[int]) -> None:
        """Let fetches know, and count: as one event, before which and after which it may rest."""
        self._counts.taken[news.source] += 1
        flow = self._running().flow
        for row in rows:
            if news.status == DROPStates.COMPLETED:
                if news.spoiled and self.reuse is not None:
                    self.reuse.spoil(flow.after[row])
                flow.start([row])
            elif news.status == DROPStates.ERROR:
                who = news.stopped_by or news.oid
                flow.fail(row, FailedElsewhereError(news.source, who, news.reason))
            elif news.status == DROPStates.SKIPPED:
                flow.skip(row)
            else:
                flow.cancel(row)

    def tell(self, nodes: tuple[str, ...], oid: str, status: DROPStates) -> None:
        """Tell `nodes` that drop `oid` has ended."""
        if self._tell is None:
            return
        stopped_by, reason = "", ""
        if status is DROPStates.ERROR:
            stopped_by, reason = self._cause(oid)
        form, contents = "", b""
        live = self._running()
        if status is DROPStates.COMPLETED:
            form, contents = small_contents(live, oid)
        news = News(
            self.session_id, oid, self.node, int(status), stopped_by, reason, form, contents,
            spoiled=self.reuse is not None and self.reuse.is_spoiled(live.row_of(oid)),
        )  # fmt: skip
        for node in nodes:
            with self._gate:
                self._counts.sent[node] += 1
            self._tell(node, news)
            if form:  # it need not come for it
                self._has_it(oid, node)

    def _has_it(self, oid: str, node: str) -> None:
        """Take note that `node` has the data of `oid`; of what each has, the data may go here."""
        try:
            self._unfetched.get(oid, set()).remove(node)
        except KeyError:
            return  # it has been told before
        live = self._running()
        live.apply(live.flow.fetched, live.row_of(oid))

    def _brought(self, source: str, oid: str) -> None:
        """Tell `source` that its data has been brought here, for the only one that needs it."""
        if self._tell is not None and len(self._fetches.get((oid, source), ())) == 1:
            done = int(DROPStates.COMPLETED)
            self._tell(source, News(self.session_id, oid, self.node, done, fetched=True))

    def _cause(self, oid: str) -> tuple[str, str]:
        """Return which drop failed first, here or elsewhere, and with what."""
        live = self._running()
        row = live.row_of(oid)
        cause = live.flow.stopped_by.get(row, row)
        failure = live.flow.failures.get(cause)
        if isinstance(failure, FailedElsewhereError):
            return failure.drop, failure.reason
        return live.uids[cause], f"{type(failure).__name__}: {failure}" if failure else ""


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
