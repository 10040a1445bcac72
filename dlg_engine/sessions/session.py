"""A session: one graph from its parts to its end.

A session knows its directory, its runner and its live graph, and changes nothing of the process:
neither the working directory nor the environment, so that several can live side by side.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlg import settings
from dlg.ddap_protocol import DROPStates
from dlg.drops.building import FlowMaker, live_graph
from dlg.drops.growing import Growth
from dlg.drops.live import RUNNING, LiveGraph
from dlg.drops.runners import Runner
from dlg.drops.surroundings import Surroundings
from dlg.exceptions import InvalidGraphException, InvalidSessionState, UsageError
from dlg.graph import read_physical_graph
from dlg.graph.categories import resolve_class
from dlg.graph.physical import PhysicalGraph
from dlg.states.flow import Flow
from dlg.support import clock
from dlg_engine.sessions.evidence import Witness
from dlg_engine.sessions.report import Drops, RunReport, collect_errors, count_states
from dlg_engine.sessions.states import OVER, Event, SessionStates, step

if TYPE_CHECKING:
    from dlg_engine.recovery.running import Recovery
    from dlg_engine.reuse.running import Reuse

logger = logging.getLogger(__name__)

REFRESH_S = 0.2
"""How often progress is told."""
GRACE_S = 5.0
"""How long a cancelled session waits for running apps to notice."""
NAMED_WAITING = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a session has come."""

    total: int
    done: int
    """Drops that have come to an end, whichever."""
    failed: int
    skipped: int
    running: int
    elapsed_s: float


