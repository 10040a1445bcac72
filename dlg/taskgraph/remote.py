"""Tasks on the nodes of a manager: the graph goes there, what came of each task comes back.

How builders and results travel, and whose are opened, is said in `dlg.clients.sending`.
"""

from __future__ import annotations

import base64
import pickle
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlg.clients.drops import describe_drop, read_data
from dlg.clients.events import follow
from dlg.clients.managers import DataIslandManagerClient, ManagerClient
from dlg.clients.sending import connect, forget, nodes_of, spread
from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.exceptions import DaliugeException, InvalidSessionState, UsageError
from dlg.graph.walk import topological_order
from dlg.support import by_value, clock
from dlg.taskgraph.attempts import INIT, READY, Outcome
from dlg.taskgraph.embedded import APP, MEMORY, Run
from dlg.taskgraph.sent import SentWork
from dlg.taskgraph.task import Task
from dlg.taskgraph.utils import date_of

BUILDER = "builder"


def run_there(run: Run, manager: str, *, trust: bool = False) -> None:
    """Run the tasks of the book of `run` on the nodes of `manager`, which is `host:port`.

    What came of them stands in the book when this returns. With `trust`, results of any manager
    are opened.
    """
    client = connect(manager, trust=trust)
    session_id = f"tasks-{secrets.token_hex(8)}"
    specs = _Writer(run, nodes_of(client)).specs()
    client.create_session(session_id)
    try:
        client.append_graph(session_id, specs)
        client.deploy_session(session_id)
        reader = _Reader(run, client, session_id)
        with _ended_in_time(run, reader):
            reader.follow()
        reader.settle_the_rest()
    finally:
        forget(client, session_id, sys.exception())


