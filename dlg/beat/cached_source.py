"""Reads what blocks have written to a cache.

The files are mapped into memory: a unit is not read before somebody asks for it, and numeric
arrays in it are views of the mapping. Every file is checked against its checksum first.
"""

from __future__ import annotations

import json
import logging
import mmap
import re
from itertools import accumulate, compress
from pathlib import Path
from time import perf_counter
from typing import Any

from dlg.beat.baseformat import CorruptDataError, baseformat, fill, new
from dlg.beat.cache_files import CacheError, Part, base_of, verified
from dlg.beat.formats import Formats, type_named
from dlg.beat.sources import DataSource
from dlg.support.garbage import held_off

logger = logging.getLogger(__name__)

LONGEST_LINE = 512
"""No line in a data file is longer: it holds the name of a format, or three numbers."""
NEWLINE = 10
LONGEST_EQUAL = 1 << 20
"""Bigger units are few, so that looking for them one by one is no loss."""

_HEAD = re.compile(rb"(\d{1,18}) (\d{1,18}) (\d{1,18})\n")
_Found = tuple[list[int], list[int], list[int], list[int]]
"""Of all units the start, the end, the byte at which the data begin, and their length."""


class CachedDataSource(DataSource):
    """The units of an output in a cache, of all of its parts."""

    def __init__(self) -> None:
        super().__init__()
        self.encoding = "binary"
        self._json = False
        self.filenames: list[str] = []
        self._places: list[tuple[memoryview, int, int]] = []

    def setup(
        self,
        filename: str,
        prefix: str,
        start_index: int | None = None,
        end_index: int | None = None,
        unpack: bool = True,
        *,
        dataformat_cache: Formats | None = None,
    ) -> bool:
        """Open the files of an output; tell whether there are any.

        Only units that lie in the range as a whole are kept. Without `unpack` data are bytes.
        Raises `CacheError` for files that are not whole, or not what their checksums say, and
        whatever the data format's name is refused with.
        """
        self.close()
        begun = perf_counter()
        self.unpack = unpack
        parts = verified(filename, start_index, end_index)
        if not parts:
            logger.warning("there are no files %s.*.data", base_of(filename))
            return False
        with held_off():
            files = [_File(part, start_index, end_index) for part in parts]
        for file in files[1:]:
            if file.header != files[0].header:
                raise CacheError(
                    f"{file.path} holds {' '.join(file.header)}, unlike {files[0].path}"
                )
        self.encoding, name = files[0].header
        self._json = self.encoding == "json"
        self.kind = type_named(prefix, name, dataformat_cache) if unpack else None
        self.filenames = [file.path for file in files]
        for file in files:
            self._places += file.places
            self._starts += file.starts
            self._ends += file.ends
        self.ready = True
        self.read_duration += perf_counter() - begun
        return True

    def close(self) -> None:
        """Let go of the files; arrays that came from them keep what they need."""
        super().close()
        self._places, self.filenames = [], []

    def _get(self, index: int) -> tuple[Any, int]:
        view, begin, end = self._places[index]
        size = end + 1 - begin
        kind = self.kind
        if kind is None:
            return bytes(view[begin : end + 1]), size  # with the line end, as ever
        try:
            if self._json:
                value = _from_json(kind, view[begin:end])
            else:
                value = new(kind)
                kind.__record__.take(view, begin, end, value.__dict__)
        except CorruptDataError as error:
            interval = f"{self._starts[index]} to {self._ends[index]}"
            raise CorruptDataError(
                f"{self.filenames[0]}: the unit of the data indices {interval}: {error}"
            ) from error
        return value, size

    def _packed(self, index: int) -> memoryview:
        view, begin, end = self._places[index]
        return view[begin:end]


def _from_json(kind: type[baseformat], text: memoryview) -> baseformat:
    try:
        return fill(new(kind), json.loads(bytes(text)), "unsafe", False)
    except (ValueError, TypeError, AttributeError) as error:
        raise CorruptDataError(f"no value of its format in JSON: {error}") from error


