"""Our side of one warden: start it, give it jobs, hear what becomes of them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dlg
from dlg.beat.processes import frames
from dlg.beat.processes.calls import Call, Helper, Outcome, Stop
from dlg.beat.processes.programs import Program, Tail
from dlg.exceptions import RunError, UsageError
from dlg.support import clock

_END_S = 5.0
"""Seconds a warden gets to end its children and itself."""
_HELPERS_END_S = 0.5
"""Seconds that helpers get to tell how they failed, when the main program misses one."""
_LONG_S = 0.05
"""A job that took longer than this was looked at by its warden, who then knows more of it."""
_START = """
import importlib.util, sys
number, folder, *modules = sys.argv[1:]
sys.path[:] = [entry for entry in sys.path if entry]
spec = importlib.util.spec_from_file_location(
    "dlg", folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules["dlg"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from dlg.beat.processes.warden import serve
serve(int(number), modules)
"""


class UnfitEnvironmentError(UsageError, RuntimeError):
    """An interpreter cannot run users' code for us."""


class WardenLostError(RunError):
    """A warden ended while it had a job, by no fault of the job's."""


class Warden:
    """A warden that is there for us alone."""

    def __init__(self, python: str, preload: Sequence[str]) -> None:
        """Start it; raise `UnfitEnvironmentError` if it does not get so far as to say hello."""
        self._lock = threading.Lock()
        self._number = 0
        self._busy = False
        self._spares: list[Program] = []
        self._said = os.memfd_create("said")
        weakref.finalize(self, os.close, self._said)
        self._sock, theirs = socket.socketpair()
        with theirs:
            folder = str(Path(dlg.__file__).parent)
            try:
                self._process = subprocess.Popen(
                    [python, "-c", _START, str(theirs.fileno()), folder, *preload],
                    pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stderr=self._said,
                    process_group=0,
                )  # fmt: skip
            except OSError as error:
                self._sock.close()
                raise UnfitEnvironmentError(f"{python}: {error.strerror}") from error
        self.facts = self._greeting(python)

    def _greeting(self, python: str) -> dict[str, Any]:
        try:
            facts: dict[str, Any] = frames.receive(self._sock)[0]["hello"]
        except (EOFError, ConnectionError, ValueError):
            self.close()
            why = self._last_words() or "it ended at once"
            raise UnfitEnvironmentError(f"{python} cannot run users' code: {why}") from None
        return facts

    def _last_words(self) -> str:
        """Return the last line of what the process said as it came to its end."""
        lines = os.pread(self._said, 1 << 20, 0).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def run(self, calls: Sequence[Call], links: Sequence[tuple[int, int]], stop: Stop) -> Outcome:
        """Return what became of the job of these calls, of which the last is the main one.

        Raises `WardenLostError` if the warden ends meanwhile, or has ended.
        """
        programs: list[Program] = []
        try:
            programs = self._programs(len(calls))
            with self._lock:
                self._number += 1
                self._busy = True
            begun = clock.monotonic()
            self._begin(calls, links, programs)
            stop.arm(self.cancel)
            return self._outcome(programs, begun)
        except (EOFError, ConnectionError) as error:
            self.close()
            why = f"process {self._process.pid}, which ran it, ended ({self._process.returncode})"
            words = self._last_words()
            raise WardenLostError(f"{why}: {words}" if words else why) from error
        except BaseException:  # an interrupt: nobody waits for the answer any more
            self.close()
            raise
        finally:
            stop.disarm()
            self._busy = False
            self._put_away(programs)

    def _put_away(self, programs: list[Program]) -> None:
        """Keep the processes that can be called again, first in line, and close the others."""
        for program in programs:
            if program.again and self.alive:
                self._spares.insert(0, program.renewed())
            else:
                program.close()

    def _programs(self, count: int) -> list[Program]:
        if count > 1:
            self._tell({"want": count})
        while len(self._spares) < count:
            self._news()
        found, self._spares = self._spares[:count], self._spares[count:]
        return found

    def _take_in(self, message: dict[str, Any], descriptors: list[int]) -> dict[str, Any] | None:
        """Keep a process that the warden sends; return what it tells of the present job."""
        if "spare" in message:
            self._spares.append(Program(message["spare"], descriptors))
            return None
        mine = self._number in (message.get("ended"), message.get("report"))
        return message if mine else None  # else of a job that had answered before it ended

    def _tell(self, message: dict[str, Any]) -> None:
        with self._lock:
            frames.send(self._sock, message)

    def _begin(
        self, calls: Sequence[Call], links: Sequence[tuple[int, int]], programs: list[Program]
    ) -> None:
        ends: list[tuple[int, socket.socket]] = []
        for pair in links:
            ends += zip(pair, socket.socketpair(), strict=True)
        for place, (program, call) in enumerate(zip(programs, calls, strict=True)):
            with contextlib.suppress(ConnectionError):  # it has ended: that will be told
                program.call(call.as_message(), [s.fileno() for at, s in ends if at == place])
        for _, end in ends:
            end.close()
        limits = calls[-1].limits.as_message()
        pids = [program.pid for program in programs]
        together = any(call.command for call in calls)
        begin = {"begin": self._number, "processes": pids, "limits": limits, "together": together}
        self._tell(begin)

    def _outcome(self, programs: list[Program], begun: float) -> Outcome:
        main = programs[-1]
        told = self._follow(programs)
        if told is None or main.answered:
            lost = isinstance(main.answer, dict) and bool(main.answer.get("lost"))
            if lost:
                self._hear_helpers(programs[:-1])
            took = clock.monotonic() - begun
            report = took > _LONG_S or len(programs) > 1
            calm = all(program.calm for program in programs)
            over = {"over": self._number, "report": report, "calm": calm, "lost": lost}
            self._tell({**over, "keep": [p.pid for p in programs if p.again]})
            told = self._report() if report else {}
        else:
            self._tell({"over": self._number, "report": False, "calm": True, "keep": []})
        for program in programs:
            program.out.take()
            program.err.take()
        codes = told.get("codes", [None] * len(programs))
        usage = {**told.get("usage", {}), **main.usage, "wall_s": clock.monotonic() - begun}
        usage["memory_b"] = max(usage["memory_b"], told.get("usage", {}).get("memory_b", 0))
        helpers = zip(programs[:-1], codes[:-1], strict=True)
        return Outcome(
            answer=main.answer if main.answered else None,
            code=None if main.answered else codes[-1],
            limit=told.get("limit", ""),
            text=told.get("text", ""),
            cancelled=told.get("cancelled", False),
            helpers=tuple(Helper(p.answer, code, p.err.text()) for p, code in helpers),
            stdout=main.out.text(),
            stderr=main.err.text(),
            usage=usage,
        )

    def _follow(self, programs: list[Program]) -> dict[str, Any] | None:
        """Wait until the main program has answered, or return what the warden tells of its end."""
        main, news = programs[-1], select.poll()
        tails: dict[int, Tail] = {}
        for program in programs:
            tails |= {t.descriptor: t for t in (program.out, program.err)}
        for number in (*tails, main.sock.fileno(), self._sock.fileno()):
            news.register(number, select.POLLIN)
        while True:
            ready = [number for number, _ in news.poll()]
            if main.sock.fileno() in ready and not main.hear():
                news.unregister(main.sock.fileno())
            if main.answered:
                return None
            for number in ready:
                if number in tails and not tails[number].take():
                    news.unregister(number)
            told = self._news() if self._sock.fileno() in ready else None
            if told is not None:
                main.hear_all()  # what it said before it ended
                return told

    def _news(self) -> dict[str, Any] | None:
        return self._take_in(*frames.receive(self._sock))

    def _report(self) -> dict[str, Any]:
        while (told := self._news()) is None:
            continue
        return told

    def _hear_helpers(self, helpers: list[Program]) -> None:
        until = clock.monotonic() + _HELPERS_END_S
        for helper in helpers:
            while not helper.answered and (left := until - clock.monotonic()) > 0:
                news = select.poll()
                news.register(helper.sock.fileno(), select.POLLIN)
                if not news.poll(left * 1000) or not helper.hear():
                    break

    def cancel(self) -> None:
        """End the job that is at work."""
        with self._lock, contextlib.suppress(OSError):
            if self._busy:
                frames.send(self._sock, {"cancel": self._number})

    def forget(self) -> None:
        """Let go of it in a process that was forked from ours: it is not that one's warden."""
        self._release()
        self._process.returncode = 0  # not a child of this process: nothing to wait for

    def close(self) -> None:
        """End it with all its children."""
        self._release()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _release(self) -> None:
        self._sock.close()
        spares, self._spares = self._spares, []
        for program in spares:
            program.close()
