"""Processes that somebody else started."""

from __future__ import annotations

import os
import select
import signal
import weakref
from contextlib import suppress

UNKNOWN_STATUS = 0


class ExistingProcess:
    """A process that exists already, to be handled like a `subprocess.Popen`.

    It is held by a descriptor of the system (Linux), so a new process that gets the number of one
    that ended is never taken for it. The system tells the exit status to the parent only: of other
    processes it is given as 0.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        try:
            self._fd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._fd, self.returncode = -1, UNKNOWN_STATUS
        else:
            weakref.finalize(self, os.close, self._fd)

    def poll(self) -> int | None:
        """Return None while the process exists, then its exit status."""
        with suppress(TimeoutError):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status once the process has finished.

        Raises `TimeoutError` if that takes longer than `timeout` seconds.
        """
        if self.returncode is None:
            waiting = select.poll()
            waiting.register(self._fd, select.POLLIN)
            if not waiting.poll(None if timeout is None else int(timeout * 1000)):
                raise TimeoutError(f"process {self.pid} is still there after {timeout} s")
            self.returncode = self._exit_status()
        return self.returncode

    def terminate(self) -> None:
        """Send a TERM signal, unless the process has finished."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send a KILL signal, unless the process has finished."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):  # finished in this moment; Popen is silent too
                signal.pidfd_send_signal(self._fd, number)

    def _exit_status(self) -> int:
        try:
            result = os.waitid(os.P_PIDFD, self._fd, os.WEXITED)
        except ChildProcessError:
            return UNKNOWN_STATUS
        if result is None:  # only where WNOHANG is asked for
            return UNKNOWN_STATUS
        return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status
