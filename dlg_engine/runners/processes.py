"""Apps in worker processes: true parallelism for pure Python.

Each thread of the pool owns one worker process, started when it is first needed, and talks to it
over a socket that only the two of them hold. Arrays do not go through the socket but through
shared memory (`dlg.support.parcels`). A worker that dies fails the app it was running and is
replaced. Apps that wait for something outside of Python (programs, timers, sockets) are run in
the thread itself: a process of their own would add nothing. So are apps whose output is read
while it is being written, as the readers are here, and those that have to do with containers, as
what is in them is here.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import secrets
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from socket import socketpair
from typing import Any

from dlg.drops.away import Answer, Errand, remember
from dlg.drops.execution import run_app
from dlg.drops.live import RUNNING, LiveGraph
from dlg.drops.pool import ThreadPool
from dlg.drops.remote import Job, JobOutcome, apply_outcome, make_job
from dlg.drops.surroundings import Surroundings
from dlg.exceptions import WorkerDiedError
from dlg.support import parcels
from dlg.support.interrupts import is_interrupt

END_S = 2.0
"""Seconds a worker process gets to end by itself when the runner is closed."""


class ProcessRunner(ThreadPool):
    """Runs apps in up to `workers` processes; by default one a processor."""

    name = "processes"

    def __init__(self, workers: int | None = None) -> None:
        super().__init__(workers or os.cpu_count() or 1)
        self._prefix = f"dlg-{os.getpid()}-{secrets.token_hex(4)}-"
        self._mine = threading.local()
        self._warm = False
        self._modules: tuple[str, ...] = ()

    def call(self, live: LiveGraph, row: int) -> BaseException | None:
        """Run app `row` of `live` in this thread's worker process, or here if it belongs here."""
        cls = live.classes[live.class_ids[row]]
        if cls.calls_away:
            app = live.drop(row)
            app.caller = functools.partial(self._call_away, live.surroundings, app)
            return run_app(live, row)
        if cls.runs_here or _needs_others(live, row):
            return run_app(live, row)
        try:
            job = make_job(live, row, self._prefix)
            job.own()
            app = live.drop(row)
            outcome = self._run(live, row, app, job)
            return None if outcome is None else apply_outcome(live, row, outcome)
        except BaseException as error:  # whatever keeps an app from running is its failure
            if is_interrupt(error):
                raise
            return error

    def _run(self, live: LiveGraph, row: int, app: Any, job: Job) -> JobOutcome | None:
        """Return what comes of `job` in this thread's worker; None if `app` was cancelled."""
        worker = self._worker()
        app.stopper = functools.partial(worker.stop, worker.begin())
        try:
            # Only now: whoever cancels from here on finds the stopper, who did before did not.
            if live.flow.exec_status[row] != RUNNING:
                return None
            return worker.run(job, app.uid)
        finally:
            worker.end()

    def _call_away(
        self, around: Surroundings, app: Any, errand: Errand, timeout_s: float | None
    ) -> Answer:
        """Let this thread's worker run an errand of `app`: see `dlg.drops.away.Caller`."""
        worker = self._worker()
        app.stopper = functools.partial(worker.stop, worker.begin())
        try:
            if not app.is_running:
                raise TimeoutError("it was cancelled")
            return worker.ask(errand, app.uid, timeout_s, self._prefix, around)
        finally:
            worker.end()

    def _worker(self) -> _Worker:
        worker: _Worker | None = getattr(self._mine, "worker", None)
        if worker is None or not worker.alive:
            temporary = f"{self._prefix}{parcels.TEMPORARY}{secrets.token_hex(4)}-"
            worker = self._mine.worker = _Worker(temporary, self._modules)
        return worker

    def warm_up(self, workers: int, modules: Sequence[str] = ()) -> None:
        """Start so many processes, and let these and later ones import `modules`."""
        self._warm, self._modules = True, tuple(modules)
        self._start_first(workers)

    def enter_thread(self) -> None:
        """Start this thread's worker process, if it will be needed soon."""
        if self._warm:
            self._worker()

    def leave_thread(self) -> None:
        """End this thread's worker process."""
        worker: _Worker | None = getattr(self._mine, "worker", None)
        if worker is not None:
            worker.close()

    def close(self) -> None:
        """End all worker processes and remove what they may have left in shared memory."""
        super().close()
        parcels.sweep(f"{self._prefix}{parcels.TEMPORARY}")


def _needs_others(live: LiveGraph, row: int) -> bool:
    """Return whether app `row` has to do with drops besides its inputs and outputs.

    They are those that read what it writes while it is being written, and what is in a container.
    """
    streams, children, flow = live.streams, live.children, live.flow
    if streams and any(target in streams for target in flow.after[row]):
        return True
    return bool(children) and any(r in children for r in (*flow.before[row], *flow.after[row]))


