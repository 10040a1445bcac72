"""The wardens of this process, with everything loaded that blocks need."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence

from dlg.beat.processes.calls import Call, Outcome, Stop
from dlg.beat.processes.client import WardenLostError
from dlg.beat.processes.pool import Pool

PRELOAD = ("numpy.random", "dlg.beat.blocks.serving", "dlg.beat.blocks.rehearsal")
RUN = "dlg.beat.blocks.running:work"
SERVE = "dlg.beat.blocks.serving:serve"


def run(
    calls: Sequence[Call],
    links: Sequence[tuple[int, int]] = (),
    python: str = sys.executable,
    stop: Stop | None = None,
) -> Outcome:
    """Return what became of a job in a warden of interpreter `python`; see `Pool.run`.

    That the warden itself was killed is an outcome too: a failure that is no user's fault.
    """
    try:
        return pool().run(calls, links, python, stop)
    except WardenLostError as error:
        return Outcome(answer={"failed": str(error)})


@functools.cache
def pool() -> Pool:
    """Return the wardens, which stay up as long as this process."""
    return Pool(PRELOAD)
