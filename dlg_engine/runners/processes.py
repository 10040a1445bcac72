"""Apps in worker processes: true parallelism for pure Python.

Each thread of the pool owns one worker process, started when it is first needed, and talks to it
over a socket that only the two of them hold. Arrays do not go through the socket but through
shared memory (`dlg.support.parcels`). A worker that dies fails the app it was running and is
replaced. Apps that wait for something outside of Python (programs, timers, sockets) are run in
the thread itself: a process of their own would add nothing.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from socket import socketpair
from typing import Any

from dlg.drops.execution import run_app
from dlg.drops.live import LiveGraph
from dlg.drops.pool import ThreadPool
from dlg.drops.remote import Job, JobOutcome, apply_outcome, make_job, run_job
from dlg.exceptions import WorkerDiedError
from dlg.support import parcels

END_S = 2.0
"""Seconds a worker process gets to end by itself when the runner is closed."""


class ProcessRunner(ThreadPool):
    """Runs apps in up to `workers` processes; by default one a processor."""

    name = "processes"

    def __init__(self, workers: int | None = None) -> None:
        super().__init__(workers or os.cpu_count() or 1)
        self._prefix = f"dlg-{os.getpid()}-{secrets.token_hex(4)}-"
        self._mine = threading.local()

    def call(self, live: LiveGraph, row: int) -> BaseException | None:
        """Run app `row` of `live` in this thread's worker process, or here if it belongs here."""
        if live.classes[live.class_ids[row]].runs_here:
            return run_app(live, row)
        try:
            job = make_job(live, row, self._prefix)
            job.own()
            app = live.drop(row)
            worker = self._worker()
            app.stopper = worker.kill
            outcome = worker.run(job, app.uid)
            return apply_outcome(live, row, outcome)
        except Exception as error:  # noqa: BLE001  whatever keeps an app from running is its failure
            return error

    def _worker(self) -> _Worker:
        worker: _Worker | None = getattr(self._mine, "worker", None)
        if worker is None or not worker.alive:
            worker = self._mine.worker = _Worker(self._prefix)
        return worker

    def leave_thread(self) -> None:
        """End this thread's worker process."""
        worker: _Worker | None = getattr(self._mine, "worker", None)
        if worker is not None:
            worker.close()

    def close(self) -> None:
        """End all worker processes and remove what they may have left in shared memory."""
        super().close()
        parcels.sweep(f"{self._prefix}tmp-")


class _Worker:
    """The parent's end of one worker process."""

    def __init__(self, prefix: str) -> None:
        ours, theirs = socketpair()
        with theirs:
            call = f"serve({theirs.fileno()}, {prefix!r})"
            code = f"from dlg_engine.runners.processes import serve; {call}"
            # A plain new interpreter: forking would copy the locks of other threads, and what
            # multiprocessing spawns would run the user's main module again.
            self._process = subprocess.Popen(
                [sys.executable, "-c", code], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._connection = Connection(ours.detach())
        self.alive = True
        self._send([path or os.getcwd() for path in sys.path])  # noqa: PTH109  as the interpreter does

    def run(self, job: Job, uid: str) -> JobOutcome:
        """Return what came of `job`; raise `WorkerDiedError` if the process dies over it."""
        message = parcels.wrap(job, "")  # the job's own buffers are in parcels already
        try:
            self._send(message)
            outcome: JobOutcome = self._connection.recv().open()
        except (EOFError, OSError) as error:
            raise self._dead(uid) from error
        return outcome

    def _send(self, message: Any) -> None:
        self._connection.send(message)

    def _dead(self, uid: str) -> WorkerDiedError:
        self.alive = False
        self._connection.close()
        code = self._process.wait()
        how = (
            f"was killed by signal {-code} ({signal.Signals(-code).name})"
            if code < 0
            else f"ended with {code}"
        )
        pid = self._process.pid
        return WorkerDiedError(f"drop {uid}: the worker process {pid} that ran it {how}")

    def kill(self) -> None:
        """End the process at once: the app it runs was cancelled."""
        self._process.kill()

    def close(self) -> None:
        """Let the process end by itself, or end it."""
        if not self.alive:
            return
        self.alive = False
        self._connection.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(descriptor: int, prefix: str) -> None:
    """Be a worker process: run the jobs that come over socket `descriptor` until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process of the graph
    connection = Connection(descriptor)
    sys.path[:] = connection.recv()
    own = f"{prefix}tmp-"
    with contextlib.suppress(EOFError, ConnectionError):  # the parent has no more work
        while True:
            job = connection.recv().open()
            connection.send(parcels.wrap(run_job(job, own), ""))
