"""The program of a warden: `serve` forks, watches and ends processes for whoever started it.

It hands out processes that wait for a call, and is told which of them are at work together for a
job, and by which limits. A job has one program or more; the last one is the main one, to which
the limits belong. Answers do not come by here: the warden tells how a job ended that could not
answer (its main process is gone, a limit was passed, it was cancelled), and clears up after each.
Nothing of the user's ever runs in the warden itself, and it waits for no user's process, so it
always hears. When the process that started it ends, it ends all its children and itself.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import select
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from dlg.beat.processes import child, frames, tree
from dlg.beat.processes.limits import Limits
from dlg.beat.processes.watching import Breach, Watch

PROTOCOL = 1
_IDLE_S = 600.0
"""Seconds without a job after which a warden ends; whoever has one then starts another."""
_SPARES = 2
"""Processes that wait for a call, so that short jobs in a row need not wait for one."""
_LOST_S = 0.5
"""Seconds that a process gets to end of which another one has lost the connection."""
_CALM_S = 0.005
"""Seconds that a job runs before the process for the next one is made beside it."""


def serve(descriptor: int, preload: list[str]) -> None:
    """Be a warden for whoever holds the other end of socket `descriptor`.

    `preload` are modules to be there in all processes. A function `prepare` in one of them is
    called once, before there are any; a function `rehearse` in each process before it waits.
    """
    parent = os.pidfd_open(os.getppid())
    # An interrupt from the keyboard is for the process that we work for; it tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Python warns of forks beside threads. A library may have made some, which know of forks.
    warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")
    child.adopt_orphans()
    modules = [importlib.import_module(name) for name in preload]
    for module in modules:
        if hasattr(module, "prepare"):
            module.prepare()
    rehearsals = [module.rehearse for module in modules if hasattr(module, "rehearse")]
    gc.collect()
    gc.freeze()  # children look at none of it when they collect garbage
    warden = _Warden(socket.socket(fileno=descriptor), parent, rehearsals)
    with contextlib.suppress(EOFError, ConnectionError):
        warden.live()
    warden.end_all()


class _Process:
    """A forked process, from its parent's side."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended = os.pidfd_open(pid)
        self.code: int | None = None
        self.usage: dict[str, float] = {}

    def bury(self) -> bool:
        """Note how the process has ended, if it has; return whether it has."""
        if self.code is not None:
            return True
        try:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
        except ChildProcessError:
            return True
        if not pid:
            return False
        self.note_end(status, used)
        return True

    def note_end(self, status: int, used: resource.struct_rusage) -> None:
        """Note how the process has ended."""
        self.code, self.usage = os.waitstatus_to_exitcode(status), child.summed(used)

    def kill(self) -> None:
        """End the process and what is in its group."""
        if self.code is None:
            for end in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError):
                    end(self.pid, signal.SIGKILL)


class _Job:
    """A job at work."""

    def __init__(
        self, number: int, processes: list[_Process], watch: Watch, together: bool
    ) -> None:
        self.number, self.processes, self.watch = number, processes, watch
        self.together = together
        self.main = processes[-1]
        self.breach: Breach | None = None
        self.cancelled = False
        self.told = False

    @property
    def watched(self) -> list[_Process]:
        """The processes whose end matters: of functions, the main one notices that of others."""
        return self.processes if self.together else [self.main]

    def has_lost_one(self) -> bool:
        """Whether the main process has ended, or another has failed that it needs."""
        if self.main.bury():
            return True
        lost = False
        for process in self.watched:
            if process.bury():
                lost = lost or process.code != 0
        return lost


