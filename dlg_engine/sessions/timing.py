"""When each app of a run began and ended."""

from __future__ import annotations

from dlg.drops.live import LiveGraph
from dlg.drops.runners import Runner, RunnerInFront
from dlg.support import clock

Times = dict[int, tuple[float, float]]
"""When apps began and ended, by their rows, in seconds since 1970 UTC."""


class TimingRunner(RunnerInFront):
    """Runs apps as another runner does, and notes in `times` when each began and ended."""

    def __init__(self, inner: Runner, times: Times) -> None:
        super().__init__(inner)
        self._times = times

    def call(self, live: LiveGraph, row: int) -> BaseException | None:
        """Run app `row`, looking at the clock before and after."""
        began = clock.now()
        try:
            return self._inner.call(live, row)
        finally:
            self._times[row] = began, clock.now()
