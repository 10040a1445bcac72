"""Run a graph in this process: the default engine, with nothing to install or start.

`run_graph` is the whole interface. It creates a session, deploys it, waits, and reports; a signal
from the keyboard or the passing of `timeout` cancels the session cleanly first.
"""

from __future__ import annotations

import datetime
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlg.drops.runners import Runner
from dlg.exceptions import UsageError
from dlg.graph.dropspec import is_reprodata
from dlg.graph.physical import PhysicalGraph
from dlg.reproducibility.levels import Level, parse_level
from dlg.support import clock
from dlg.support.names import fname_to_pipname
from dlg.support.paths import getDlgWorkDir
from dlg_engine.runners import RUNNERS, make_runner
from dlg_engine.sessions.evidence import Witness
from dlg_engine.sessions.report import RunReport
from dlg_engine.sessions.running import SessionRun
from dlg_engine.sessions.session import Progress, Session

if TYPE_CHECKING:
    from dlg_engine.recovery.about import How

Graph = str | os.PathLike[str] | Sequence[Mapping[str, Any]] | PhysicalGraph


class RunInterrupted(KeyboardInterrupt):
    """The run was interrupted from the keyboard and has been cancelled; `report` says how far."""

    def __init__(self, report: RunReport) -> None:
        super().__init__("the run was interrupted")
        self.report = report


def run_graph(  # noqa: PLR0913  the signature is that of the published interface
    graph: Graph,
    *,
    runner: str | Runner = "threads",
    workers: int | None = None,
    workdir: str | os.PathLike[str] | None = None,
    timeout: float | None = None,
    progress: Callable[[Progress], object] | None = None,
    completed: Iterable[str] | None = None,
    reproducibility: object = None,
    store: str | os.PathLike[str] | None = None,
    resumable: bool = False,
    compat: bool = False,
) -> RunReport:
    """Run `graph` in this process and return what came of it.

    `graph` is a path (`-` is standard input), a list of dropspecs, or a `PhysicalGraph`. `runner`
    is `threads`, `processes` or `inline`, with `workers` apps at a time. Products go into a new
    directory of the session below `workdir`. After `timeout` seconds the run is cancelled.
    `progress` is called with a `Progress` about five times a second. `completed` names the drops
    to start from, instead of all that wait for nobody. `reproducibility` is a level, by number or
    name, at which runs can be compared: the session leaves `reprodata.out` in its directory. A
    graph may ask for one itself; with `compat` that is what the existing system would leave.
    With `store`, a directory, apps whose results are in it do not
    run, and the results of others are kept there; that asks for a run from the beginning.
    With `resumable` the session writes down what it does, and `resume_session` goes on with it.

    Raises `InvalidGraphException` if the graph is wrong, and `RunInterrupted`, a
    `KeyboardInterrupt` that carries the report, after an interrupt from the keyboard. A drop that
    fails raises nothing: the report says so.
    """
    _check_numbers(workers, timeout)
    session, close = prepared(
        graph, runner, workers, workdir=workdir, completed=completed, compat=compat, store=store,
        reproducibility=reproducibility, resumable=resumable,
    )  # fmt: skip
    try:
        return _run(session, graph, timeout, progress, completed)
    finally:
        close()


def prepared(  # noqa: PLR0913  as above
    graph: Graph,
    runner: str | Runner = "threads",
    workers: int | None = None,
    *,
    workdir: str | os.PathLike[str] | None = None,
    completed: Iterable[str] | None = None,
    reproducibility: object = None,
    compat: bool = False,
    store: str | os.PathLike[str] | None = None,
    resumable: bool = False,
) -> tuple[Session, Callable[[], None]]:
    """Return a session in which `graph` can be run, and what to call when that has been done.

    The arguments are those of `run_graph`.
    """
    _check_numbers(workers, None)
    if completed is not None and (store is not None or resumable):
        what = "reuse results" if store is not None else "be resumed"
        raise UsageError(f"a run that starts in the middle cannot {what}")
    made = make_runner(runner, workers) if isinstance(runner, str) else runner
    session_id = new_session_id(graph)
    root = Path(workdir) if workdir is not None else Path(getDlgWorkDir())
    session = Session(session_id, root.absolute() / session_id, made)

    def close() -> None:
        _put_down(session)
        if isinstance(runner, str):
            made.close()

    try:
        session.witness = witness_of(graph, reproducibility, compat=compat)
        _equip(session, None if store is None else Path(store))
        if store is not None or resumable:
            how = _how(session, made, graph, workers, resumable=resumable)
            _recover(session, how, made.workers)
    except BaseException:
        close()
        raise
    return session, close


