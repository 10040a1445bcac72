"""The engine of this process: see `dlg_engine.embedded`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from dlg.engines import Abilities, NotOnThisEngineError
from dlg_engine.embedded import prepared, run_graph
from dlg_engine.sessions.report import RunReport
from dlg_engine.sessions.running import SessionRun


class EmbeddedEngine:
    """The engine `embedded`: see `dlg.engines.Engine`. Options are those of `run_graph`."""

    name = "embedded"
    abilities = Abilities(
        streaming=True, reuse=True, reproducibility=True, resumable=True, exceptions=True
    )

    def start(
        self, graph: Any, *, completed: Iterable[str] | None = None, **options: Any
    ) -> SessionRun:
        """Begin to run `graph`; with the runner `inline` it is over when this returns."""
        _check(options)
        session, close = prepared(graph, completed=completed, **options)
        try:
            session.add_graph(graph)
            session.deploy(completed)
        except BaseException:
            close()
            raise
        return SessionRun(session, close)

    def __call__(self, graph: Any, **options: Any) -> RunReport:
        """Run `graph` and return what came of it."""
        _check(options)
        return run_graph(graph, **options)


def _check(options: Mapping[str, Any]) -> None:
    unknown = set(options) - set(inspect.signature(run_graph).parameters)
    if unknown:
        raise NotOnThisEngineError(f"the engine embedded has no option {min(unknown)!r}")


ENGINE = EmbeddedEngine()
