"""Network namespaces: made by `ip`, and entered by single threads."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path
from types import TracebackType

PLACE = Path("/run/netns")
NETWORK = 0x40000000
"""What `setns` is told of which kind a namespace is."""
_libc = ctypes.CDLL(None, use_errno=True)


class NoSpaceError(Exception):
    """This process may not make network namespaces, or what they consist of."""


class Space:
    """The calling thread is in a namespace in a `with` block, and so is what it starts there."""

    def __init__(self, name: str) -> None:
        self._path = PLACE / name
        self._back = -1

    def __enter__(self) -> Space:
        self._back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self._path, os.O_RDONLY)
        try:
            _enter(there)
        finally:
            os.close(there)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _enter(self._back)
        os.close(self._back)


def ip(*arguments: str) -> str:
    """Call `ip` and return what it says; raise NoSpaceError with its complaint if it fails."""
    command = ["ip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoSpaceError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, NETWORK):
        raise NoSpaceError(f"setns: {os.strerror(ctypes.get_errno())}")
