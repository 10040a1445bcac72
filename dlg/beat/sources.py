"""What all sources of data share: units in the order of their intervals."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from dlg.beat.baseformat import baseformat, unpacked
from dlg.beat.indices import Interval
from dlg.exceptions import UsageError

if TYPE_CHECKING:
    from typing import Self

    from typing_extensions import Buffer

Unit: TypeAlias = tuple[Any, int, int] | tuple[None, None, None]
"""Data with the interval they cover, or nothing."""

SAMPLED = 15
"""One unit in sixteen is timed: looking at the clock takes as long as reading a small one."""

NOTHING: Unit = (None, None, None)


class NoDataError(UsageError, IndexError):
    """A source that has no units was asked for one of them."""


class DataSource:
    """The base of all sources: `source[i]` is the i-th unit, as (data, start, end).

    Behind the last unit there is nothing: (None, None, None). A subclass sets `_intervals` (in
    `_prepare`, if they are only known after asking for them) and defines `packed` and `data_of`.
    """

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.ready = False
        self.nb_bytes_read = 0
        self.read_duration = 0.0
        """How long setting up, and the reads that were timed, have taken (seconds)."""
        self._reads = self._timed = 0
        self._sampled = 0.0
        self.unpack = True
        """Whether data are handed out as objects, and not as bytes."""
        self.kind: type[baseformat] | None = None
        """The class of the data, where it is known."""

    def _has(self, intervals: Sequence[Interval]) -> None:
        """Be the source of units that cover these intervals."""
        self._starts = [start for start, _ in intervals]
        self._ends = [end for _, end in intervals]
        self.ready = True

    def _prepare(self) -> None:
        """Get to know the intervals, the first time that something is asked for."""
        self.ready = True

    def close(self) -> None:
        """Let go of files and memory; there are no units any more."""
        self._starts, self._ends = [], []

    def reset(self) -> None:
        """Stand again where a new source stands; units are not read in any order anyway."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        if not self.ready:
            self._prepare()
        return len(self._starts)

    def __iter__(self) -> Iterator[Unit]:
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> Unit:
        if not 0 <= index < len(self):
            return NOTHING
        reads = self._reads
        self._reads = reads + 1
        if reads & SAMPLED and reads > SAMPLED:
            data, size = self._get(index)
        else:
            data, size = self._get_timed(index)
        self.nb_bytes_read += size
        return data, self._starts[index], self._ends[index]

    def _get_timed(self, index: int) -> tuple[Any, int]:
        begun = perf_counter()
        found = self._get(index)
        spent = perf_counter() - begun
        if self._reads <= SAMPLED + 1:
            self.read_duration += spent
        else:
            self._sampled += spent
            self._timed += 1
        return found

    def packed(self, index: int) -> Unit:
        """Return the bytes of the i-th unit, without a copy where that is possible."""
        if not 0 <= index < len(self):
            return NOTHING
        data = self._packed(index)
        return data, self._starts[index], self._ends[index]

    def _get(self, index: int) -> tuple[Any, int]:
        """Return the data of a unit that exists, and how many bytes it has."""
        data = memoryview(self._packed(index))
        if self.kind is None or not self.unpack:
            return bytes(data), data.nbytes
        return unpacked(self.kind, data), data.nbytes

    def _packed(self, index: int) -> Buffer:
        """Return the bytes of a unit that exists."""
        raise NotImplementedError

    def first_data_index(self) -> int:
        """Return the index at which the first unit starts; raise `NoDataError`."""
        self._need()
        return self._starts[0]

    def last_data_index(self) -> int:
        """Return the index at which the last unit ends; raise `NoDataError`."""
        self._need()
        return self._ends[-1]

    def _need(self) -> None:
        if not len(self):
            raise NoDataError(f"this {type(self).__name__} has no data: was setup() successful?")

    def data_indices(self) -> list[Interval]:
        """Return the intervals of all units."""
        if not self.ready:
            self._prepare()
        return list(zip(self._starts, self._ends, strict=True))

    def getAtDataIndex(self, data_index: int) -> Unit:
        """Return the unit that covers a data index."""
        if not self.ready:
            self._prepare()
        place = bisect_right(self._starts, data_index) - 1
        if place < 0 or self._ends[place] < data_index:
            return NOTHING
        return self[place]

    def statistics(self) -> tuple[int, float]:
        """Return how many bytes were read, and for how long that took about (seconds)."""
        more = self._sampled / self._timed * (self._reads - SAMPLED - 1) if self._timed else 0.0
        return self.nb_bytes_read, self.read_duration + more
