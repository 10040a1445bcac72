"""Running tasks on an engine of this process: an app drop a task, and one for its end."""

from __future__ import annotations

import pickle
import secrets
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlg import plugins
from dlg.exceptions import RunError, UsageError
from dlg.graph.physical import DropKind, Links, LinkTable, PhysicalGraph
from dlg.support import by_value, clock
from dlg.taskgraph.attempts import SUCCESS, Order, Outcome, Place, Policy, carry_out
from dlg.taskgraph.book import Book

APP = "dlg.apps.task.TaskApp"
MODULES = ("dlg.drops.away", "dlg.support.calls")
MEMORY = "dlg.data.memory.InMemoryDROP"
NOTHING: dict[str, Any] = {}


class TaskFailedError(RunError):
    """A task has failed, or was not run in time; the book of the run has the details."""


class Run:
    """What the tasks of a run share."""

    def __init__(
        self, book: Book, builder: Any, policy: Policy, run_timeout: float | None
    ) -> None:
        self.book, self.builder, self.policy = book, builder, policy
        self.deadline = None if run_timeout is None else clock.monotonic() + run_timeout
        self.key = secrets.token_hex(8)
        """Of the builder, where that goes to other processes."""
        self.packed: tuple[str, bytes] | None = None
        self.limited = True


class Work:
    """A task of a run, as its app drop has it."""

    __slots__ = ("_run", "_tid")

    def __init__(self, run: Run, tid: str) -> None:
        self._run, self._tid = run, tid

    def carry_out(self, place: Place) -> Outcome:
        """Run the task and note in the book what came of it; raise if it did not succeed."""
        run, tid = self._run, self._tid
        if run.deadline is not None and clock.monotonic() >= run.deadline:
            raise TaskFailedError(f"task {tid!r} was not begun in time")
        task = run.book.begin(tid)
        order = Order(
            tid=tid, func=task.func, inputs=run.book.inputs(task), policy=run.policy,
            timeout_s=run.policy.task_timeout if task.timeout is None else task.timeout,
            deadline=run.deadline, builder=run.builder, packed=run.packed, limited=run.limited,
        )  # fmt: skip
        outcome = carry_out(order, place)
        run.book.settle(tid, outcome)
        if outcome.state != SUCCESS:
            why = outcome.attempts[-1].error if outcome.attempts else "there was no time for it"
            raise TaskFailedError(f"task {tid!r}: {why}")
        return outcome


def run_here(run: Run, engine: str, runner: str, pool: Any, workers: int) -> None:
    """Run the tasks of the book of `run`; what came of them stands there when this returns.

    `pool` is a runner that is called `runner`, or None where the engine makes its own.
    """
    run.limited = runner != "inline"
    if runner == "processes":
        run.packed = (run.key, packed_builder(run.builder))
    specs = [Work(run, tid) for tid in run.book.fresh]
    graph = graph_of(run.book, [{"name": str(w._tid), "work": w} for w in specs])  # noqa: SLF001
    with tempfile.TemporaryDirectory(prefix="dlg-tasks-") as directory:
        options = {"runner": runner, "workers": workers} if pool is None else {"runner": pool}
        plugins.engine(engine)(graph, **options, workdir=directory)


def modules_for(builder: Any) -> list[str]:
    """Return what processes will have to import to call functions of `builder`."""
    theirs = type(builder).__module__
    return [*MODULES, "dlg.support.by_value" if theirs == "__main__" else theirs]


def packed_builder(builder: Any) -> bytes:
    """Return a builder as it goes to other processes; raise `UsageError` if it cannot."""
    try:
        by_name = _pickled(builder)
        return by_value.pack(builder) if by_name is None else by_name
    except Exception as error:
        raise UsageError(
            f"the builder cannot be sent to other processes: {error}; "
            "runner='threads' runs its functions in this one"
        ) from error


def _pickled(builder: Any) -> bytes | None:
    """Return a plain pickle, which is opened sooner; None where the other side cannot open it."""
    try:
        data = pickle.dumps(builder, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    return None if b"__main__" in data else data


def graph_of(book: Book, specs: Sequence[dict[str, Any]]) -> PhysicalGraph:
    """Return the fresh tasks as a graph: row 2 n is task n, with its dropspec, 2 n + 1 its end."""
    rows = {tid: 2 * number for number, tid in enumerate(book.fresh)}
    src, dst = [], []
    for tid, row in rows.items():
        for needed in dict.fromkeys(book.tasks[tid].require):
            src.append(rows[needed] + 1)
            dst.append(row)
    count = len(rows)
    apps = np.arange(0, 2 * count, 2, dtype=np.int32)
    consumers = LinkTable(np.asarray(src, np.int32), np.asarray(dst, np.int32))
    return PhysicalGraph(
        oids=[f"{'d' if row % 2 else 'a'}{row // 2}" for row in range(2 * count)],
        kinds=bytes([DropKind.APP, DropKind.DATA]) * count,
        class_names=[APP, MEMORY],
        class_ids=[0, 1] * count,
        links=Links(consumers=consumers, outputs=LinkTable(apps, apps + 1)),
        specs=[spec for app in specs for spec in (app, NOTHING)],
        source="tasks",
    )