class _File:
    """A data file that is mapped into memory, and where its units are."""

    def __init__(self, part: Part, first: int | None, last: int | None) -> None:
        self.path = part.file("data")
        self.places: list[tuple[memoryview, int, int]] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        try:
            with Path(self.path).open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # an empty file cannot be mapped
            raise CacheError(f"{self.path} cannot be read: {error}") from error
        self._view = memoryview(self._map)
        encoding, at = self._line(0)
        name, at = self._line(at)
        if encoding not in ("binary", "json"):
            raise CacheError(f"{self.path}: {encoding!r:.80} is no encoding of data")
        self.header = (encoding, name)
        reached = self._scan(at, first, last)
        if reached < part.end:
            raise CacheError(f"{self.path} ends at data index {reached}")

    def _line(self, at: int) -> tuple[str, int]:
        end = self._map.find(b"\n", at, at + LONGEST_LINE)
        if end < 0:
            raise CacheError(f"{self.path}: no line begins at byte {at}")
        try:
            return self._map[at:end].decode(), end + 1
        except UnicodeDecodeError as error:
            raise CacheError(f"{self.path}: byte {at} begins no text") from error

    def _scan(self, at: int, first: int | None, last: int | None) -> int:
        """Find the units from a byte on; return the last data index of them."""
        units = self._equal_units(at)
        if units is None:
            units = self._units(at)
        starts, ends, begins, lengths = units
        before = -1
        for start, end in zip(starts, ends, strict=True):
            if not before < start <= end:
                raise CacheError(
                    f"{self.path}: the unit from {start} to {end} cannot follow index {before}"
                )
            before = end
        if first is not None or last is not None:
            low, high = first or 0, before if last is None else last
            kept = [start >= low and end <= high for start, end in zip(starts, ends, strict=True)]
            starts, ends, begins, lengths = (
                list(compress(numbers, kept)) for numbers in (starts, ends, begins, lengths)
            )
        view = self._view
        self.starts, self.ends = starts, ends
        self.places = [(view, b, b + n - 1) for b, n in zip(begins, lengths, strict=True)]
        return before

    def _equal_units(self, at: int) -> _Found | None:
        """Find units that all take as many bytes as the first: an expression does that at once.

        Returns None if they do not.
        """
        head = _HEAD.match(self._map, at)
        if head is None:
            return None
        length = head[3]
        size = int(length)
        if not 1 <= size <= LONGEST_EQUAL:
            return None
        unit = re.compile(rb"(\d{1,18}) (\d{1,18}) %b\n(?s:.{%d})\n" % (length, size - 1))
        texts = unit.findall(self._map, at)
        heads = [len(start) + len(end) for start, end in texts]
        fixed = len(length) + 3
        if sum(heads) + len(texts) * (fixed + size) != len(self._map) - at:
            return None  # something in between is none, so that what was found may be anything
        begins = list(accumulate([n + fixed + size for n in heads], initial=at))
        begins.pop()
        begins = [b + n + fixed for b, n in zip(begins, heads, strict=True)]
        starts, ends = [int(a) for a, _ in texts], [int(b) for _, b in texts]
        return starts, ends, begins, [size] * len(texts)

    def _units(self, at: int) -> _Found:
        """Find units one after the other."""
        find, data, size = self._map.find, self._map, len(self._map)
        starts, ends, begins, lengths = [], [], [], []
        while at < size:
            line_end = find(b"\n", at, at + LONGEST_LINE)
            try:
                start, end, length = map(int, data[at:line_end].split(b" "))
            except ValueError:
                raise self._broken(at) from None
            begin = line_end + 1
            at = begin + length
            if length < 1 or at > size or data[at - 1] != NEWLINE:
                raise self._broken(line_end)
            starts.append(start)
            ends.append(end)
            begins.append(begin)
            lengths.append(length)
        return starts, ends, begins, lengths

    def _broken(self, at: int) -> CacheError:
        return CacheError(
            f"{self.path}: no unit of data before byte {at}: a line with start, end and number "
            "of bytes, then as many of these, and a line end"
        )
