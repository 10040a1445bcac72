"""What is to be done when: a heap of dates."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Agenda(Generic[T]):
    """Matters by date; those of one date come in the order in which they were put down."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, date: float, matter: T) -> bool:
        """Put down a matter; return whether it comes before all others."""
        entry = (date, next(self._numbers), matter)
        heapq.heappush(self._heap, entry)
        return self._heap[0] is entry

    def take(self, now: float) -> list[T]:
        """Take out what is due, by date."""
        heap, due = self._heap, []
        while heap and heap[0][0] <= now:
            due.append(heapq.heappop(heap)[2])
        return due

    def next_date(self) -> float | None:
        """Return the date of what comes next; None if there is nothing."""
        return self._heap[0][0] if self._heap else None

    def discard(self, unwanted: Callable[[T], bool]) -> list[tuple[float, T]]:
        """Take out what is unwanted and return it with its dates."""
        gone = [(date, matter) for date, _, matter in self._heap if unwanted(matter)]
        if gone:
            self._heap = [entry for entry in self._heap if not unwanted(entry[2])]
            heapq.heapify(self._heap)
        return gone
