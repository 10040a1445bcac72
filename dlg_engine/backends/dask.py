"""Run a graph on a Dask cluster: one that is there, or one that is started on this host.

The whole graph is cut into parts (`parts`, `shipping`), which go to the scheduler as one graph:
its ordering, queuing and moving of data stay in charge, and data stays on workers. On a worker a
part is an ordinary live graph (`working`); what came of each drop is told to the session here,
whose graph only follows (`mirror`). A part over which workers have died is run again, with its
apps in processes of their own: so the one who is at fault is known, and the rest goes on.
"""

from __future__ import annotations

import os
import pickle
import queue
import re
import site
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlg import settings
from dlg.drops.live import LiveGraph
from dlg.engines import Abilities, NotOnThisEngineError
from dlg.exceptions import MissingExtraError, RunError, WorkerDiedError
from dlg.graph.physical import PhysicalGraph
from dlg.states.steps import APP, APP_OPEN
from dlg.support.garbage import held_off
from dlg.support.interrupts import is_interrupt
from dlg.support.paths import getDlgWorkDir
from dlg_engine.backends.mirror import Mirror, MirrorFlow
from dlg_engine.backends.shipping import Shipment
from dlg_engine.backends.working import Ends, News
from dlg_engine.embedded import new_session_id, run_to_end, witness_of
from dlg_engine.runners.inline import InlineRunner
from dlg_engine.sessions.report import RunReport
from dlg_engine.sessions.running import SessionRun
from dlg_engine.sessions.session import Session

if TYPE_CHECKING:
    from dlg_engine.backends.dask_cluster import Cluster, Submission

REFUSED = {
    "store": "take results from a store",
    "resumable": "write down what is done, to be resumed",
    "completed": "start in the middle of a graph",
    "runner": "choose who runs apps on a worker",
}
CATCH_UP_S = 30.0
"""How long it may take to hear what workers told before; who is late is run again."""
ROUNDS = 20
"""How often what is left is submitted again after workers have died over parts."""


class DaskEngine:
    """The engine `dask`: see `dlg.engines.Engine`."""

    name = "dask"
    abilities = Abilities(streaming=True, reproducibility=True, exceptions=True, elsewhere=True)

    def start(
        self,
        graph: Any,
        *,
        scheduler: str | None = None,
        workers: int | None = None,
        workdir: str | os.PathLike[str] | None = None,
        tls: Mapping[str, str] | None = None,
        reproducibility: object = None,
        **others: Any,
    ) -> SessionRun:
        """Begin to run `graph` on the cluster of `scheduler`, or on one that is started here.

        `workers` is how many processes such a cluster gets, by default one a processor. `workdir`
        must be the same directory on all hosts of a cluster. `tls` has the paths `ca_file`,
        `cert` and `key`. Raises `MissingExtraError` where `distributed` is not installed.
        """
        _refuse(others)
        cluster_module = _library()
        session_id = new_session_id(graph)
        root = Path(workdir) if workdir is not None else Path(getDlgWorkDir())
        session = DaskSession(session_id, root.absolute() / session_id, InlineRunner())
        session.witness = witness_of(graph, reproducibility)
        session.add_graph(graph)
        session.check()
        cluster = cluster_module.Cluster(cluster_module.Wanted(scheduler, workers, tls))
        try:
            session.deploy_on(cluster)
        except BaseException:
            cluster.close()
            raise
        return SessionRun(session, session.end)

    def __call__(
        self,
        graph: Any,
        *,
        timeout: float | None = None,
        progress: Callable[[Any], object] | None = None,
        **options: Any,
    ) -> RunReport:
        """Run `graph` and return what came of it; options are those of `start`."""
        return run_to_end(self.start(graph, **options), timeout, progress)


ENGINE = DaskEngine()


def _library() -> Any:
    try:
        from dlg_engine.backends import dask_cluster  # noqa: PLC0415  an optional library
    except ImportError as error:
        raise MissingExtraError(error.name or "distributed", "dask") from error
    return dask_cluster


