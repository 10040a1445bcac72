"""What a server has answered, counted by route: how often, how fast and how much.

Counted in the event loop when an answer has gone, so without a lock. Routes are counted by their
template, so that there are as many counters as routes, whatever is asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Up to how many seconds an answer takes to be counted in each bucket; one more has the rest."""


@dataclass(slots=True)
class Answers:
    """All answers to one method of one route that have one status."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    spent_s: float = 0.0
    received: int = 0
    """Bytes of bodies, as they came."""
    sent: int = 0


class Traffic:
    """Counters of one server."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, int], Answers] = {}

    def count(
        self, key: tuple[str, str, int], spent_s: float, *, received: int, sent: int
    ) -> None:
        """Count an answer to a method and route, with a status."""
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = Answers()
        found.buckets[bisect_left(BOUNDS_S, spent_s)] += 1
        found.spent_s += spent_s
        found.received += received
        found.sent += sent

    def __iter__(self) -> Iterator[tuple[tuple[str, str, int], Answers]]:
        """Yield what was counted, by method, route and status; may be asked for in any thread."""
        return iter(list(self._answers.items()))