class _Worker:
    """The parent's end of one worker process.

    Each job has a number. Who cancels an app comes from another thread and may come late, when
    the process is at work for the next app already; so he names the job that he means.
    """

    def __init__(self, temporary: str, modules: tuple[str, ...] = ()) -> None:
        """Start a process that imports `modules` first.

        Its blocks of shared memory get names that begin with `temporary`.
        """
        ours, theirs = socketpair()
        with theirs:
            call = f"serve({theirs.fileno()}, {temporary!r}, {modules!r})"
            code = f"from dlg.support.worker_process import serve; {call}"
            # A plain new interpreter: forking would copy the locks of other threads, and what
            # multiprocessing spawns would run the user's main module again. In a group of its own,
            # an interrupt from the keyboard is for us alone, and what it starts can be ended with
            # it.
            self._process = subprocess.Popen(
                [sys.executable, "-c", code], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                process_group=0,
            )  # fmt: skip
        self._temporary = temporary
        self._connection = Connection(ours.detach())
        self._lock = threading.Lock()
        self._jobs = 0
        self._has: dict[str, None] = {}
        """The luggage that the process has, oldest first, as it forgets it."""
        self._at_work = False
        self.alive = True
        self._buried = False
        self._ended = os.pidfd_open(self._process.pid)
        self._news = select.poll()
        for descriptor in (self._connection.fileno(), self._ended):
            self._news.register(descriptor, select.POLLIN)
        self._send([path or os.getcwd() for path in sys.path])  # noqa: PTH109  as the interpreter does

    def begin(self) -> int:
        """Return the number of the job that the process works for from now on."""
        with self._lock:
            self._at_work = True
            self._jobs += 1
            return self._jobs

    def stop(self, job: int) -> None:
        """End the process at once, if it still works for job number `job`: that was cancelled."""
        with self._lock:
            if self._at_work and job == self._jobs:
                self.alive = False
                self._kill()

    def _kill(self) -> None:
        """End the process, which nobody has waited for yet, with all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """The job is done: nobody can stop it any more."""
        with self._lock:
            self._at_work = False
        if not self.alive:
            self._bury()

    def run(self, job: Job, uid: str) -> JobOutcome:
        """Return what came of `job`; raise `WorkerDiedError` if the process dies over it."""
        message = parcels.wrap(job, "")  # the job's own buffers are in parcels already
        try:
            self._send(message)
            outcome: JobOutcome = self._receive().open()
        except (EOFError, OSError) as error:
            raise self._dead(uid) from error
        outcome.own()
        return outcome

    def ask(
        self, errand: Errand, uid: str, timeout_s: float | None, prefix: str, around: Surroundings
    ) -> Answer:
        """Return what comes of `errand`; for what is raised see `dlg.drops.away.Caller`.

        New blocks of shared memory get names that begin with `prefix`.
        """
        errand.seal(prefix)
        known = errand.luggage.key in self._has
        if not known:
            errand.luggage.belong_to(around)
        message = errand.message(known=known)
        try:
            self._send(message)
            parcel = self._receive(timeout_s)
        except TimeoutError:
            self.alive = False
            self._kill()
            raise
        except (EOFError, OSError) as error:
            raise self._dead(uid) from error
        if not known:
            remember(self._has, errand.luggage.key, None)
        answer: Answer = parcel.own().open()
        return answer

    def _send(self, message: Any) -> None:
        self._connection.send_bytes(pickle.dumps(message, protocol=5))  # sooner than `send`

    def _receive(self, timeout_s: float | None = None) -> Any:
        """Return the next message; raise `EOFError` if the process has ended without one.

        What the process itself has started may outlive it and keep the socket open.
        """
        news = self._news.poll(None if timeout_s is None else max(0.0, timeout_s) * 1000)
        if not news:
            raise TimeoutError(f"it took longer than {timeout_s:g} s")
        if all(descriptor == self._ended for descriptor, _ in news):
            raise EOFError
        return self._connection.recv()

    def _dead(self, uid: str) -> WorkerDiedError:
        self._await_end()
        self._kill()  # what it has started, or itself if it has only lost the connection
        code = self._bury()
        how = (
            f"was killed by signal {-code} ({signal.Signals(-code).name})"
            if code < 0
            else f"ended with {code}"
        )
        pid = self._process.pid
        return WorkerDiedError(f"drop {uid}: the worker process {pid} that ran it {how}")

    def close(self) -> None:
        """Let the process end by itself, or end it."""
        self._bury()

    def _bury(self) -> int:
        """Wait for the end of the process, which cannot be asked for anything any more.

        Returns its exit code. What it had in shared memory that has not come here is removed.
        """
        self.alive = False
        if not self._buried:
            self._buried = True
            self._connection.close()
            if not self._await_end():
                self._kill()
            self._process.wait()
            os.close(self._ended)
            parcels.sweep(self._temporary)
        return self._process.returncode

    def _await_end(self) -> bool:
        """Return whether the process ends by itself, soon."""
        ending = select.poll()
        ending.register(self._ended, select.POLLIN)
        return bool(ending.poll(END_S * 1000))
