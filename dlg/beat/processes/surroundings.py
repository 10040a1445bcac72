"""What users' code may have changed in its process, so that another's would not find it as new."""

from __future__ import annotations

import os  # the environment is looked at, not read
import random
import resource
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

_SIGNALS = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


class Surroundings:
    """A look at this process; two are equal if nothing was changed between them.

    That goes for what code changes by the way: folder, environment, files left open, threads,
    handlers of signals, filters of warnings, how numpy treats errors. What is deliberately put
    into other modules is not noticed.
    """

    def __init__(self) -> None:
        self._seen = {
            "folder": _folder(),
            "environment": os.environ.copy(),  # noqa: TID251  compared, nothing else
            "path": list(sys.path),
            "finders": list(sys.meta_path),
            "files": sorted(os.listdir("/proc/self/fd")),  # noqa: PTH208  names are what is wanted
            "threads": len(os.listdir("/proc/self/task")),  # noqa: PTH208  likewise
            "handlers": [signal.getsignal(number) for number in _SIGNALS],
            "timer": signal.getitimer(signal.ITIMER_REAL)[0],
            "warnings": list(warnings.filters),
            "streams": (sys.stdout, sys.stderr, sys.stdin),
            "hooks": (sys.excepthook, threading.excepthook, sys.gettrace(), sys.getprofile()),
            "recursion": sys.getrecursionlimit(),
            "limits": resource.getrlimit(resource.RLIMIT_DATA),
            **_of_numpy(),
        }

    def __eq__(self, other: object) -> bool:
        """Tell whether both have seen the same."""
        return isinstance(other, Surroundings) and self._seen == other._seen

    __hash__ = None  # type: ignore[assignment]


def seed_anew() -> None:
    """Forget the states of random generators that others have left or have too."""
    random.seed()
    generators = sys.modules.get("numpy.random")
    if generators is not None:
        generators.seed()


def reset_peak() -> None:
    """Let the most memory that this process has held be counted from now on."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return  # it counts from the beginning then


def peak_b() -> int:
    """Return the most bytes of memory that this process has held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return ""


def _of_numpy() -> dict[str, Any]:
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return {}
    return {"errors": numpy.geterr(), "printing": numpy.get_printoptions()}
