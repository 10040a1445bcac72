"""The one thread of a process in which gevent lives.

zerorpc needs gevent, and gevent must not meet the event loops and threads of everything else: an
object made in one of its hubs works in that hub's thread only, and patching the standard library
breaks asyncio. So there is one thread that owns the only hub; others hand it work and get futures.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from dlg.support import clock

START_TIMEOUT_S = 30.0
RETRY_S = 0.01


class Hub:
    """A thread with a gevent hub; `submit` may be called from any other thread."""

    def __init__(self) -> None:
        self._tasks: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._ready = threading.Event()
        self._pid = os.getpid()
        self._hub: Any = None
        self._signal: Any = None
        threading.Thread(target=self._run, name="dlg-rpc", daemon=True).start()
        if not self._ready.wait(START_TIMEOUT_S):
            raise RuntimeError("the thread for calls between nodes did not start")

    @property
    def is_here(self) -> bool:
        """Return whether this is still the process that the thread was started in."""
        return self._pid == os.getpid()

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Run `work` as a greenlet in the thread; return its future."""
        future: Future[Any] = Future()
        self._tasks.append((work, future))
        self._signal.send()
        return future

    def in_thread(self, work: Callable[..., Any], *args: Any) -> Any:
        """Run `work` in a native thread; only the greenlet that calls this waits for it."""
        return self._hub.threadpool.apply(work, args)

    def retry(self, work: Callable[[], None], error: type[Exception], limit_s: float) -> None:
        """Do `work` in a greenlet, again and again while it raises `error`, for so long."""
        import gevent  # noqa: PLC0415  as below

        deadline = clock.monotonic() + limit_s
        while True:
            try:
                work()
            except error:
                if clock.monotonic() > deadline:
                    raise
                gevent.sleep(RETRY_S)
            else:
                return

    def refresh_clock(self) -> None:
        """Let timers that are set now count from now, not from when the loop last woke."""
        self._hub.loop.update_now()

    def _run(self) -> None:
        import gevent  # noqa: PLC0415  slow to import, and only here
        import gevent.event  # noqa: PLC0415

        # It reports as an error, many times a minute, that it caught up with what it had missed.
        logging.getLogger("zerorpc.gevent_zmq").setLevel(logging.CRITICAL)
        self._hub = gevent.get_hub()
        self._hub.threadpool.maxsize = 64
        self._signal = self._hub.loop.async_()
        self._signal.start(self._start_tasks, gevent.spawn)
        self._ready.set()
        gevent.event.Event().wait()  # for ever: the thread ends with the process

    def _start_tasks(self, spawn: Callable[..., Any]) -> None:
        while self._tasks:
            spawn(_do, *self._tasks.popleft())


def _do(work: Callable[[], Any], future: Future[Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  whoever waits for the future is told
        future.set_exception(error)
    else:
        future.set_result(result)


_hub: Hub | None = None
_lock = threading.Lock()


def the_hub() -> Hub:
    """Return the hub of this process; its thread starts with the first call."""
    global _hub  # noqa: PLW0603  there can be only one in a process
    with _lock:
        if _hub is None or not _hub.is_here:
            _hub = Hub()
        return _hub
