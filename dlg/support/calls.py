"""A call of a function, and what came of it as a value, which can travel between processes.

Worker processes import this before they get anything to do, so it imports little.
"""

from __future__ import annotations

import traceback as tracebacks
from collections.abc import Mapping
from typing import Any

from dlg.support import clock
from dlg.support.interrupts import is_interrupt


class Called:
    """What came of one call, whether it succeeded or not."""

    __slots__ = ("begun", "error", "kind", "seconds", "traceback", "value")

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value = value
        self.error = "" if error is None else str(error)
        self.kind = "" if error is None else type(error).__name__
        """The class of the exception; empty for a call that succeeded."""
        self.traceback = "" if error is None else "".join(tracebacks.format_exception(error))
        self.begun = 0.0
        """Seconds since 1970."""
        self.seconds = 0.0


def call(builder: Any, func: str, retry: int, inputs: Mapping[str, Any]) -> Called:
    """Return what comes of calling function `func` of `builder`; nothing is raised.

    A function that ends its program, as by `sys.exit`, has failed like any other.
    """
    begun, started = clock.now(), clock.monotonic()
    try:
        called = Called(getattr(builder, func)(retry=retry, **inputs))
    except BaseException as error:  # whatever it is, it is the failure of the call
        if is_interrupt(error):
            raise
        called = Called(None, error)
    called.begun, called.seconds = begun, clock.monotonic() - started
    return called