def _refuse(options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if name not in REFUSED:
            raise NotOnThisEngineError(f"the engine dask has no option {name!r}")
        if value:
            raise NotOnThisEngineError(
                f"the engine dask cannot {REFUSED[name]} ({name}); the engine embedded can"
            )


class DaskSession(Session):
    """A session whose graph is run by a cluster."""

    _cluster: Cluster
    _graph: PhysicalGraph

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.flow_of = MirrorFlow
        self._submission: Submission | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def check(self) -> None:
        """Refuse what a cluster cannot run."""
        graph = self._graph = self._whole_graph()
        self._parts = [graph]
        if graph.external:
            row = min(graph.external)
            raise NotOnThisEngineError(
                f"drop {graph.oids[row]}: on the engine dask nobody triggers consumers from "
                "outside (executionMode EXTERNAL); the engine managers can"
            )

    def deploy_on(self, cluster: Cluster) -> None:
        """Start on `cluster`, which is ended with the session."""
        self._cluster = cluster
        self.deploy()
        live = self._running()
        live.step_in()
        work = _Work(self, live, cluster)
        self._thread = threading.Thread(
            target=self._drive, args=(work,), name="dlg-dask", daemon=True
        )
        self._thread.start()

    @property
    def graph(self) -> PhysicalGraph:
        """What is run."""
        return self._graph

    def _drive(self, work: _Work) -> None:
        live = self._running()
        try:
            work.run()
        except BaseException as error:  # whatever it is, nobody runs the rest any more
            if is_interrupt(error):
                raise
            if not self._stopped:
                reason = error
                work.mirror.fail(range(len(live.uids)), lambda uid: _not_run(uid, reason))
        finally:
            live.step_back()

    def submitted(self, submission: Submission) -> bool:
        """Take note of what runs now; return False if the session was cancelled before."""
        with self._lock:
            self._submission = submission
            return not self._stopped

    def _stop_elsewhere(self) -> None:
        """Give the session up on all workers: only now, or it could seem to have failed there."""
        with self._lock:
            self._stopped = True
            running = self._submission
        futures = [] if running is None else running.futures
        self._cluster.stop_session(self.session_id, futures)

    def end(self) -> None:
        """Let the cluster go."""
        if self._thread is not None:
            self._thread.join()
        self._cluster.close()


def _not_run(uid: str, error: BaseException) -> RunError:
    failure = RunError(f"drop {uid} could not be run on the cluster: {error}")
    failure.__cause__ = error
    return failure


class _Work:
    """The tasks of a session on its cluster, in as many rounds as it takes."""

    def __init__(self, session: DaskSession, live: LiveGraph, cluster: Cluster) -> None:
        self._session, self._live, self._cluster = session, live, cluster
        flow = live.flow
        assert isinstance(flow, MirrorFlow)  # noqa: S101  as the session has asked for
        with held_off():
            self._shipment = Shipment(session.graph, live, cluster.workers())
        self.mirror = Mirror(live, flow, self._shipment.cut.rows)
        self._news: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._marks: dict[int, int] = {}
        self._heard = threading.Condition()
        self._trouble: Exception | None = None
        self._submission: Submission = _library().Submission(self._names(0))
        self._apart: set[int] = set()
        self._check_resources()
        self._plugin = _library().SessionPlugin(
            session.session_id, session.directory,
            {"variables": settings.variables(), "checksums": live.surroundings.checksums},
            _code_of_user(),
        )  # fmt: skip

    def run(self) -> None:
        """Submit parts, follow them, and submit what is left when workers have died."""
        self._cluster.open_session(self._plugin, self._news.put)
        hearing = threading.Thread(target=self._hear, name="dlg-dask-news", daemon=True)
        hearing.start()
        try:
            self._run_rounds()
        finally:
            self._news.put(None)
            hearing.join()
            self._cluster.close_session(self._plugin)

    def _run_rounds(self) -> None:
        wanted = self._shipment.wanted
        part_of = self._shipment.cut.part_of
        missing = set(range(len(self._shipment.cut.rows)))
        for number in range(ROUNDS):
            submission = self._submission = _library().Submission(self._names(number))
            if not self._submit(submission, missing, wanted):
                return
            submission.wait()
            self._catch_up(number)
            self._collect(submission, [row for row in wanted if part_of[row] in missing])
            missing = self._left(submission)
            submission.release()
            if not missing:
                return
        raise RunError(f"workers died over parts of the graph in {ROUNDS} rounds")

    def _submit(self, submission: Submission, numbers: set[int], wanted: Sequence[int]) -> bool:
        """Submit parts, batch by batch; return False if the session was cancelled meanwhile."""
        session_id = self._session.session_id
        with held_off():
            load = self._shipment.load(numbers, frozenset(self._apart), wanted)
        for batch in load.batches():
            self._cluster.submit(session_id, batch, load, submission)
            if not self._session.submitted(submission):
                self._cluster.stop_session(session_id, submission.futures)
                return False
        return True

    def _left(self, submission: Submission) -> set[int]:
        """Decide about parts that have not been run; return those to be submitted again."""
        count = len(self._shipment.cut.rows)
        missing = {n for n in range(count) if n not in self.mirror.parts and self._is_open(n)}
        if not missing:
            return set()
        before = self._shipment.cut.before
        first = {n for n in missing if not missing.intersection(before[n])}
        failures = submission.failures()
        suspects: set[int] = set()
        if any(_library().is_killed(error) for _, error in failures):
            suspects = self._cluster.suspects(submission) & missing
        fresh = suspects - self._apart  # these are given the benefit of the doubt once
        self._apart |= fresh
        for part, error in failures:
            killed = _library().is_killed(error)
            if killed and fresh:
                continue
            chosen = suspects if killed else missing.intersection([] if part is None else [part])
            for number in chosen or first:
                self._fail(number, error)
        return self._shipment.again(n for n in missing if n not in self.mirror.parts)

    def _is_open(self, number: int) -> bool:
        flow = self._live.flow
        rows = self._shipment.cut.rows[number]
        return any(flow.traits[r] & APP and flow.exec_status[r] in APP_OPEN for r in rows)

    def _fail(self, number: int, error: BaseException) -> None:
        """Let a part have failed as a whole: it cannot be run anywhere."""
        rows = self._shipment.cut.rows[number]

        def failure(uid: str) -> BaseException:
            if not _library().is_killed(error):
                return _not_run(uid, error)
            made = WorkerDiedError(f"drop {uid}: all workers that ran it died")
            made.__cause__ = error
            return made

        self.mirror.fail(rows, failure)
        self.mirror.parts.add(number)

    def _catch_up(self, mark: int) -> None:
        """Wait until all has been heard that workers had to tell, of those that still can."""
        tellers = self._cluster.flush(self._session.session_id, mark)
        with self._heard:
            self._heard.wait_for(lambda: self._marks.get(mark, 0) >= tellers, CATCH_UP_S)
        if self._trouble is not None:  # parts of which that was would be run again and again
            raise RunError(
                f"what a worker told cannot be taken here: {self._trouble}; are the packages of "
                "apps installed here as on the workers?"
            ) from self._trouble

    def _hear(self) -> None:
        while (message := self._news.get()) is not None:
            told, mark = pickle.loads(message)  # noqa: S301  of workers of a cluster we trust
            for news in told:
                try:
                    self._take(news)
                except Exception as error:  # noqa: BLE001  who waits for what is told gets it
                    self._trouble = self._trouble or error
            if mark >= 0:
                with self._heard:
                    self._marks[mark] = self._marks.get(mark, 0) + 1
                    self._heard.notify_all()

    def _take(self, news: News) -> None:
        known = len(self.mirror.parts)
        told = self.mirror.take(news)
        if len(self.mirror.parts) > known:  # and not once more, because a worker died
            for number in self._shipment.cut.before[told.number]:
                self._submission.used(number)
        if self.mirror.has_ended(told):
            self._cluster.end_session_early(self._session.session_id)

    def _collect(self, submission: Submission, rows: Iterable[int]) -> None:
        """Bring data here that workers have and that is wanted after the run."""
        part_of, live = self._shipment.cut.part_of, self._live
        # Data that nobody has looked at holds nothing: there is no object of it here either.
        chosen = [row for row in rows if live.objects[row] is not None]
        ends: Ends = {}
        for more in submission.gather({part_of[row] for row in chosen}):
            ends.update(more or {})
        for row in chosen:
            _, _, cargo = ends.get(row, (0, -1, None))
            if cargo is not None:
                self.mirror.fill(live.drop(row), cargo)

    def _check_resources(self) -> None:
        """Refuse a graph that asks for more than any worker has: it would wait for ever."""
        ship = self._shipment
        apps = (r for rows in ship.cut.rows for r in rows if self._live.flow.traits[r] & APP)
        asking = [row for row in apps if ship.asked(row)]
        if not asking:
            return
        there = ship.offered = self._cluster.resources()
        for row in asking:
            for name, amount in ship.resources(row).items():
                if amount > there.get(name, 0):
                    has = f"the most that one has is {there[name]:g}" if name in there else (
                        "no worker says that it has any"
                    )  # fmt: skip
                    raise NotOnThisEngineError(
                        f"drop {self._live.uids[row]} needs {name} {amount:g}, and {has}: "
                        f'start workers with `dask worker --resources "{name}={amount:g}"`'
                    )

    def _names(self, round_number: int) -> Callable[[int], str]:
        """Return what names the tasks of parts, as Dask's own pages show them."""
        live, names = self._live, {}
        tail = f"{self._session.session_id[-6:]}{round_number:02x}"

        def name(number: int) -> str:
            row = self._shipment.app_of(number)
            said = str(live.spec(row).get("name") or live.classes[live.class_ids[row]].__name__)
            if said not in names:
                names[said] = f"{re.sub(r'[^A-Za-z0-9_]+', '_', said)[:40].lower()}-{tail}"
            return names[said]

        return name


def _code_of_user() -> list[str]:
    """Return from where users' modules are imported here: not what is installed."""
    installed = {sys.prefix, sys.base_prefix, *site.getsitepackages()}
    return [
        str(Path(place or ".").absolute()) for place in sys.path
        if not any(Path(place or ".").absolute().is_relative_to(home) for home in installed)
    ]  # fmt: skip