@contextmanager
def _ended_in_time(run: Run, reader: _Reader) -> Iterator[None]:
    """Let the session be cancelled when the time of the run is over."""
    if run.deadline is None:
        yield
        return
    timer = threading.Timer(max(0.0, run.deadline - clock.monotonic()), reader.cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Writer:
    """Writes the tasks of a run as dropspecs, which are spread over nodes."""

    def __init__(self, run: Run, nodes: list[str]) -> None:
        self._run, self._nodes = run, nodes
        tasks = run.book.tasks
        self._rows = {tid: row for row, tid in enumerate(run.book.fresh)}
        self._before = [
            [self._rows[one] for one in dict.fromkeys(tasks[tid].require)]
            for tid in run.book.fresh
        ]

    def specs(self) -> list[dict[str, Any]]:
        """Return the dropspecs: one of the builder, and three for each task."""
        used = {one for tid in self._rows for one in self._run.book.tasks[tid].use.values()}
        homes = self._homes()
        with by_value.packer([Path(sys.path[0] or ".")]) as pack:
            try:
                packed = pack(self._run.builder)
            except Exception as error:
                raise UsageError(f"the builder cannot be sent to nodes: {error}") from error
            text = base64.b64encode(packed).decode()
            found: list[dict[str, Any]] = [{
                "oid": BUILDER, "categoryType": "Data", "dropclass": MEMORY, "persist": True,
                "node": self._nodes[0], "pydata": {"value": text, "type": "str"},
            }]  # fmt: skip
            for tid, row in self._rows.items():
                task = self._run.book.tasks[tid]
                work = base64.b64encode(pack(self._work(task, row, wanted=tid in used))).decode()
                found += self._three(str(tid), row, homes[row], work)
        return found

    def _three(self, tid: str, row: int, node: str, work: str) -> Iterator[dict[str, Any]]:
        inputs = [BUILDER, *(f"d{one}" for one in self._before[row])]
        yield {
            "oid": f"a{row}", "name": tid, "categoryType": "Application", "dropclass": APP,
            "node": node, "work": work, "inputs": inputs, "outputs": [f"d{row}", f"r{row}"],
        }  # fmt: skip
        for kind, keep in (("d", False), ("r", True)):
            yield {
                "oid": f"{kind}{row}", "categoryType": "Data", "dropclass": MEMORY, "node": node,
                "persist": keep,
            }  # fmt: skip

    def _work(self, task: Task, row: int, *, wanted: bool) -> SentWork:
        places = {one: place for place, one in enumerate(self._before[row], 1)}
        policy = self._run.policy
        results = self._run.book.tasks
        known = {name: results[tid].results for name, tid in task.use.items()
                 if tid not in self._rows}  # fmt: skip
        return SentWork(
            tid=task.tid, func=task.func, inputs={**task.inputs, **known}, policy=policy,
            use={n: places[self._rows[t]] for n, t in task.use.items() if t in self._rows},
            timeout_s=policy.task_timeout if task.timeout is None else task.timeout,
            wanted=wanted, key=self._run.key,
        )  # fmt: skip

    def _homes(self) -> list[str]:
        """Return the node of each task."""
        after: list[list[int]] = [[] for _ in self._before]
        for row, needed in enumerate(self._before):
            for one in needed:
                after[one].append(row)
        order = topological_order(after, self._before)
        place = {row: n for n, row in enumerate(order)}
        homes = spread([[place[one] for one in self._before[row]] for row in order],
                       len(self._nodes))  # fmt: skip
        return [self._nodes[homes[place[row]]] for row in range(len(order))]


class _Reader:
    """Reads what came of tasks, as they end."""

    def __init__(self, run: Run, client: DataIslandManagerClient, session_id: str) -> None:
        self._book, self._tids = run.book, run.book.fresh
        self._client, self._session = client, session_id
        self._settled: set[int] = set()
        self._running: set[int] = set()
        """Tasks that were running when the time was over."""

    def follow(self) -> None:
        """Note what came of each task as soon as it is told, until the session is over."""
        for event in follow(self._client.link, self._session):
            if event.name != "changes":
                continue
            for oid, status, _, _ in event.data["changes"]:
                if oid.startswith("r") and status == DROPStates.COMPLETED:
                    self._settle(int(oid[1:]))

    def cancel(self) -> None:
        """End the session, as its time is over; called from another thread."""
        status = _running_apps(self._client, self._session)
        self._running |= status
        try:
            self._client.cancel_session(self._session)
        except InvalidSessionState:
            self._running.clear()  # it has just ended by itself

    def settle_the_rest(self) -> None:
        """Note what came of tasks that nobody told of; their nodes may be gone."""
        status: Mapping[str, Mapping[str, int]] = {}
        for row, tid in enumerate(self._tids):
            if row in self._settled or self._book.tasks[tid].state not in {INIT, READY}:
                continue
            status = status or self._client.graph_status(self._session)
            if status[f"r{row}"]["status"] == DROPStates.COMPLETED:
                self._settle(row)
            elif row in self._running:
                self._given_up(row)
            elif status[f"a{row}"].get("execStatus") == AppDROPStates.ERROR:
                self._lost(row)

    def _given_up(self, row: int) -> None:
        """A task was running when the time was over."""
        task = self._book.begin(self._tids[row])
        began = describe_drop(self._client.link, self._session, f"a{row}").get("began")
        task.date_start = None if began is None else date_of(began)

    def _settle(self, row: int) -> None:
        if row in self._settled:
            return
        self._settled.add(row)
        packed = read_data(self._client.link, self._session, f"r{row}")
        outcome = pickle.loads(packed)  # noqa: S301  only of managers that are known
        self._book.settle(self._tids[row], outcome)

    def _lost(self, row: int) -> None:
        """A task failed without leaving a record, if it is not for one that it requires."""
        book, tid = self._book, self._tids[row]
        needed = book.tasks[tid].require
        if any(book.tasks[one].state < INIT for one in needed):
            return
        try:
            error = describe_drop(self._client.link, self._session, f"a{row}").get("error") or {}
        except DaliugeException as refused:
            error = {"message": str(refused)}
        text = str(error.get("message") or "its node was lost")
        book.settle(tid, Outcome(Task.STATE_ERROR, text))


def _running_apps(client: ManagerClient, session_id: str) -> set[int]:
    status = client.graph_status(session_id)
    return {
        int(oid[1:]) for oid, one in status.items()
        if oid != BUILDER and one.get("execStatus") == AppDROPStates.RUNNING
    }  # fmt: skip
