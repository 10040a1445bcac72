"""What a job may use at most.

The memory limit is for what the processes of a job hold of their own (anonymous and shared
memory), together. A process cannot get more address space for data than that (`RLIMIT_DATA`): it
sees a `MemoryError` where it asks for too much. Reserved but unused addresses and mapped files
do not count, so that libraries with many threads work under small limits.
"""

from __future__ import annotations

import os
import resource
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROCESSES = 32
"""Processes that a job may have at once, unless said otherwise."""
_MIB = 1 << 20
_SLACK_TASKS = 4
"""Threads a process may have on each core beside its processes, where tasks are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a job; 0 stands for none.

    `memory_b` in bytes, `cpu_percent` of one core (200: two cores), `time_s` in seconds from the
    start, `processes` at one time, the first one included.
    """

    memory_b: int = 0
    cpu_percent: float = 0
    time_s: float = 0
    processes: int = PROCESSES

    @classmethod
    def of_block(
        cls, megabytes: float, cpu_percent: float, minutes: float, processes: int = PROCESSES
    ) -> Limits:
        """Return limits from the arguments that executors take; what is below 0 is no limit."""
        return cls(
            memory_b=max(0, int(megabytes * _MIB)),
            cpu_percent=max(0, cpu_percent),
            time_s=max(0, minutes * 60),
            processes=max(0, processes),
        )

    def as_message(self) -> dict[str, Any]:
        """Return the limits for JSON; `Limits(**message)` is the way back."""
        return asdict(self)


def apply_here(limits: Limits) -> None:
    """Let this process have no more memory and processes than `limits` say, for good.

    Raises `MemoryError` if the process holds more than that already.
    """
    if limits.memory_b:
        held, addresses = _held_b()
        room = limits.memory_b - held
        if room <= 0:
            raise MemoryError(
                f"{limits.memory_b / _MIB:.0f} MB are less than the interpreter itself needs, "
                f"{held / _MIB:.0f} MB"
            )
        _lower(resource.RLIMIT_DATA, addresses + room)
    if limits.processes and os.getuid() != 0:
        # Of all tasks of the user, who may have others; for root the system does not count.
        others = _tasks_of_user()
        _lower(
            resource.RLIMIT_NPROC,
            others + limits.processes + _SLACK_TASKS * (os.cpu_count() or 1),
        )


def _lower(which: int, value: int) -> None:
    _soft, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _held_b() -> tuple[int, int]:
    """Return the bytes that this process holds, and those of its addresses for data."""
    held = addresses = 0
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("RssAnon", "RssShmem"):
            held += int(value.split()[0]) * 1024
        elif name == "VmData":
            addresses = int(value.split()[0]) * 1024
    return held, addresses


def _tasks_of_user() -> int:
    uid, count = os.getuid(), 0
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                if entry.stat().st_uid == uid:
                    count += len(os.listdir(f"/proc/{entry.name}/task"))  # noqa: PTH208  as above
            except OSError:
                continue  # it has ended
    return count
