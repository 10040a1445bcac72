"""How apps get to run: the contract between a live graph and those who execute its apps.

A live graph with ready apps asks its runner for a worker by `submit`; the worker calls
`live.work(runner)`, which runs one ready app after the other until none is left, so a chain costs
no hand-over. A graph asks for at most `workers` at a time. Members live in `dlg_engine.runners`;
the one here serves drops that belong to no session.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, cast

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

    def warm_up(self, workers: int, modules: Sequence[str] = ()) -> None:  # noqa: B027  (see `close`)
        """Begin to make what takes time to make for so many workers; return at once.

        Where processes are made, they import `modules`.
        """

    def close(self) -> None:  # noqa: B027  (most runners have nothing to close)
        """Take no more work and free what the runner holds; running apps are left alone."""


class RunnerInFront(Runner):
    """Lets another runner do the work, and has a say in how each app is called: see `call`."""

    def __init__(self, inner: Runner) -> None:
        self._inner = inner
        self.workers = inner.workers

    def submit(self, live: LiveGraph) -> None:
        """Let a worker of the other runner work for this one."""
        self._inner.submit(cast(LiveGraph, _Lent(live, self)))  # all that a runner asks of it

    def close(self) -> None:
        """Close the other runner."""
        self._inner.close()


class _Lent:
    """A live graph as the runner behind sees it: what it works for is the one in front."""

    def __init__(self, live: LiveGraph, runner: Runner) -> None:
        self._live, self._runner = live, runner
        self.leave, self.step_in, self.step_back = live.leave, live.step_in, live.step_back

    def work(self, _runner: Runner) -> None:
        """Work, and let the runner in front call the apps."""
        self._live.work(self._runner)


class OnDemandThreads(Runner):
    """Threads that are started when apps of free-standing drops are ready and end after them."""

    name = "on-demand"
    workers = 8

    def submit(self, live: LiveGraph) -> None:
        """Start a daemon thread; it ends as soon as nothing is ready."""
        threading.Thread(target=live.work, args=(self,), name="dlg-drops", daemon=True).start()


ON_DEMAND = OnDemandThreads()
