"""How apps get to run: the contract between a live graph and those who execute its apps.

A live graph with ready apps asks its runner for a worker by `submit`; the worker calls
`live.work(runner)`, which runs one ready app after the other until none is left, so a chain costs
no hand-over. A graph asks for at most `workers` at a time. Members live in `dlg_engine.runners`;
the one here serves drops that belong to no session.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import ClassVar

from dlg.drops.execution import run_app
from dlg.drops.live import LiveGraph


class Runner(ABC):
    """Executes the ready apps of one or more live graphs."""

    name: ClassVar[str]
    workers: int = 1
    """How many workers a graph may keep busy at the same time."""

    @abstractmethod
    def submit(self, live: LiveGraph) -> None:
        """Let one worker call `live.work(self)`; return without waiting for its end.

        A runner that is closed must call `live.leave()` instead.
        """

    def call(self, live: LiveGraph, row: int) -> BaseException | None:
        """Run app `row` of `live`; return what it failed with, or None."""
        return run_app(live, row)

    def close(self) -> None:  # noqa: B027  (most runners have nothing to close)
        """Take no more work and free what the runner holds; running apps are left alone."""


class OnDemandThreads(Runner):
    """Threads that are started when apps of free-standing drops are ready and end after them."""

    name = "on-demand"
    workers = 8

    def submit(self, live: LiveGraph) -> None:
        """Start a daemon thread; it ends as soon as nothing is ready."""
        threading.Thread(target=live.work, args=(self,), name="dlg-drops", daemon=True).start()


ON_DEMAND = OnDemandThreads()
