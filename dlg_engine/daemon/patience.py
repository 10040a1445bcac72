"""When a process that has ended unasked is started again, and when that is given up. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often a process may end, and how long is waited before it is started again."""

    first_pause_s: float = 0.5
    """Before the second start; doubled before each further one."""
    longest_pause_s: float = 30.0
    most_deaths: int = 5
    """How many early ends in a row are put up with."""
    long_life_s: float = 60.0
    """Whoever has lived so long has not failed to start: the counting begins anew."""


@dataclass(slots=True)
class Deaths:
    """The early ends of a process so far."""

    rule: Patience
    count: int = 0

    def after(self, lived_s: float) -> float | None:
        """Return how long to wait before the next start; None if there is to be none."""
        if lived_s >= self.rule.long_life_s:
            self.count = 0
        self.count += 1
        if self.count > self.rule.most_deaths:
            return None
        pause_s = self.rule.first_pause_s * 2.0 ** (self.count - 1)
        return min(pause_s, self.rule.longest_pause_s)
