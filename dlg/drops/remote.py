"""Running one app away from its graph: what it needs goes there, what it made comes back.

A `Job` holds an app, its inputs and outputs as dropspecs, and the data that only exists in the
process of the graph (memory drops). At the other end a small live graph is made of it, in which
the app runs as if nothing had happened; the `JobOutcome` says how the outputs ended and carries
their data. Files and other storages are reached from both ends and do not travel.
"""

from __future__ import annotations

import math
import pickle
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.drops import lifetime
from dlg.drops.execution import run_app
from dlg.drops.live import LiveGraph
from dlg.drops.runners import ON_DEMAND
from dlg.drops.surroundings import Surroundings
from dlg.exceptions import DataVanishedError, RunError
from dlg.states.flow import Flow
from dlg.support import context
from dlg.support.parcels import Parcel, wrap
from dlg.support.serialize import EncodingError

FINAL_BY_ITSELF = frozenset({DROPStates.SKIPPED, DROPStates.ERROR, DROPStates.COMPLETED})


class RemoteFailure(RunError):  # noqa: N818  it stands for a failure elsewhere
    """An app failed in another process; the text has the traceback from there."""

    def __init__(self, summary: str, remote_traceback: str) -> None:
        super().__init__(summary, remote_traceback)  # both, or it could not be unpickled
        self.remote_traceback = remote_traceback

    def __str__(self) -> str:
        return str(self.args[0])


class _Elsewhere(Exception):  # noqa: N818  only there to show a traceback
    """Shown as the cause of a failure: the traceback from the process where it happened."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}" if self.args else ""


@dataclass(slots=True)
class Travelling:
    """A drop on its way."""

    cls: type[Any]
    spec: dict[str, Any]
    oid: str
    uid: str
    status: int
    cargo: Any
    """What the storage packs up; None when the data is reached from both ends."""


@dataclass(slots=True)
class Job:
    """An app to be run elsewhere, first among its drops, then inputs, then outputs."""

    drops: list[Travelling]
    inputs: int
    surroundings: Surroundings
    fresh: list[Parcel]
    """Parcels made for this job alone."""

    def own(self) -> None:
        """Let the blocks made for this job go when the job does."""
        for parcel in self.fresh:
            parcel.own()

    def perform(self, prefix: str) -> Parcel:
        """Run the job in this process and wrap what came of it."""
        return wrap(run_job(self, prefix), prefix)


@dataclass(slots=True)
class OutputEnd:
    """How an output ended elsewhere."""

    status: int
    cargo: Any
    size: int | None
    crc: int
    failure: BaseException | None = None


@dataclass(slots=True)
class JobOutcome:
    """What came of a job."""

    failure: BaseException | None
    outputs: list[OutputEnd]
    results: dict[str, Any]
    """Attributes of the app named in its `results`."""

    def own(self) -> None:
        """Let the blocks with the outputs' data stay as long as somebody here has the data."""
        for end in self.outputs:
            for part in end.cargo if isinstance(end.cargo, tuple) else ():
                if isinstance(part, Parcel):
                    part.own()


def make_job(live: LiveGraph, row: int, prefix: str) -> Job:
    """Return app `row` of `live` as a job; new blocks of shared memory get names with `prefix`."""
    app = live.drop(row)
    app.autofill_environment_variables()
    before, after = live.flow.before[row], live.flow.after[row]
    drops = [_travelling(live, row, None)]
    fresh: list[Parcel] = []
    for source in before:
        drop = live.drop(source)
        complete = drop.status is DROPStates.COMPLETED
        if complete:
            lifetime.restore(drop)  # where the app runs there are no replicas
        cargo = drop.pack(prefix) if complete else None
        drops.append(_travelling(live, source, cargo))
        if complete and not drop.is_parcel:
            fresh += [part for part in (cargo or ()) if isinstance(part, Parcel)]
    drops += [_travelling(live, target, live.drop(target).pack_place()) for target in after]
    around = live.surroundings
    plain = Surroundings(
        session_id=around.session_id, directory=_path(around.directory),
        variables=dict(around.variables), checksums=around.checksums,
        created=math.inf,  # what has a date is kept there as long as the app runs
    )  # fmt: skip
    return Job(drops, len(before), plain, fresh)


def _path(directory: Path | None) -> Path | None:
    return None if directory is None else Path(directory)


def _travelling(live: LiveGraph, row: int, cargo: Any) -> Travelling:
    drop = live.drop(row)
    spec = dict(live.spec(row))
    given = {k: v for k, v in (drop.given or {}).items() if k not in spec or _is_plain(v)}
    return Travelling(
        type(drop), {**spec, **given}, live.oids[row], live.uids[row], live.flow.status[row], cargo
    )


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | list | dict | tuple | bytes)