class Session:
    """One graph being run on one node."""

    def __init__(self, session_id: str, directory: Path, runner: Runner) -> None:
        """Start PRISTINE; `directory` is made when the session is deployed."""
        self.session_id, self.directory, self.runner = session_id, directory, runner
        self.state = SessionStates.PRISTINE
        self.live: LiveGraph | None = None
        self.reason = ""
        self.flow_of: FlowMaker = Flow
        self.witness: Witness | None = None
        """Who sees to evidence of the run, if somebody is to."""
        self.reuse: Reuse | None = None
        """What is taken from a store instead of being made again, if the runner does so."""
        self.recovery: Recovery | None = None
        """What is written down of the run, to look at or to go on from."""
        self._parts: list[PhysicalGraph | list[Mapping[str, Any]]] = []
        self._links: list[tuple[str, str, str]] = []
        self._timings = {"load_s": 0.0, "create_s": 0.0, "execute_s": 0.0}
        self._started = 0.0
        self._state_lock = threading.Lock()
        self._closing = threading.Lock()

    # -- building -------------------------------------------------------------------------

    def add_graph(self, graph: Any) -> None:
        """Add a part: a path, a list of dropspecs, or a `PhysicalGraph`.

        A graph in several parts must be given as lists of dropspecs; it is checked as a whole
        when the session is deployed.
        """
        self._step(Event.ADD)
        begun = time.perf_counter()
        one_part = isinstance(graph, list | PhysicalGraph)
        self._parts.append(graph if one_part else read_physical_graph(graph))
        self._timings["load_s"] += time.perf_counter() - begun

    def link(self, lhs: str, key: str, rhs: str) -> None:
        """Link drops of two parts: `rhs` is added to the list `key` of the dropspec of `lhs`."""
        self._step(Event.ADD)
        self._links.append((lhs, key, rhs))

    def deploy(self, completed: Iterable[str] | None = None) -> None:
        """Make the live graph and start it, at the drops `completed` or else at all roots.

        Raises `InvalidGraphException` if the graph is wrong; the session has FAILED then.
        """
        self._step(Event.DEPLOY)
        try:
            live = self._make_live()
            rows = live.flow.roots() if completed is None else map(live.row_of, completed)
            rows = list(rows)
        except BaseException:
            self._step(Event.FAIL)
            raise
        self._step(Event.START)
        self._started = time.perf_counter()
        live.start(rows)

    def _make_live(self) -> LiveGraph:
        begun = time.perf_counter()
        graph = self._whole_graph()
        growth = self._growth_of(graph)
        if growth is not None:
            graph = growth.begin(graph.source)
        loaded = time.perf_counter()
        self._make_directory()
        if self.recovery is not None:
            self.recovery.open()
        surroundings = Surroundings(
            session_id=self.session_id,
            directory=self.directory,
            variables=settings.variables(),
            checksums=settings.current().checksums,
            expires=self.witness is None or self.witness.expires,
            created=clock.monotonic(),
            held=() if self.recovery is None else self.recovery.held,
            grow=None if growth is None else growth.decide,
        )
        self.live = live_graph(
            graph, resolve_class, runner=self.runner, surroundings=surroundings,
            flow_of=self.flow_of,
        )  # fmt: skip
        if growth is not None:
            growth.live = self.live
        if self.witness is not None:
            self.witness.begin(graph, self.live)
        if self.reuse is not None:
            self.reuse.begin(graph, self.live)
        if self.recovery is not None:
            self.recovery.begin(graph, self.live, self.reuse)
        self._timings["load_s"] += loaded - begun
        self._timings["create_s"] = time.perf_counter() - loaded
        return self.live

    def _growth_of(self, graph: PhysicalGraph) -> Growth | None:
        """Return what lets the graph grow; None if it is run as a whole.

        So it is where the graph is written down, signed or compared with others: a whole is then
        what is spoken of.
        """
        whole = (self.witness, self.reuse, self.recovery)
        if graph.growing is None or any(one is not None for one in whole):
            return None
        return Growth(graph.growing(), resolve_class)

    def _make_directory(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            text = f"cannot make the directory of the session: {error.strerror}"
            raise UsageError(f"{text}: {self.directory}") from error

    def _whole_graph(self) -> PhysicalGraph:
        if len(self._parts) == 1 and not self._links:
            part = self._parts[0]
            return part if isinstance(part, PhysicalGraph) else read_physical_graph(part)
        specs: list[Mapping[str, Any]] = []
        for part in self._parts:
            specs += part.specs if isinstance(part, PhysicalGraph) else part
        by_oid = {spec.get("oid"): place for place, spec in enumerate(specs)}
        for lhs, key, rhs in self._links:
            if lhs not in by_oid:
                raise InvalidGraphException(f"cannot link {lhs!r} to {rhs!r}: no drop {lhs!r}")
            spec = specs[by_oid[lhs]]
            specs[by_oid[lhs]] = {**spec, key: [*spec.get(key, ()), rhs]}
        return read_physical_graph(specs)

    # -- running --------------------------------------------------------------------------

    def wait(
        self, timeout: float | None = None, progress: Callable[[Progress], object] | None = None
    ) -> bool:
        """Wait until the graph has come to rest; return False if `timeout` seconds passed first.

        `progress` is called about five times a second, and at the end.
        """
        live = self._running()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            step_s = (
                left if progress is None else min(REFRESH_S, REFRESH_S if left is None else left)
            )
            with live.changed:  # looked at once at least: it may have ended while we were asleep
                at_rest = live.changed.wait_for(lambda: live.idle, step_s)
            if progress is not None:
                progress(self.progress())
            if at_rest or left == 0:
                return at_rest

    def progress(self) -> Progress:
        """Return how far the session has come."""
        live = self._running()
        status, apps = bytes(live.flow.status), bytes(live.flow.exec_status)
        still_open = status.count(DROPStates.INITIALIZED) + status.count(DROPStates.WRITING)
        return Progress(
            total=len(status),
            done=len(status) - still_open,
            failed=status.count(DROPStates.ERROR),
            skipped=status.count(DROPStates.SKIPPED),
            running=max(0, apps.count(1) - live.handed_out),
            elapsed_s=time.perf_counter() - self._started,
        )

    def close(self) -> None:
        """Decide how the session has ended, once its graph is at rest.

        Nobody sees that end before all that the session leaves behind is there.
        """
        with self._closing:
            if self.state not in OVER:
                self._close()

    def _close(self) -> None:
        live = self._running()
        self._timings["execute_s"] = time.perf_counter() - self._started
        failed = live.flow.status.count(int(DROPStates.ERROR))
        waiting = self._waiting()
        if waiting and not failed:
            self.reason = self._wait_in_vain(waiting)
        self._leave_evidence()
        self._step(Event.FAIL if failed or waiting else Event.FINISH)

    def _leave_evidence(self) -> None:
        if self.witness is not None:
            self.witness.end(self._running(), self.directory)

    def _wait_in_vain(self, waiting: list[int]) -> str:
        """Return how it is told that drops wait for nothing."""
        return f"{len(waiting)} drops wait for something that nobody does"

    def cancel(self, reason: str = "cancelled") -> bool:
        """Give the session up; return whether all running apps have stopped in time.

        An interrupt from the keyboard meanwhile tells them again, which is an order to stop at
        once, and is raised.
        """
        if self.state in OVER:
            return True
        if self._started:
            self._timings["execute_s"] = time.perf_counter() - self._started
        self._step(Event.CANCEL)
        self.reason = reason
        live = self.live
        if live is None:
            self._stop_elsewhere()
            return True
        running = [row for row, s in enumerate(bytes(live.flow.exec_status)) if s == RUNNING]
        try:
            live.cancel()
            self._stop_elsewhere()
            with live.changed:
                return live.changed.wait_for(lambda: live.idle, GRACE_S)
        except KeyboardInterrupt:
            for row in running:
                if live.objects[row] is not None:
                    live.objects[row].interrupt()
            raise

    def _stop_elsewhere(self) -> None:
        """Stop what runs in other places; all drops have been cancelled here before."""

    def report(self) -> RunReport:
        """Return what has come of the session so far."""
        live = self._running()
        return RunReport(
            status=self.state.name,
            counts=count_states(live),
            timings=dict(self._timings),
            errors=collect_errors(live),
            session_id=self.session_id,
            session_dir=self.directory,
            drops=Drops(live),
            reason=self.reason,
            waiting=tuple(live.uids[row] for row in self._waiting()[:NAMED_WAITING]),
            warnings=tuple(live.warnings),
            reused=() if self.reuse is None else tuple(live.uids[r] for r in self.reuse.reused),
            **({} if self.recovery is None else self.recovery.told(live)),
        )

    def _waiting(self) -> list[int]:
        status = self._running().flow.status
        if not status.count(0) and not status.count(1):
            return []
        return [row for row, state in enumerate(status) if state <= DROPStates.WRITING]

    def _running(self) -> LiveGraph:
        if self.live is None:
            raise InvalidSessionState(f"session {self.session_id} has not been deployed")
        return self.live

    def _step(self, event: Event) -> None:
        """Take a step of the table: nothing else sets `state`."""
        with self._state_lock:
            self.state = step(self.state, event, self.session_id)
        logger.debug(
            "session %s: %s -> %s", self.session_id, event, self.state.name,
            extra={"action": f"session_{event}"},
        )  # fmt: skip
