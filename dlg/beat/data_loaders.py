"""Data loaders: an algorithm that reads its inputs in the order it likes.

A loader has the inputs of one channel. Its units are the intervals in which no input changes; a
view of it is restricted to those of one unit of one input. Reading them in order is linear: an
input keeps its present unit as long as it covers what is asked for.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any

from dlg.beat.indices import Interval, mixDataIndices
from dlg.beat.sources import NOTHING, DataSource, Unit

__all__ = ["DataLoader", "DataLoaderList", "DataView"]


class _Cursor:
    """Where an input stands."""

    __slots__ = ("data", "end", "source", "start")

    def __init__(self, source: DataSource) -> None:
        self.source = source
        self.reset()

    def reset(self) -> None:
        """Stand nowhere."""
        self.data: Any = None
        self.start = self.end = -1

    def at(self, data_index: int) -> Any:
        """Return the data that cover an index."""
        if not self.start <= data_index <= self.end:
            data, start, end = self.source.getAtDataIndex(data_index)
            if start is None or end is None:
                return None  # between two units
            self.data, self.start, self.end = data, start, end
        return self.data


class _Units:
    """Units of several inputs that are read together."""

    def __init__(self) -> None:
        self._cursors: dict[str, _Cursor] = {}
        self._units: list[Interval] = []
        self._counts: dict[str, int] = {}
        self.nb_data_units = 0
        self.data_index_start = self.data_index_end = -1

    def _set(self, units: list[Interval], counts: dict[str, int]) -> None:
        self._units, self._counts, self.nb_data_units = units, counts, len(units)
        self.data_index_start = units[0][0] if units else -1
        self.data_index_end = units[-1][1] if units else -1

    def count(self, input_name: str | None = None) -> int:
        """Return how many units there are, of one input or of all together."""
        return self.nb_data_units if input_name is None else self._counts.get(input_name, 0)

    def __len__(self) -> int:
        return self.nb_data_units

    def __getitem__(self, index: int) -> Unit:
        """Return the data of all inputs by name, and the interval; nothing behind the last."""
        if not 0 <= index < self.nb_data_units:
            return NOTHING
        start, end = self._units[index]
        return {name: cursor.at(start) for name, cursor in self._cursors.items()}, start, end

    def __iter__(self) -> Iterator[Unit]:
        for index in range(self.nb_data_units):
            yield self[index]


class DataView(_Units):
    """The units of a loader in the interval of one unit of one of its inputs."""

    def __init__(self, data_loader: DataLoader, data_indices: Sequence[Interval]) -> None:
        super().__init__()
        self.data_indices = list(data_indices)
        # Cursors of its own: reading a view does not make the loader read again.
        self._cursors = {name: _Cursor(c.source) for name, c in data_loader.cursors.items()}
        if not self.data_indices:
            return
        first, last = self.data_indices[0][0], self.data_indices[-1][1]
        counts = {
            name: _count(starts, ends, first, last)
            for name, (starts, ends) in data_loader.edges.items()
        }
        self._set(self.data_indices, counts)


class DataLoader(_Units):
    """The inputs of one channel, to be read in any order."""

    def __init__(self, channel: str) -> None:
        super().__init__()
        self.channel = channel
        self.edges: dict[str, tuple[list[int], list[int]]] = {}
        """The starts and the ends of the units of each input."""

    @property
    def cursors(self) -> dict[str, _Cursor]:
        """Where each input stands."""
        return self._cursors

    @property
    def mixed_data_indices(self) -> list[Interval]:
        """The intervals of all units."""
        return self._units

    def reset(self) -> None:
        """Let go of the units that were read last."""
        for cursor in self._cursors.values():
            cursor.reset()

    def add(self, input_name: str, data_source: DataSource) -> None:
        """Take one more input."""
        self._cursors[input_name] = _Cursor(data_source)
        intervals = data_source.data_indices()
        self.edges[input_name] = ([a for a, _ in intervals], [b for _, b in intervals])
        lists = [list(zip(*edges, strict=True)) for edges in self.edges.values()]
        counts = {name: len(starts) for name, (starts, _) in self.edges.items()}
        self._set(mixDataIndices(lists), counts)

    def input_names(self) -> list[str]:
        """Return the names of all inputs."""
        return list(self._cursors)

    def view(self, input_name: str, index: int) -> DataView | None:
        """Return the units in the interval of the i-th unit of an input, or None."""
        starts, ends = self.edges.get(input_name, ([], []))
        if not 0 <= index < len(starts):
            return None
        low = bisect_left(self._units, (starts[index], -1))
        high = bisect_right(self._units, ends[index], key=lambda unit: unit[1])
        return DataView(self, self._units[low:high])


class DataLoaderList:
    """The loaders of an algorithm, found by channel or place; the main one came first."""

    def __init__(self) -> None:
        self._loaders: list[DataLoader] = []
        self.main_loader: DataLoader | None = None

    def add(self, data_loader: DataLoader) -> None:
        """Take one more loader."""
        if self.main_loader is None:
            self.main_loader = data_loader
        self._loaders.append(data_loader)

    def __getitem__(self, name_or_index: str | int) -> DataLoader | None:
        if isinstance(name_or_index, str):
            return next((one for one in self._loaders if one.channel == name_or_index), None)
        count = len(self._loaders)
        return self._loaders[name_or_index] if -count <= name_or_index < count else None

    def __iter__(self) -> Iterator[DataLoader]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)

    def loaderOf(self, input_name: str) -> DataLoader | None:
        """Return the loader that has an input, or None."""
        return next((one for one in self._loaders if input_name in one.cursors), None)

    def secondaries(self) -> DataLoaderList:
        """Return the other loaders than the main one."""
        others = DataLoaderList()
        others._loaders = [one for one in self._loaders if one is not self.main_loader]
        return others


def _count(starts: list[int], ends: list[int], first: int, last: int) -> int:
    """Return how many units touch an interval."""
    return bisect_right(starts, last) - bisect_left(ends, first)
