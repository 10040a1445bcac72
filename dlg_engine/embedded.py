"""Run a graph in this process: the default engine, with nothing to install or start.

`run_graph` is the whole interface. It creates a session, deploys it, waits, and reports; a signal
from the keyboard or the passing of `timeout` cancels the session cleanly first.
"""

from __future__ import annotations

import datetime
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from dlg.drops.runners import Runner
from dlg.exceptions import UsageError
from dlg.graph.physical import PhysicalGraph
from dlg.support.names import fname_to_pipname
from dlg.support.paths import getDlgWorkDir
from dlg_engine.runners import make_runner
from dlg_engine.sessions.report import RunReport
from dlg_engine.sessions.session import Progress, Session

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
) -> RunReport:
    """Run `graph` in this process and return what came of it.

    `graph` is a path (`-` is standard input), a list of dropspecs, or a `PhysicalGraph`. `runner`
    is `threads`, `processes` or `inline`, with `workers` apps at a time. Products go into a new
    directory of the session below `workdir`. After `timeout` seconds the run is cancelled.
    `progress` is called with a `Progress` about five times a second. `completed` names the drops
    to start from, instead of all that wait for nobody.

    Raises `InvalidGraphException` if the graph is wrong, and `RunInterrupted`, a
    `KeyboardInterrupt` that carries the report, after an interrupt from the keyboard. A drop that
    fails raises nothing: the report says so.
    """
    _check_numbers(workers, timeout)
    own = isinstance(runner, str)
    made = make_runner(runner, workers) if isinstance(runner, str) else runner
    session_id = new_session_id(graph)
    root = Path(workdir) if workdir is not None else Path(getDlgWorkDir())
    session = Session(session_id, root.absolute() / session_id, made)
    try:
        return _run(session, graph, timeout, progress, completed)
    finally:
        if own:
            made.close()


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
    try:
        session.deploy(completed)
        if session.wait(timeout, progress):
            session.close()
        else:
            session.cancel(f"ran out of time after {timeout:g} s")
    except KeyboardInterrupt as interrupt:
        if session.live is None:
            raise
        with suppress(KeyboardInterrupt):  # a second one: the session waits for nobody any more
            session.cancel(str(interrupt) or "interrupted from the keyboard")
        raise RunInterrupted(session.report()) from None
    return session.report()


def new_session_id(graph: object) -> str:
    """Return an id that says which graph was run when, and that no other run has."""
    if isinstance(graph, PhysicalGraph):
        source = graph.source
    else:
        source = os.fspath(graph) if isinstance(graph, str | os.PathLike) else "graph"
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in fname_to_pipname(source))
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S")
    return f"{name.strip('._-')[:64] or 'graph'}-{now}-{secrets.token_hex(3)}"
