"""A bounded pool of threads that work for live graphs, started as they are needed.

A worker stays with a graph as long as it has ready apps, so the queue here carries a message only
when a graph can use one more worker.
"""

from __future__ import annotations

import logging
import threading
import time
from queue import SimpleQueue

from dlg.drops.live import LiveGraph
from dlg.drops.runners import Runner

logger = logging.getLogger(__name__)

JOIN_S = 1.0
"""How long closing a pool waits for its threads, all in all."""


class ThreadPool(Runner):
    """Runs apps in up to `workers` threads; what a thread does with an app, `call` says."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._queue: SimpleQueue[LiveGraph | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._asked = 0
        """Submissions that no worker has come back from yet."""
        self._closed = False

    def submit(self, live: LiveGraph) -> None:
        """Hand `live` to an idle thread, or to a new one while there are fewer than `workers`."""
        with self._lock:
            closed = self._closed
            if not closed:
                self._asked += 1
                self._queue.put(live)
                if len(self._threads) < min(self._asked, self.workers):
                    self._start_thread()
        if closed:
            live.leave()

    def _start_first(self, count: int) -> None:
        """Start threads until there are `count`, or as many as there may be."""
        with self._lock:
            while not self._closed and len(self._threads) < min(count, self.workers):
                self._start_thread()

    def enter_thread(self) -> None:
        """Get what a thread needs for itself; called in the thread when it begins."""

    def _start_thread(self) -> None:
        name = f"dlg-{self.name}-{len(self._threads)}"
        thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        try:
            self.enter_thread()
            while (live := self._queue.get()) is not None:
                self._work(live)
                del live  # a thread that waits for work must not keep a whole graph in memory
                with self._lock:
                    self._asked -= 1
        finally:
            self.leave_thread()

    def _work(self, live: LiveGraph) -> None:
        try:
            live.work(self)
        except BaseException:
            # Failures of apps do not come here. If the thread died of an error of ours, the graph
            # would wait for it for ever; as it is, another worker goes on.
            logger.exception("a worker of %s broke off", self.name, extra={"action": "broke_off"})
            live.step_in()
            live.leave()
            live.step_back()

    def leave_thread(self) -> None:
        """Free what a thread holds for itself; called in the thread when it ends."""

    def close(self) -> None:
        """End the threads that wait for work; one that runs an app ends after it, by itself."""
        with self._lock:
            self._closed = True
            threads = list(self._threads)
        for _ in threads:
            self._queue.put(None)
        deadline = time.monotonic() + JOIN_S
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
