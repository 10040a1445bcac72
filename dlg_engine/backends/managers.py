"""The engine of node managers, which are asked over REST: one node, a data island or a master."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlg.clients.drops import read_data
from dlg.clients.events import follow
from dlg.clients.managers import DataIslandManagerClient
from dlg.clients.sending import connect, nodes_of, spread
from dlg.ddap_protocol import DROPStates
from dlg.engines import Abilities, NotOnThisEngineError
from dlg.exceptions import InvalidSessionState, UsageError
from dlg.graph import read_physical_graph
from dlg.graph.physical import PhysicalGraph
from dlg.graph.walk import topological_order
from dlg.graph.writing import lean_specs
from dlg.support import clock
from dlg_engine.embedded import new_session_id
from dlg_engine.sessions.report import DropError
from dlg_engine.sessions.session import Progress

OPEN = frozenset({DROPStates.INITIALIZED.name, DROPStates.WRITING.name})
OVER = frozenset({"FINISHED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteReport:
    """What came of a session of a manager: see `dlg.engines.Report`."""

    status: str
    session_id: str
    reason: str
    counts: Mapping[str, int]
    errors: tuple[DropError, ...]
    states: Mapping[str, DROPStates]
    client: DataIslandManagerClient

    def result(self, uid: str) -> bytes:
        """Return the bytes of data `uid`, of an object its pickle, as long as the session is."""
        return bytes(read_data(self.client.link, self.session_id, uid))

    def evidence(self) -> list[Any]:
        """Return what the run left behind to be compared: drops by oid, and the whole."""
        found = self.client.evidence(self.session_id)
        if not found.get("reprodata"):
            raise UsageError(f"session {self.session_id} left no evidence: ask for a level")
        return [found["graph"], found["reprodata"]]


class ManagersRun:
    """A session of a manager: see `dlg.engines.Run`."""

    def __init__(self, client: DataIslandManagerClient, session_id: str) -> None:
        self._client, self.session_id = client, session_id
        self._began = clock.monotonic()
        self._changed = threading.Condition()
        self._told: list[Mapping[str, Any]] = []
        self._over = False
        self._trouble: BaseException | None = None
        threading.Thread(target=self._follow, name="dlg-managers-run", daemon=True).start()

    def _follow(self) -> None:
        trouble: BaseException | None = None
        try:
            for event in follow(self._client.link, self.session_id):
                if event.name == "session":
                    with self._changed:
                        self._told.append(event.data)
                        self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001  whoever watches gets it
            trouble = error
        with self._changed:
            self._over, self._trouble = True, trouble
            self._changed.notify_all()

    def watch(
        self, timeout: float | None = None, progress: Callable[[Progress], object] | None = None
    ) -> bool:
        """Wait for the end; return False if `timeout` seconds passed first.

        Raises `ManagerUnreachableError` if the manager tells no more.
        """
        deadline = None if timeout is None else clock.monotonic() + timeout
        heard = 0
        while True:
            left = None if deadline is None else deadline - clock.monotonic()
            told, over = self._more(heard, left)
            heard += len(told)
            if progress is not None:
                for summary in told:
                    progress(self._progress(summary))
            if over and self._trouble is not None:
                raise self._trouble
            if over or not told:
                return over

    def _more(self, heard: int, timeout: float | None) -> tuple[list[Mapping[str, Any]], bool]:
        """Return what was told after the first `heard` summaries, and whether that is all."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or len(self._told) > heard, timeout)
            return self._told[heard:], self._over

    def _progress(self, summary: Mapping[str, Any]) -> Progress:
        counts = _counts(summary)
        return Progress(
            total=sum(counts.values()),
            done=sum(count for name, count in counts.items() if name not in OPEN),
            failed=counts.get("ERROR", 0), skipped=counts.get("SKIPPED", 0),
            running=int(summary.get("running") or 0),
            elapsed_s=clock.monotonic() - self._began,
        )  # fmt: skip

    def cancel(self, reason: str = "cancelled") -> None:
        """Give the run up; the manager tells its own reason."""
        try:
            self._client.cancel_session(self.session_id)
        except InvalidSessionState:
            return  # it is over
        self.watch()

    def collect(self) -> RemoteReport:
        """Return what came of the run; its data stays with the manager, as its session does."""
        summary = self._client.session_summary(self.session_id)
        if summary["state"] not in OVER:
            raise InvalidSessionState(f"session {self.session_id} is not over")
        states = self._client.graph_status(self.session_id)
        return RemoteReport(
            status=summary["state"], session_id=self.session_id,
            reason=str(summary.get("reason") or ""), counts=_counts(summary),
            errors=tuple(_error(told) for told in summary.get("errors") or ()),
            states={oid: DROPStates(told["status"]) for oid, told in states.items()},
            client=self._client,
        )  # fmt: skip


