"""Watches what a job's processes use, and says when a limit is passed.

The system enforces some limits by itself, for each process alone (`limits.apply_here`). What
several processes use together, and for how long, has to be looked at now and then: there is no
event for it that every user may wait for. Processor time is held down by letting the processes
stand still for a while.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from dlg.beat.processes import tree
from dlg.beat.processes.limits import Limits

LOOK_S = 0.03
"""Seconds from one look at the processes to the next."""
_BURST_S = 0.1
"""Seconds for which unused processor time is kept."""
_MIB = 1 << 20


class Limit(StrEnum):
    """What was passed."""

    MEMORY = "memory"
    TIME = "time"
    PROCESSES = "processes"


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a job has passed, and how, for its user."""

    limit: Limit
    text: str


class Watch:
    """Looks at the processes of one job that `living` finds, from time `now` on."""

    def __init__(self, limits: Limits, living: Callable[[], list[int]], now: float) -> None:
        self._limits, self._living = limits, living
        self._deadline = now + limits.time_s if limits.time_s else float("inf")
        self._next_look = now + LOOK_S
        self._rate = limits.cpu_percent / 100
        self._paid_until = now
        self._used_s = 0.0
        self._still: list[int] = []
        self.peak_b = 0
        self.most = 1

    @property
    def due(self) -> float:
        """When `look` is to be called next, on the clock of `now`."""
        return min(self._deadline, self._next_look)

    def look(self, now: float) -> Breach | None:
        """Look at the processes; return a limit that they have passed."""
        if now >= self._deadline:
            return Breach(Limit.TIME, f"the time limit of {_time(self._limits.time_s)} is over")
        if now < self._next_look:
            return None
        self._next_look = now + LOOK_S
        if self._still:
            tree.send(self._still, signal.SIGCONT)
            self._still = []
        living = self._living()
        self.most = max(self.most, len(living))
        if self._limits.processes and len(living) > self._limits.processes:
            return Breach(
                Limit.PROCESSES,
                f"{len(living)} processes at one time are more than the limit of "
                f"{self._limits.processes}",
            )
        breach = self._look_at_memory(living)
        if breach is None and self._rate:
            self._hold_down(living, now)
        return breach

    def _look_at_memory(self, living: list[int]) -> Breach | None:
        held, most = sum(map(tree.memory_b, living)), self._limits.memory_b
        if most and held > most and len(living) > 1:
            held = sum(map(tree.share_b, living))  # what is shared counts once
        self.peak_b = max(self.peak_b, held)
        if not most or held <= most:
            return None
        who = f"its {len(living)} processes hold" if len(living) > 1 else "it holds"
        text = f"{who} {held / _MIB:.0f} MB of memory, the limit is {most / _MIB:.0f} MB"
        return Breach(Limit.MEMORY, text)

    def _hold_down(self, living: list[int], now: float) -> None:
        """Let the processes stand still until the processor time they had is paid for."""
        used = max(self._used_s, sum(map(tree.cpu_s, living)))
        self._paid_until += (used - self._used_s) / self._rate
        self._used_s = used
        self._paid_until = max(self._paid_until, now - _BURST_S)
        if self._paid_until > now:
            self._still = living
            tree.send(living, signal.SIGSTOP)
            self._next_look = self._paid_until


def _time(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} s"  # noqa: PLR2004
