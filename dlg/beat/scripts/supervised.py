"""Runs what follows in a child process that is watched, in whatever container or machine this is.

The executor limits containers and processes from outside. Here the limits that it has told are
held more exactly, and whoever passes them is told how.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlg.beat.processes import child, tree
from dlg.beat.processes.limits import Limits, apply_here
from dlg.beat.processes.watching import Breach, Limit, Watch

_OOM = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def limits_in(configuration: Mapping[str, Any]) -> Limits:
    """Return the limits that a configuration tells of; none if it does not."""
    return Limits(**{**Limits(processes=0).as_message(), **configuration.get("limits", {})})


class Note:
    """A message that a child process leaves for the one it was forked from, who made this.

    It is in memory, of any size, and there whole or not at all: what was killed while it wrote
    has left nothing.
    """

    def __init__(self) -> None:
        self._file = os.memfd_create("note")
        weakref.finalize(self, os.close, self._file)

    def write(self, parts: Sequence[bytes]) -> None:
        """Leave a message of at least one part."""
        text = json.dumps([part.decode(errors="surrogateescape") for part in parts])
        os.pwrite(self._file, text.encode(), 0)

    def read(self) -> list[bytes]:
        """Return the message; nothing if there is none."""
        text = os.pread(self._file, os.fstat(self._file).st_size, 0)
        try:
            parts: list[str] = json.loads(text)
        except ValueError:
            return []
        return [part.encode(errors="surrogateescape") for part in parts]


def run(limits: Limits, work: Callable[[], int]) -> tuple[int, Breach | None]:
    """Do `work` in a child process; return its exit code, and the limit that it has passed.

    The code is negative if a signal has ended it. A limit of 0 is none.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child.adopt_orphans()
    pid = os.fork()
    if not pid:
        _be_child(limits, work)
    # A terminal or an executor speaks to the group; the child is told by us.
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGKILL))
    census = tree.Census()
    watch = Watch(limits, lambda: census.below(os.getpid()), time.monotonic())
    ended = os.pidfd_open(pid)
    news = select.poll()
    news.register(ended, select.POLLIN)
    breach = None
    kills = _oom_kills()
    while breach is None and not news.poll(max(0.0, watch.due - time.monotonic()) * 1000):
        breach = watch.look(time.monotonic())
        if breach is None and limits.memory_b and _oom_kills() > kills:
            breach = _out_of_memory(limits)
    tree.end(lambda: census.below(os.getpid(), {pid} if breach is None else (), fresh=True))
    status = _reap(pid)
    if breach is None and limits.memory_b and _oom_kills() > kills:
        breach = _out_of_memory(limits)
    return os.waitstatus_to_exitcode(status), breach


def _reap(pid: int) -> int:
    """Let the system forget all that has ended, as it counts until then; return how `pid` did."""
    found = 0
    with contextlib.suppress(ChildProcessError):
        while True:
            ended, status = os.waitpid(-1, 0)
            if ended == pid:
                found = status
    return found


def _be_child(limits: Limits, work: Callable[[], int]) -> None:
    code = child.FAILED
    try:
        with contextlib.suppress(PermissionError):
            apply_here(Limits(memory_b=limits.memory_b, processes=0))
        code = work()
        sys.stdout.flush()
        sys.stderr.flush()
    except MemoryError as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201  all that can be done
    finally:
        os._exit(code)


def _out_of_memory(limits: Limits) -> Breach:
    most = limits.memory_b >> 20
    return Breach(Limit.MEMORY, f"there is not enough memory, the limit is {most} MB")


def _oom_kills() -> int:
    """Return how many processes the system has killed here for want of memory."""
    for path in _OOM:
        try:
            lines = Path(path).read_text().splitlines()
        except OSError:
            continue
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0
