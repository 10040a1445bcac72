"""Running a shell command: in a process group of its own, with bounded output, and stoppable.

The command may start as many processes as it likes; cancelling ends the whole group, politely
first. Output is kept up to a cap, its beginning and its end, so that a program that prints
gigabytes does not fill the memory of the process that runs the graph.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CAP = 10 << 20
"""Bytes of output kept of each stream."""
GRACE_S = 5.0
"""Seconds between asking a cancelled group to end and killing it."""
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a command."""

    exit_code: int
    """The exit code; minus the number of the signal for a process that was killed."""
    stdout: bytes
    stderr: bytes


class Kept:
    """The beginning and the end of what a stream brought, with a note of what is missing."""

    def __init__(self, cap: int = CAP) -> None:
        self._room = cap // 2
        self._head: list[bytes] = []
        self._tail: deque[bytes] = deque()
        self._tail_size = self._dropped = 0
        self._cap = cap // 2

    def add(self, piece: bytes) -> None:
        """Keep `piece`, or forget something older from the middle."""
        if self._room:
            self._head.append(piece[: self._room])
            piece = piece[self._room :]
            self._room -= len(self._head[-1])
        if piece:
            self._tail.append(piece)
            self._tail_size += len(piece)
        while self._tail_size - len(self._tail[0] if self._tail else b"") > self._cap:
            gone = len(self._tail.popleft())
            self._tail_size -= gone
            self._dropped += gone

    def text(self) -> bytes:
        """Return what was kept."""
        note = f"\n[... {self._dropped} bytes left out ...]\n".encode() if self._dropped else b""
        return b"".join(self._head) + note + b"".join(self._tail)


_RUNNING: set[Command] = set()
"""The commands that somebody waits for."""


def kill_all() -> None:
    """End all commands that somebody waits for; called when the process ends.

    The threads that would kill commands which have not listened end with it.
    """
    for command in list(_RUNNING):
        command.kill_if_mine()


atexit.register(kill_all)


class Command:
    """One run of a shell command."""

    def __init__(
        self,
        line: str,
        *,
        directory: Path | None,
        environment: Mapping[str, str],
        stdin: IO[bytes] | int = subprocess.DEVNULL,
        stdout: IO[bytes] | int = subprocess.PIPE,
        held: Sequence[int] = (),
    ) -> None:
        """Start `line` with bash in `directory`; raise `OSError` if that cannot be done.

        It keeps the descriptors `held` open, and so does what it starts.
        """
        self.line = line
        self.stopping = False
        """Whether it has been asked to end."""
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", line],
            cwd=directory,
            env=dict(environment),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=held,
        )
        self._owner = os.getpid()
        _RUNNING.add(self)

    def wait(self) -> Outcome:
        """Return what came of the command once it has ended and closed its output."""
        try:
            return self._wait()
        finally:
            _RUNNING.discard(self)

    def _wait(self) -> Outcome:
        kept_out, kept_err = Kept(), Kept()
        reader = threading.Thread(
            target=_drain, args=(self._process.stderr, kept_err), name="dlg-stderr", daemon=True
        )
        reader.start()
        _drain(self._process.stdout, kept_out)
        code = self._process.wait()
        reader.join()
        return Outcome(exit_code=code, stdout=kept_out.text(), stderr=kept_err.text())

    def stop(self, grace_s: float = GRACE_S) -> None:
        """Ask the whole group to end, and kill what is left of it after `grace_s` seconds."""
        self.stopping = True
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_s)
        # The shell may be gone while what it started is not; its group has its number.
        self.kill()

    def kill(self) -> None:
        """End the whole group at once."""
        self.stopping = True
        self._signal(signal.SIGKILL)

    def kill_if_mine(self) -> None:
        """End the whole group at once, unless this process is only a copy of its owner."""
        if os.getpid() == self._owner:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return  # nobody of the group is left


def _drain(stream: IO[bytes] | None, kept: Kept) -> None:
    if stream is None:
        return
    with stream:
        while piece := os.read(stream.fileno(), _PIECE):
            kept.add(piece)
