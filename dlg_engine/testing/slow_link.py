"""A cable that delays and loses frames, for kernels that cannot (`tc netem`) and those that can.

Both ends are devices whose frames pass through this process: a thread keeps each for a while, or
drops it.
"""

from __future__ import annotations

import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from dlg_engine.testing.spaces import Space, ip

TUN = Path("/dev/net/tun")
_SET_INTERFACE = 0x400454CA
_FRAMES, _BARE = 0x0002, 0x1000
_LARGEST = 65536


@dataclass(frozen=True, slots=True)
class Slowness:
    """How slow a link is, each way."""

    delay_s: float = 0.0
    loss: float = 0.0
    """Which part of the frames is lost."""


class SlowLink:
    """A cable between `eth0` of one namespace and a port of another, in a `with` block."""

    def __init__(self, space: str, other: str, port: str, slowness: Slowness) -> None:
        self._ends = [(space, "eth0"), (other, port)]
        self._slowness = slowness
        self._random = random.Random(port)  # noqa: S311  the same losses in every run
        self._taps: list[int] = []
        self._over_r, self._over_w = -1, -1
        self._thread: threading.Thread | None = None

    def __enter__(self) -> SlowLink:
        self._over_r, self._over_w = os.pipe()
        self._taps = [_tap(space, name) for space, name in self._ends]
        self._thread = threading.Thread(target=self._run, name="dlg-slow-link", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.write(self._over_w, b"x")
        if self._thread is not None:
            self._thread.join(10)
        for descriptor in (*self._taps, self._over_r, self._over_w):
            os.close(descriptor)

    def _run(self) -> None:
        other = dict(zip(self._taps, reversed(self._taps), strict=True))
        numbers = itertools.count()
        due: list[tuple[float, int, int, bytes]] = []
        while True:
            left_s = max(0.0, due[0][0] - time.monotonic()) if due else None
            readable, _, _ = select.select([*self._taps, self._over_r], [], [], left_s)
            if self._over_r in readable:
                return
            for tap in readable:
                frame = _read(tap)
                if frame and self._random.random() >= self._slowness.loss:
                    at = time.monotonic() + self._slowness.delay_s
                    heapq.heappush(due, (at, next(numbers), other[tap], frame))
            while due and due[0][0] <= time.monotonic():
                _, _, tap, frame = heapq.heappop(due)
                _write(tap, frame)


def _tap(space: str, name: str) -> int:
    """Return a device of a namespace, as what its frames are read from and written to."""
    ip("-n", space, "tuntap", "add", name, "mode", "tap")
    with Space(space):
        tap = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tap, _SET_INTERFACE, struct.pack("16sH", name.encode(), _FRAMES | _BARE))
    return tap


def _read(tap: int) -> bytes:
    try:
        return os.read(tap, _LARGEST)
    except OSError:  # nothing there after all, or the device is down
        return b""


def _write(tap: int, frame: bytes) -> None:
    try:
        os.write(tap, frame)
    except OSError:  # the device is down, as a cable that was pulled
        return
