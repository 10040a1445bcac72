"""A manager as a process of its own: started, waited for until it listens, watched and ended."""

from __future__ import annotations

import ctypes
import json
import logging
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from dlg.exceptions import RunError
from dlg.support import clock

logger = logging.getLogger(__name__)

START_S = 60.0
"""How long a manager may take to listen: a loaded machine imports slowly."""
END_S = 15.0
"""How long a manager that was told to end may take beyond its own deadline; then it is killed."""
_TAIL_LINES = 5

_SET_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class StartError(RunError):
    """A manager did not come to listen."""


def end_with_parent() -> None:
    """Let the system end this process when its parent dies; runs between fork and exec."""
    if _libc is not None:
        _libc.prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)


class ManagerProcess:
    """A manager that runs as a process; `name` and `url` are known once it listens."""

    def __init__(
        self,
        role: str,
        arguments: Sequence[str],
        directory: Path,
        cwd: Path,
        log_name: str = "log",
        *,
        orphan: bool = True,
    ) -> None:
        """Start `dlg` with `arguments`; what it logs goes to the file `log_name` in `directory`.

        Interrupts from the keyboard do not reach it: whoever started it ends it. Unless it may
        become an `orphan` the system ends it when whoever started it is killed (Linux).
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.role, self.directory, self.log = role, directory, directory / log_name
        self.name = self.url = ""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dlg_engine.cli", *arguments, "--json"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, cwd=cwd,
                start_new_session=True, preexec_fn=None if orphan else end_with_parent,  # noqa: PLW1509
            )  # fmt: skip
        self._watcher: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Return whether the process has not ended."""
        return self.process.poll() is None

    def wait_until_it_listens(self, timeout_s: float = START_S) -> None:
        """Return when it has said where it listens; raise StartError if it does not."""
        stdout = self.process.stdout
        if stdout is None:
            raise StartError(f"the {self.role} was started without an output")
        deadline = clock.monotonic() + timeout_s
        readable, _, _ = select.select([stdout], [], [], max(0.0, deadline - clock.monotonic()))
        line = stdout.readline() if readable else ""
        if not line:
            why = "ended at once" if readable else f"does not listen after {timeout_s:g} s"
            raise StartError(f"the {self.role} {why}: {self.tail() or 'it told no reason'}")
        where = json.loads(line)
        self.name, self.url = str(where["name"]), str(where["url"])

    def watch(self, ended: Callable[[ManagerProcess], object]) -> None:
        """Let a thread wait for its end, and call `ended` then."""

        def wait() -> None:
            self.process.wait()
            ended(self)

        self._watcher = threading.Thread(
            target=wait, name=f"dlg-watch-{self.process.pid}", daemon=True
        )
        self._watcher.start()

    def end(self, patience_s: float = END_S) -> bool:
        """End it, gently at first; return whether that was enough."""
        self.tell_to_end()
        gentle = True
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            gentle = False
            logger.warning("the %s does not end and is killed", self.role)
            self.kill()
        if self._watcher is not None:
            self._watcher.join(patience_s)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return gentle

    def leave(self) -> None:
        """Let it go on when this process ends."""
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process.returncode = 0  # so that nobody complains that it has not ended

    def tell_to_end(self) -> None:
        """Ask it to end, without waiting for that."""
        if self.is_alive:
            self.process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(END_S)

    def tail(self) -> str:
        """Return the end of what it logged, in one line."""
        lines = self.log.read_text(errors="replace").strip().splitlines()[-_TAIL_LINES:]
        return " / ".join(line.removeprefix("dlg: ").strip() for line in lines)
