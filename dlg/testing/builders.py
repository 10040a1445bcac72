"""Builders for task graphs: functions that tests and examples can name."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from dlg.support import clock


class Arithmetic:
    """Small sums, as examples of functions that a task names."""

    def add(self, retry: int, x: float, y: float) -> float:
        """Return the sum."""
        return x + y

    def multiply(self, retry: int, x: float, y: float) -> float:
        """Return the product."""
        return x * y


class Nothing:
    """Does nothing, to see what running tasks costs."""

    def nothing(self, retry: int) -> None:
        """Do nothing."""

    def fail(self, retry: int) -> None:
        """Fail."""
        raise ValueError("this task always fails")


class Trouble:
    """Everything that can go wrong with a task."""

    def fine(self, retry: int, **inputs: Any) -> dict[str, Any]:
        """Return what came in."""
        return inputs

    def fail(self, retry: int, **_inputs: Any) -> None:
        """Raise an exception."""
        raise ValueError(f"failed at try {retry}")

    def fail_until(self, retry: int, good: int) -> int:
        """Fail in all tries before number `good`."""
        if retry < good:
            raise ValueError(f"failed at try {retry}")
        return retry

    def end(self, retry: int) -> None:
        """Try to end the program."""
        raise SystemExit(3)

    def die(self, retry: int) -> None:
        """Kill the process that runs it."""
        os.kill(os.getpid(), signal.SIGKILL)

    def unpicklable(self, retry: int) -> Any:
        """Return what cannot be sent to another process."""
        return threading.Lock()

    def sleep(self, retry: int, seconds: float) -> float:
        """Take so long."""
        clock.sleep(seconds)
        return seconds

    def where(self, retry: int) -> int:
        """Return the number of the process."""
        return os.getpid()
