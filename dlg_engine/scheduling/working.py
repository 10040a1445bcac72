"""The worker: takes splits from a scheduler, runs them and says what came of them.

One thread speaks with the scheduler; it sleeps until the scheduler has said something, a split is
over, or it is time to say that the worker lives. Schedulers may come and go: what runs goes on,
and its result is told to whoever is there then.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dlg.beat import worker_frames as frames
from dlg.beat.worker_link import Order, WorkerLink
from dlg.rpc.contract import Keys
from dlg_engine.scheduling.executing import Task, Workplace

logger = logging.getLogger(__name__)

STOP_AGAIN_S = 0.2
"""How often a split that does not end is told again to."""
FAREWELL_S = 10.0
"""How long splits may take to end with the worker."""


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Who a worker is, and for whom it works."""

    name: str
    scheduler: str
    """Its address: `tcp://host:port`."""
    workplace: Workplace
    cores: int
    memory_mb: int = 0
    queues: Sequence[str] = ()
    """Those it wants to serve; () for all."""
    keys: Keys | None = None


class Working:
    """A worker while it runs."""

    def __init__(self, options: WorkerOptions) -> None:
        self.options = options
        facts = {
            "cores": options.cores, "memory_mb": options.memory_mb,
            "queues": list(options.queues), "host": socket.gethostname(), "pid": os.getpid(),
        }  # fmt: skip
        self._link = WorkerLink(options.name, options.scheduler, facts, options.keys)
        self._tasks: dict[int, Task] = {}
        self._over: deque[Task] = deque()
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        os.set_blocking(self._wake_w, False)
        self._link.poller.register(self._wake_r)
        self._ending = False

    def end(self) -> None:
        """Let `run` return; any thread and a signal may call this."""
        self._ending = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # it is full, or has ended by itself meanwhile
            os.write(self._wake_w, b"!")

    def run(self, on_ready: Callable[[], None] | None = None) -> None:
        """Work until told to end; `on_ready` is called once a scheduler has taken notice."""
        try:
            while not self._ending:
                self._link.speak()
                self._link.poller.poll(self._patience_ms())
                self._drain()
                while (order := self._next()) is not None:
                    self._obey(order)
                if on_ready is not None and self._link.is_accepted:
                    on_ready()
                    on_ready = None
                self._tell()
        finally:
            self._leave()

    def _patience_ms(self) -> int:
        due_s = self._link.due_s()
        if any(task.stopping for task in self._tasks.values()):
            due_s = min(due_s, STOP_AGAIN_S)
        return 3_600_000 if due_s > 3600 else int(due_s * 1000) + 1  # noqa: PLR2004  an hour

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_r, 4096):
                pass

    def _next(self) -> Order | None:
        while self._link.pending():
            order = self._link.hear()
            if order is not None:
                return order
        return None

    def _obey(self, order: Order) -> None:
        task = self._tasks.get(order.job_id)
        if order.word == frames.CANCEL:
            if task is None:
                self._link.complain(f"Unknown job: {order.job_id}")
            else:
                task.stop()
            return
        if task is not None:
            return  # it was sent twice
        configuration = self._read(order)
        if configuration is None:
            return
        task = Task(order.job_id, configuration, self.options.workplace, self._is_over)
        self._tasks[order.job_id] = task
        self._link.received(order.job_id)
        logger.info(
            "split %s: %s", order.job_id, configuration.get("algorithm"),
            extra={"action": "split_begun"},
        )  # fmt: skip
        task.start()

    def _read(self, order: Order) -> dict[str, Any] | None:
        try:
            found = json.loads(order.text)
        except (ValueError, RecursionError) as error:
            found, text = None, f"the configuration is no JSON: {error}"
        else:
            text = "the configuration is no JSON object"
        if not isinstance(found, dict):
            self._link.ended(frames.JOB_ERROR, order.job_id, text.encode())
            return None
        return found

    def _is_over(self, task: Task) -> None:
        """Be told in the thread of a task that it is over."""
        self._over.append(task)
        self._wake()

    def _tell(self) -> None:
        while self._over:
            task = self._over.popleft()
            del self._tasks[task.job_id]
            self._link.ended(task.word, task.job_id, *task.parts)
            logger.info("split %s: %s", task.job_id, task.word.decode())
        for task in self._tasks.values():
            if task.stopping:
                task.stop()

    def _leave(self) -> None:
        for task in self._tasks.values():
            task.stop()
        for task in self._tasks.values():
            if not task.join(FAREWELL_S):
                logger.error("split %s does not end", task.job_id)
        self._link.close()
        os.close(self._wake_r)
        os.close(self._wake_w)


@contextmanager
def _heeding_signals(end: Callable[[], None]) -> Iterator[None]:
    before = {
        number: signal.signal(number, lambda *_: end())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_worker(options: WorkerOptions, on_ready: Callable[[], None] | None = None) -> None:
    """Run a worker until the process is told to end; what runs then is stopped."""
    working = Working(options)
    with _heeding_signals(working.end):
        working.run(on_ready)
