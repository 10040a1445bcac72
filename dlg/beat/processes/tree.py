"""Processes with all that they have started, as the system shows them (Linux, `/proc`)."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Container, Iterable
from pathlib import Path

_END_S = 2.0
_CPU_CLOCK = 2
"""In the number of the clock that tells what processor time a process has had."""


class Census:
    """Finds the processes that descend from one.

    The system tells of a process who its parent is, but not everywhere who its children are; so
    all processes are looked at, unless none was started since the last time.
    """

    def __init__(self) -> None:
        self._newest = ""
        self._children: dict[int, list[int]] = {}
        self._ended: set[int] = set()

    def below(self, parent: int, without: Container[int] = (), fresh: bool = False) -> list[int]:
        """Return what descends from `parent`, save for its children in `without` and theirs.

        With `fresh`, the system is asked even if no process has been started meanwhile.
        """
        newest = newest_pid()
        if fresh or newest != self._newest:
            self._newest, (self._children, self._ended) = newest, _families()
        found = [pid for pid in self._children.get(parent, ()) if pid not in without]
        for pid in found:  # grows meanwhile
            found += self._children.get(pid, ())
        return [pid for pid in found if pid not in self._ended]


def newest_pid() -> str:
    """Return the number of the process (or thread) that was started last on this machine."""
    return Path("/proc/loadavg").read_text().rsplit(" ", 1)[1]


def _families() -> tuple[dict[int, list[int]], set[int]]:
    """Return the children of each process, and which processes have ended.

    Those are children too: what they have started may not have got its new parent yet.
    """
    children: dict[int, list[int]] = {}
    ended: set[int] = set()
    for name in os.listdir("/proc"):  # noqa: PTH208  called all the time
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123  likewise
                    _, _, rest = file.read().rpartition(b")")
            except OSError:
                continue  # it has gone meanwhile
            state, parent = rest.split(None, 2)[:2]
            children.setdefault(int(parent), []).append(int(name))
            if state in (b"Z", b"X"):
                ended.add(int(name))
    return children, ended


def memory_b(pid: int) -> int:
    """Return the bytes of memory that `pid` holds, without mapped files; 0 if it has ended.

    What a process shares with the one that it was forked from counts for both.
    """
    return 1024 * sum(_numbers(f"/proc/{pid}/status", (b"RssAnon:", b"RssShmem:")))


def share_b(pid: int) -> int:
    """Return the same with each page divided by the number of processes that hold it; slower."""
    return 1024 * sum(_numbers(f"/proc/{pid}/smaps_rollup", (b"Pss_Anon:", b"Pss_Shmem:")))


def _numbers(path: str, names: tuple[bytes, ...]) -> list[int]:
    try:
        text = Path(path).read_bytes()
    except (OSError, ProcessLookupError):
        return []
    return [int(line.split()[1]) for line in text.splitlines() if line.startswith(names)]


def cpu_s(pid: int) -> float:
    """Return the seconds of processor time that `pid` has had; 0 if it has ended."""
    try:
        return time.clock_gettime((~pid << 3) | _CPU_CLOCK)
    except OSError:
        return 0.0


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes; those that have ended meanwhile do not matter."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def end(living: Callable[[], list[int]]) -> None:
    """Kill all processes that `living` finds, and those that they start meanwhile.

    They are stopped first: who stands still forks no more, so that few are missed. Who is killed
    starts nothing any more either, so what comes to light after that is all that there is.
    """
    killed: set[int] = set()
    quiet = 0
    while quiet < 2:  # noqa: PLR2004  one that changes its parent can be missed once
        stopped: set[int] = set()
        while new := set(living()) - stopped - killed:
            send(new, signal.SIGSTOP)
            stopped |= new
        send(stopped, signal.SIGKILL)
        quiet = 0 if stopped else quiet + 1
        killed |= stopped
        if not killed:
            return
    await_end(killed, _END_S)


def await_end(pids: Iterable[int], timeout_s: float) -> None:
    """Wait until these processes have ended; not for ever, as one may hang."""
    until = time.monotonic() + timeout_s
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ending = select.poll()
            ending.register(descriptor, select.POLLIN)
            ending.poll(max(0.0, until - time.monotonic()) * 1000)
        finally:
            os.close(descriptor)