def run_job(job: Job, prefix: str) -> JobOutcome:
    """Run a job in this process and return what came of it."""
    live = _small_graph(job)
    failure = _run_alone(live)
    try:
        outputs = [_end_of(live, row, prefix) for row in live.flow.after[0]]
    except Exception as error:  # noqa: BLE001  a value may refuse to be pickled in any way
        text = f"drop {live.uids[0]}: its result cannot be sent to another process: {error}"
        failure = failure or EncodingError(text)
        outputs = [
            OutputEnd(int(DROPStates.INITIALIZED), None, None, 0) for _ in live.flow.after[0]
        ]
    app = live.objects[0]
    results = {n: getattr(app, n, None) for n in type(app).results} if app is not None else {}
    return JobOutcome(portable(failure), outputs, results)


def _run_alone(live: LiveGraph) -> BaseException | None:
    """Run the only app of `live`; return what it failed with, or said that it failed with."""
    with context.working_for(drop=live.uids[0]):
        try:
            failure = run_app(live, 0)
        except KeyboardInterrupt as error:  # the app's own: a worker process gets no other
            failure = error
    return failure or live.flow.failures.get(0)


def _small_graph(job: Job) -> LiveGraph:
    count = len(job.drops)
    inputs = list(range(1, 1 + job.inputs))
    outputs = list(range(1 + job.inputs, count))
    after: list[Sequence[int]] = [[] for _ in range(count)]
    before: list[Sequence[int]] = [[] for _ in range(count)]
    after[0], before[0] = outputs, inputs
    for row in inputs:
        after[row] = [0]
    for row in outputs:
        before[row] = [0]
    traits = bytearray(drop.cls.traits for drop in job.drops)
    flow = Flow(traits, after, before)
    live = LiveGraph(flow, [d.oid for d in job.drops], [d.uid for d in job.drops], ON_DEMAND)
    live.classes = [drop.cls for drop in job.drops]
    live.class_ids = range(count)
    live.specs = [drop.spec for drop in job.drops]
    live.surroundings = job.surroundings
    for row, drop in enumerate(job.drops):
        flow.status[row] = drop.status
        if drop.cargo is not None:
            live.drop(row).unpack(drop.cargo)
    flow.status[0], flow.exec_status[0] = DROPStates.INITIALIZED, AppDROPStates.RUNNING
    return live


def _end_of(live: LiveGraph, row: int, prefix: str) -> OutputEnd:
    status = DROPStates(live.flow.status[row])
    drop = live.objects[row]
    if drop is None:
        return OutputEnd(status, None, None, 0)
    drop._close_writer()
    held = status in {DROPStates.WRITING, DROPStates.COMPLETED}
    cargo = drop.pack(prefix) if held else None
    return OutputEnd(status, cargo, drop._size, drop._crc, portable(drop.failure))


def portable(failure: BaseException | None) -> BaseException | None:
    """Return a failure as it can travel, with its traceback as the cause it shows."""
    if failure is None:
        return None
    text = "".join(traceback.format_exception(failure))
    try:
        copy = pickle.loads(pickle.dumps(failure))  # noqa: S301  made here
    except Exception:  # noqa: BLE001  an exception may refuse in any way
        copy = None
    if not isinstance(copy, type(failure)):
        copy = RemoteFailure(f"{type(failure).__name__}: {failure}", text)
    copy.__cause__ = _Elsewhere(text)
    return _Carried(copy, text)


class _Carried(Exception):  # noqa: N818  a box for the way
    """An exception with the traceback that pickling would lose."""

    def __init__(self, error: BaseException, text: str) -> None:
        super().__init__(error, text)
        self.error, self.text = error, text

    def unbox(self) -> BaseException:
        """Return the exception, with the traceback from elsewhere as its cause."""
        self.error.__cause__ = _Elsewhere(self.text)
        return self.error


def apply_outcome(live: LiveGraph, row: int, outcome: JobOutcome) -> BaseException | None:
    """Let the outputs of app `row` become what the job made of them; return its failure."""
    app = live.drop(row)
    for name, value in outcome.results.items():
        setattr(app, name, value)
    for target, end in zip(live.flow.after[row], outcome.outputs, strict=True):
        drop, status = live.drop(target), DROPStates(end.status)
        if status is DROPStates.SKIPPED:
            drop.skip()
        elif status is DROPStates.ERROR:
            if end.failure is not None:  # if not, the app has failed, and the output with it
                drop.setError(unbox(end.failure))
        elif status is not DROPStates.INITIALIZED:
            drop.receive(end.cargo, end.size, end.crc)
            if status is DROPStates.COMPLETED:
                drop.setCompleted()
    return _noted(live, row, unbox(outcome.failure))


def _noted(live: LiveGraph, row: int, failure: BaseException | None) -> BaseException | None:
    """Return `failure` of app `row`; if an input was found to have vanished, it is lost here."""
    if isinstance(failure, DataVanishedError):
        for source in live.flow.before[row]:
            if live.uids[source] == failure.uid:
                lifetime.lose(live.drop(source), failure)
    return failure


def unbox(failure: BaseException | None) -> BaseException | None:
    return failure.unbox() if isinstance(failure, _Carried) else failure


__all__ = [
    "Job", "JobOutcome", "Parcel", "RemoteFailure", "apply_outcome", "make_job", "run_job", "wrap",
]  # fmt: skip