class ManagersEngine:
    """The engine `managers`: see `dlg.engines.Engine`."""

    name = "managers"
    abilities = Abilities(streaming=True, reuse=True, reproducibility=True, elsewhere=True)

    def start(
        self,
        graph: Any,
        *,
        manager: str | None = None,
        reproducibility: int | str | None = None,
        store: object = None,
        workdir: str | os.PathLike[str] | None = None,
        **others: Any,
    ) -> ManagersRun:
        """Begin to run `graph` on the nodes of `manager`, which is `host:port`.

        Drops that say no node of it are spread over all. With `store`, whatever its value, nodes
        use their own stores. `workdir` is of no consequence: nodes have their own.
        """
        for name, value in others.items():
            if value:
                raise NotOnThisEngineError(f"the engine managers has no option {name!r}")
        if not manager:
            raise UsageError("the engine managers needs a manager, as host:port")
        client = connect(manager, trust=True)  # no pickle of it is opened here
        specs = list(_placed(_whole(graph), nodes_of(client)))
        session_id = new_session_id(graph)
        client.create_session(session_id)
        client.append_graph(session_id, specs)
        client.deploy_session(session_id, reproducibility=reproducibility, reuse=store is not None)
        return ManagersRun(client, session_id)

    def __call__(
        self,
        graph: Any,
        *,
        timeout: float | None = None,
        progress: Callable[[Any], object] | None = None,
        **options: Any,
    ) -> RemoteReport:
        """Run `graph` and return what came of it; options are those of `start`."""
        run = self.start(graph, **options)
        try:
            if not run.watch(timeout, progress):
                run.cancel(f"ran out of time after {timeout:g} s")
        except KeyboardInterrupt:
            run.cancel("interrupted from the keyboard")
            raise
        return run.collect()


ENGINE = ManagersEngine()


def _whole(graph: Any) -> PhysicalGraph:
    if isinstance(graph, PhysicalGraph):
        return graph
    one = isinstance(graph, str | Path | os.PathLike)
    return read_physical_graph(graph if one else list(graph))


def _placed(graph: PhysicalGraph, nodes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the dropspecs, each with a node: what follows from something is beside it."""
    after, before = graph.neighbours
    order = topological_order(after, before)
    place = {row: n for n, row in enumerate(order)}
    homes = spread([[place[one] for one in before[row]] for row in order], len(nodes))
    for row, spec in enumerate(lean_specs(graph)):
        if spec.get("node") not in nodes:
            spec["node"] = nodes[homes[place[row]]]
        yield spec


def _counts(summary: Mapping[str, Any]) -> dict[str, int]:
    found = summary.get("counts") or summary.get("states") or {}
    return {str(name): int(count) for name, count in found.items() if count}


def _error(told: Mapping[str, Any]) -> DropError:
    return DropError(
        uid=str(told["uid"]), name=str(told.get("name") or told["uid"]),
        exception=str(told["exception"]), traceback=str(told.get("traceback") or ""),
        causes=tuple(told.get("causes") or ()), stopped=int(told.get("stopped") or 0),
        node=str(told.get("node") or ""),
    )  # fmt: skip
