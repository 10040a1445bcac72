"""What contract tests and others' tests need to say what they expect of drops; needs no pytest."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dlg.drops.remote import Job, JobOutcome, run_job
from dlg.drops.waiting import DROPWaiterCtx
from dlg.event import Event, EventHandler
from dlg.support import parcels

PATIENCE_S = 20.0
"""How long to wait for what should take no time at all."""


class Recorder(EventHandler):
    """Keeps the events it hears."""

    def __init__(self, *firers: Any, kind: str | None = None) -> None:
        """Listen to `firers` for events of `kind`, or for all."""
        self.events: list[Event] = []
        for firer in firers:
            firer.subscribe(self, kind)

    def handleEvent(self, e: Event) -> None:
        """Keep the event."""
        self.events.append(e)

    def values(self, name: str) -> list[Any]:
        """Return attribute `name` of every event that has it."""
        return [getattr(e, name) for e in self.events if hasattr(e, name)]


@contextmanager
def refused(*errors: type[BaseException]) -> Iterator[list[BaseException]]:
    """Expect one of `errors` in the block; the list gets what was raised."""
    caught: list[BaseException] = []
    try:
        yield caught
    except errors as error:
        caught.append(error)
        return
    names = " or ".join(error.__name__ for error in errors)
    raise AssertionError(f"{names} was expected, and nothing was raised")


def ending(*drops: Any, timeout_s: float = PATIENCE_S) -> DROPWaiterCtx:
    """Return a context that waits, at the end of its block, until `drops` have ended."""
    return DROPWaiterCtx(None, list(drops), timeout_s)


def far_away(job: Job, prefix: str = "dlg-test-") -> JobOutcome:
    """Return what comes of `job` when everything is pickled on its way there and back."""
    there: Job = _travel(job)
    outcome: JobOutcome = _travel(run_job(there, prefix))
    return outcome


def _travel(message: Any) -> Any:
    return pickle.loads(pickle.dumps(parcels.wrap(message, ""))).open()  # noqa: S301  made here