def resume_session(
    directory: str | os.PathLike[str],
    *,
    runner: str | Runner | None = None,
    workers: int | None = None,
    timeout: float | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> RunReport:
    """Go on with the session in `directory`, which was run as `resumable`; return what came of it.

    What is complete is not done again, unless its code, or a file that it reads from outside, is
    not what it was; `report.again` says so. The graph and everything else is as it was,
    but for what is given here. Raises `UsageError` if the session has left nothing to
    go on from, or if somebody is at work on it, and otherwise as `run_graph` does.
    """
    from dlg_engine.recovery.resuming import resumable_session  # noqa: PLC0415  as below

    _check_numbers(workers, timeout)
    about, how = resumable_session(Path(directory).absolute())
    count = how.workers if workers is None else workers
    chosen = how.runner if runner is None else runner
    made = make_runner(chosen, count) if isinstance(chosen, str) else chosen
    session = Session(how.session_id, about.directory, made)
    try:
        kept = Path(how.store) if how.store else None
        level = parse_level(how.level or 0)
        session.witness = _witness(level, how.source, compat=how.compat)
        _equip(session, kept)
        _recover(session, how, made.workers)
        return _run(session, about.graph(), timeout, progress, None)
    finally:
        _put_down(session)
        if isinstance(chosen, str):
            made.close()


def witness_of(graph: Graph, asked: object, *, compat: bool = False) -> Witness | None:
    """Return who keeps evidence of a run of `graph`, at the level asked for by caller or graph."""
    return _witness(_level(graph, asked), _source_of(graph), compat=compat)


def _witness(level: Level, source: str, *, compat: bool) -> Witness | None:
    """Return who keeps evidence at a level, of a graph that came from `source`, maybe a file."""
    if level is Level.NOTHING:
        if compat:
            raise UsageError("compat says how evidence is kept: ask for a level, too")
        return None
    if not compat:
        found = Witness(level)
        found.workflow = Path(source) if Path(source).is_file() else None
        return found
    from dlg_engine.sessions.compat import CompatWitness  # noqa: PLC0415  as below

    return CompatWitness(level)


def _equip(session: Session, store: Path | None) -> None:
    """Let a session leave evidence, and take results from a store and keep its own there."""
    if session.witness is not None:
        session.runner = session.witness.watch(session.runner)
    if store is not None:
        # Few need it, and it is imported as slowly as a small graph is run.
        from dlg_engine.reuse.running import Reuse, ReusingRunner  # noqa: PLC0415
        from dlg_engine.reuse.store import Store  # noqa: PLC0415

        session.reuse = Reuse(Store(store))
        session.runner = ReusingRunner(session.runner, session.reuse)


def _how(
    session: Session, made: Runner, graph: Graph, workers: int | None, *, resumable: bool
) -> How:
    """Return how a session is run, to be written down."""
    from dlg_engine.recovery.about import How  # noqa: PLC0415  as above

    return How(
        session_id=session.session_id,
        source=_source_of(graph),
        began=clock.now(),
        runner=name if (name := made.name) in RUNNERS else "threads",
        workers=workers,
        level="" if session.witness is None else session.witness.level.name,
        store="" if session.reuse is None else str(session.reuse.store.root),
        resumable=resumable,
        compat=session.witness is not None and not session.witness.expires,
        code=[str(Path(place).absolute()) for place in sys.path],
    )


def _recover(session: Session, how: How, workers: int) -> None:
    """Let a session with `workers` write down what it does, and go on from what is there."""
    from dlg_engine.recovery.running import RecoveringRunner, Recovery  # noqa: PLC0415  as above

    session.recovery = Recovery(session.directory, how)
    if how.resumable:
        session.runner = RecoveringRunner(session.runner, session.recovery, workers)


def _put_down(session: Session) -> None:
    """Let go of what a session has written down, whatever came of it."""
    if session.recovery is None:
        return
    if session.live is not None:
        session.recovery.end(session.live, session.state.name, session.reuse)
    session.recovery.close()


def _level(graph: Graph, asked: object) -> Level:
    """Return at which level evidence is kept: what the caller asks for, or else the graph."""
    if asked is None:
        if isinstance(graph, PhysicalGraph):
            asked = graph.reprodata.get("rmode")
        elif isinstance(graph, Sequence) and not isinstance(graph, str) and graph:
            last = graph[-1]
            asked = last.get("rmode") if is_reprodata(last) else None
    return Level.NOTHING if asked is None else parse_level(asked)


def _check_numbers(workers: object, timeout: object) -> None:
    """Refuse what is no number, of workers or of seconds, before anything is made for the run."""
    # Of the abstract kinds, since numpy's own numbers count as well.
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, Integral)):
        raise UsageError(f"workers: a whole number is expected, not {workers!r}")
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, Real) or not float(timeout) >= 0:
        raise UsageError(f"timeout: a number of seconds is expected, not {timeout!r}")


def _run(
    session: Session,
    graph: Graph,
    timeout: float | None,
    progress: Callable[[Progress], object] | None,
    completed: Iterable[str] | None,
) -> RunReport:
    session.add_graph(graph)
    with _cancelled_by_interrupt(session):
        session.deploy(completed)
        _to_end(SessionRun(session), timeout, progress)
    return session.report()


def run_to_end(
    run: SessionRun,
    timeout: float | None,
    progress: Callable[[Progress], object] | None = None,
) -> RunReport:
    """Wait for the end of a run, cancel it after `timeout` seconds, and return what came of it.

    Raises `RunInterrupted` after an interrupt from the keyboard, when the run has been cancelled.
    """
    try:
        with _cancelled_by_interrupt(run.session):
            _to_end(run, timeout, progress)
        return run.session.report()
    finally:
        run.close()


def _to_end(
    run: SessionRun, timeout: float | None, progress: Callable[[Progress], object] | None
) -> None:
    if not run.watch(timeout, progress):
        run.cancel(f"ran out of time after {timeout:g} s")


@contextmanager
def _cancelled_by_interrupt(session: Session) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if session.live is None:
            raise
        with suppress(KeyboardInterrupt):  # a second one: the session waits for nobody any more
            session.cancel(str(interrupt) or "interrupted from the keyboard")
        raise RunInterrupted(session.report()) from None


def new_session_id(graph: object) -> str:
    """Return an id that says which graph was run when, and that no other run has."""
    source = fname_to_pipname(_source_of(graph))
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in source)
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")
    return f"{name.strip('._-')[:64] or 'graph'}-{now}-{secrets.token_hex(3)}"


def _source_of(graph: object) -> str:
    if isinstance(graph, PhysicalGraph):
        return graph.source
    return os.fspath(graph) if isinstance(graph, str | os.PathLike) else "graph"
