"""Whether a body that is awaited still comes: who sends nothing holds a connection for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dlg.http.errors import SlowError

LEAST_BYTES_S = 1 << 10
"""How many bytes a second have to come on average, beside the time that anybody has."""


class Pace:
    """Looks now and then whether enough of a body has come; calls `too_slow` if it has not."""

    def __init__(self, stalled_s: float, too_slow: Callable[[SlowError], None]) -> None:
        self._stalled_s, self._too_slow = stalled_s, too_slow
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._came = self._seen = 0
        self._timer: asyncio.TimerHandle | None = None
        self._wait()

    def came(self, count: int) -> None:
        """Note that bytes have come."""
        self._came += count

    def end(self) -> None:
        """Look no more: all has come, or nobody wants it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._timer = self._loop.call_later(self._stalled_s, self._look)

    def _look(self) -> None:
        spent_s = self._loop.time() - self._begun
        least = (spent_s - self._stalled_s) * LEAST_BYTES_S
        if self._came == self._seen or self._came < least:
            self._timer = None
            self._too_slow(SlowError(f"the request was still not whole after {spent_s:.0f} s"))
            return
        self._seen = self._came
        self._wait()
