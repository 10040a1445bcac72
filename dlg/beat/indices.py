"""Data indices: which intervals units of data cover, how intervals are mixed and divided.

Each unit of data covers an interval [start, end] of integers, both ends included. Inputs of one
channel are synchronized by these, and the work of a block is divided by them. Everything here is
linear in the number of units (sorting apart).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["foundSplitRanges", "intervals_of_columns", "mixDataIndices"]

Interval = tuple[int, int]


def mixDataIndices(list_of_data_indices: Sequence[Sequence[Interval]]) -> list[Interval]:
    """Return the intervals in which no input changes.

    They go from the last of the first starts to the first of the last ends, and are cut behind
    every index at which an interval ends in any of the lists. Nothing is left if one is empty.
    """
    lists = list_of_data_indices
    if not lists or not all(lists):
        return []
    start = max(intervals[0][0] for intervals in lists)
    last = min(intervals[-1][1] for intervals in lists)
    ends = {end for intervals in lists for _, end in intervals if start <= end < last}
    mixed = []
    for end in [*sorted(ends), last] if start <= last else ():
        mixed.append((start, end))
        start = end + 1
    return mixed


def foundSplitRanges(lst: Sequence[Sequence[int]], n_split: int) -> list[Interval]:
    """Return up to `n_split` ranges, each of which cuts no unit of any input.

    Each input is given by the starts of its units and, last, the index behind its end. A range
    ends at the first boundary that all inputs share at which it has its part of the whole, so
    that there may be fewer ranges than asked for; there is none if an input is empty.
    """
    if not lst or not all(lst) or n_split < 1:
        return []
    common = sorted(set(lst[0]).intersection(*lst[1:]))
    if len(common) < 2:  # noqa: PLR2004  (a range has two ends)
        return []
    share = common[-1] / n_split
    ranges: list[Interval] = []
    start = common[0]
    for boundary in common[1:]:
        if boundary >= (len(ranges) + 1) * share:
            ranges.append((start, boundary - 1))
            start = boundary
    return ranges


def intervals_of(values: Iterable[Any]) -> list[Interval]:
    """Return the intervals of rows that follow one another and have equal values."""
    intervals: list[Interval] = []
    start, last = 0, -1
    before: Any = None
    for index, value in enumerate(values):
        if index and value != before:
            intervals.append((start, last))
            start = index
        before, last = value, index
    if last >= 0:
        intervals.append((start, last))
    return intervals


def intervals_of_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Interval]]:
    """Return the intervals of each column of a table, in the order of the columns."""
    if not rows:
        return {}
    return {name: intervals_of(row[name] for row in rows) for name in rows[0]}


def boundaries(intervals: Sequence[Interval]) -> list[int]:
    """Return the starts of intervals and the index behind the last: what is divided."""
    return [*(start for start, _ in intervals), intervals[-1][1] + 1] if intervals else []