class _Warden:
    """What a warden knows and does."""

    def __init__(
        self, control: socket.socket, parent: int, rehearsals: list[Callable[[], None]]
    ) -> None:
        self._control, self._parent, self._rehearsals = control, parent, rehearsals
        self._poll = select.poll()
        for descriptor in (control.fileno(), parent):
            self._poll.register(descriptor, select.POLLIN)
        self._census = tree.Census()
        self._spares: dict[int, _Process] = {}
        self._wanted = _SPARES
        self._job: _Job | None = None
        facts = {"protocol": PROTOCOL, "python": sys.version.split()[0], "pid": os.getpid()}
        frames.send(control, {"hello": facts})

    def live(self) -> None:
        """Do jobs until nobody is there to give any."""
        while True:
            if self._job is not None:
                self._work(self._job)
                continue
            short = len(self._spares) < self._wanted
            if self._poll.poll(0 if short else _IDLE_S * 1000):
                self._listen(0)
            elif short:
                self._make_spare()
            else:
                return

    def end_all(self) -> None:
        """End all processes that descend from this one."""
        tree.end(lambda: self._census.below(os.getpid(), fresh=True))

    def _make_spare(self) -> None:
        process, descriptors = _fork(self._rehearse)
        self._spares[process.pid] = process
        frames.send(self._control, {"spare": process.pid}, descriptors)
        for number in descriptors:
            os.close(number)

    def _rehearse(self) -> None:
        for rehearse in self._rehearsals:
            rehearse()

    def _work(self, job: _Job) -> None:
        now = time.monotonic()
        until = job.watch.due
        if len(self._spares) < self._wanted:
            until = min(until, now + _CALM_S)
        heard = self._listen(None if job.told else max(0.0, until - now))
        if job is not self._job or job.told:
            return
        over = job.cancelled or job.has_lost_one()
        for process in job.watched:
            if process.code is not None:  # or we would hear of it for ever
                with contextlib.suppress(KeyError):
                    self._poll.unregister(process.ended)
        if not over:
            job.breach = job.watch.look(time.monotonic())
        if over or job.breach:
            self._give_up(job)
        elif not heard and len(self._spares) < self._wanted:
            self._make_spare()

    def _listen(self, timeout_s: float | None) -> bool:
        """Take in what comes within `timeout_s` seconds; return whether anything did."""
        timeout_ms = None if timeout_s is None else timeout_s * 1000
        ready = [number for number, _ in self._poll.poll(timeout_ms)]
        if self._parent in ready:
            raise EOFError
        if self._control.fileno() in ready:
            message, _ = frames.receive(self._control)
            self._obey(message)
        return bool(ready)

    def _obey(self, message: dict[str, Any]) -> None:
        job = self._job
        if "begin" in message:
            self._begin(message)
        elif "want" in message:
            self._wanted = max(self._wanted, message["want"])
        elif job is not None and message.get("cancel") == job.number:
            job.cancelled = True
        elif job is not None and message.get("over") == job.number:
            if message.get("lost"):
                tree.await_end((p.pid for p in job.processes[:-1]), _LOST_S)
            codes = [p.code if p.bury() else None for p in job.processes]
            self._clear_up(job, message["calm"], message["keep"])
            if message["report"] and not job.told:
                usage = {"memory_b": job.watch.peak_b, "processes": job.watch.most}
                frames.send(self._control, {"report": job.number, "usage": usage, "codes": codes})

    def _begin(self, message: dict[str, Any]) -> None:
        processes = [self._spares.pop(pid) for pid in message["processes"]]
        others = {process.pid for process in processes[:-1]}
        watch = Watch(Limits(**message["limits"]), lambda: self._living(others), time.monotonic())
        job = self._job = _Job(message["begin"], processes, watch, message["together"])
        for process in job.watched:
            self._poll.register(process.ended, select.POLLIN)

    def _living(self, without: set[int]) -> list[int]:
        """Return the processes of the main program: those whose parents have ended are its."""
        return self._census.below(os.getpid(), {*without, *self._spares})

    def _end_living(self) -> None:
        tree.end(lambda: self._census.below(os.getpid(), self._spares, fresh=True))

    def _give_up(self, job: _Job) -> None:
        """Tell how a job ended that does not answer any more, once nothing of it is left."""
        codes = [p.code if p.bury() else None for p in job.processes]
        self._unregister(job)
        self._end_living()
        with contextlib.suppress(ChildProcessError):
            if job.main.code is None:
                _, status, used = os.wait4(job.main.pid, 0)  # it was killed
                job.main.note_end(status, used)
        usage = dict(job.main.usage)
        usage["memory_b"] = max(usage.get("memory_b", 0), job.watch.peak_b)
        usage["processes"] = job.watch.most
        job.told = True
        frames.send(self._control, {
            "ended": job.number, "usage": usage, "codes": codes, "cancelled": job.cancelled,
            "limit": job.breach.limit if job.breach else "",
            "text": job.breach.text if job.breach else "",
        })  # fmt: skip

    def _clear_up(self, job: _Job, calm: bool, keep: list[int]) -> None:
        self._job = None
        self._unregister(job)
        for process in job.processes:
            if process.pid in keep:  # it waits for its next call
                self._spares[process.pid] = process
            else:
                process.kill()
        if not calm:  # it may have left processes behind
            self._end_living()
        for process in job.processes:
            if process.pid not in keep:
                os.close(process.ended)
        self._reap()

    def _unregister(self, job: _Job) -> None:
        for process in job.watched:
            with contextlib.suppress(KeyError):
                self._poll.unregister(process.ended)

    def _reap(self) -> None:
        """Let the system forget who has ended: the processes of former jobs, and their orphans."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, used = os.wait4(-1, os.WNOHANG)
                if not pid:
                    return
                if pid in self._spares:  # or of a job that we are about to hear of
                    self._spares[pid].note_end(status, used)


def _fork(rehearse: Callable[[], None]) -> tuple[_Process, list[int]]:
    """Return a new process, with our ends of its socket, its output and its errors."""
    ours, theirs = socket.socketpair()
    out, theirs_out = os.pipe()
    err, theirs_err = os.pipe()
    pid = child.fork((theirs.fileno(), theirs_out, theirs_err), rehearse)
    theirs.close()
    os.close(theirs_out)
    os.close(theirs_err)
    return _Process(pid), [ours.detach(), out, err]
