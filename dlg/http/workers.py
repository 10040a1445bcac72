"""The threads that handlers run in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from dlg.http.errors import BusyError

P = ParamSpec("P")
T = TypeVar("T")
_WRITERS = 2


class Workers:
    """The threads that handlers run in; refuses work when too much is waiting.

    What arrives is written to files by threads of their own, so that no upload waits for work.
    """

    def __init__(self, workers: int, most_waiting: int, name: str = "dlg") -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix=f"{name}-upload")
        self._most = workers + most_waiting
        self._busy = 0

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what `work` returns in a thread; raise `BusyError` if too much is waiting."""
        if self._busy >= self._most:
            raise BusyError("too much work is waiting: try again in a while")
        self._busy += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, lambda: work(*arguments, **named))
        finally:
            self._busy -= 1

    async def write(self, work: Callable[[bytes], None], piece: bytes) -> None:
        """Let `work` put a piece of an upload away."""
        await asyncio.get_running_loop().run_in_executor(self._writers, work, piece)

    def close(self) -> None:
        """Let go of the threads; those at work end when they are done."""
        for pool in (self._pool, self._writers):
            pool.shutdown(wait=False, cancel_futures=True)
