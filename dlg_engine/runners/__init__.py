"""The runners: who executes the apps of a live graph, and where.

Our own members stand in the table; third parties cannot add runners yet, since a runner has to
know the innards of a live graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dlg import settings
from dlg.drops.runners import Runner
from dlg.exceptions import UsageError
from dlg_engine.runners.inline import InlineRunner
from dlg_engine.runners.threads import ThreadRunner


def _processes(workers: int | None) -> Runner:
    # multiprocessing takes as long to import as a small graph to run, and few need it
    from dlg_engine.runners.processes import ProcessRunner  # noqa: PLC0415

    return ProcessRunner(workers)


RUNNERS: Mapping[str, Callable[[int | None], Runner]] = {
    "inline": lambda _workers: InlineRunner(),
    "threads": ThreadRunner,
    "processes": _processes,
}


def make_runner(name: str, workers: int | None = None) -> Runner:
    """Return a new runner; raise `UsageError` if there is none of that name.

    Without `workers` the user's settings say how many apps may run at once, or else the runner.
    """
    if name not in RUNNERS:
        raise UsageError(f"no runner {name!r}; there are {', '.join(RUNNERS)}")
    if workers is not None and workers < 1:
        raise UsageError(f"a runner needs at least 1 worker, not {workers}")
    return RUNNERS[name](workers or settings.current().workers or None)


__all__ = ["RUNNERS", "InlineRunner", "ThreadRunner", "make_runner"]
