"""How intervals of data indices are mixed and divided."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.indices import (
    Interval,
    boundaries,
    foundSplitRanges,
    intervals_of,
    intervals_of_columns,
    mixDataIndices,
)

VECTORS = json.loads((Path(__file__).parent / "vectors" / "indices.json").read_text())


def _covering(length: int) -> st.SearchStrategy[list[Interval]]:
    """Return intervals that cover 0 to `length` - 1."""
    cuts = st.sets(st.integers(1, length - 1)) if length > 1 else st.just(set())
    return cuts.map(lambda c: [(a, b - 1) for a, b in itertools.pairwise([0, *sorted(c), length])])


several = st.integers(1, 30).flatmap(lambda n: st.lists(_covering(n), min_size=1, max_size=4))


@pytest.mark.parametrize("number", range(len(VECTORS["mix"])))
def test_intervals_are_mixed_as_in_the_existing_packages(number: int) -> None:
    lists, expected = VECTORS["mix"][number]
    mixed = [list(interval) for interval in mixDataIndices(lists)]
    # Where they fail because an input is empty, there is nothing to mix.
    assert mixed == ([] if isinstance(expected, dict) else expected)


@pytest.mark.parametrize("number", range(len(VECTORS["split"])))
def test_ranges_are_those_of_the_existing_packages(number: int) -> None:
    lists, count, expected = VECTORS["split"][number]
    assert [list(found) for found in foundSplitRanges(lists, count)] == expected


@given(several)
def test_mixed_intervals_follow_one_another_and_cut_where_anything_changes(
    lists: list[list[Interval]],
) -> None:
    mixed = mixDataIndices(lists)
    assert mixed[0][0] == 0
    assert all(b[0] == a[1] + 1 for a, b in itertools.pairwise(mixed))
    assert {end for _, end in mixed} == {end for units in lists for _, end in units}


@given(several)
def test_mixing_what_was_mixed_changes_nothing(lists: list[list[Interval]]) -> None:
    mixed = mixDataIndices(lists)
    assert mixDataIndices([mixed]) == mixed
    assert mixDataIndices([*lists, mixed]) == mixed


@given(several, st.integers(1, 8))
def test_ranges_cover_all_without_overlapping_or_cutting_a_unit(
    lists: list[list[Interval]], count: int
) -> None:
    ranges = foundSplitRanges([boundaries(units) for units in lists], count)
    assert 1 <= len(ranges) <= count
    assert ranges[0][0] == 0
    assert ranges[-1][1] == lists[0][-1][1]
    assert all(b[0] == a[1] + 1 for a, b in itertools.pairwise(ranges))
    for start, end in ranges:
        assert all(
            any(a == start for a, _ in units) and any(b == end for _, b in units)
            for units in lists
        )


@pytest.mark.parametrize("lists", [[], [[]], [[0, 3], []], [[0]]])
def test_there_are_no_ranges_where_there_are_no_units(lists: list[list[int]]) -> None:
    assert foundSplitRanges(lists, 3) == []
    assert foundSplitRanges([[0, 3]], 0) == []


@given(st.lists(st.integers(0, 2)))
def test_equal_neighbours_are_one_interval(values: list[int]) -> None:
    expected = [list(group) for _, group in itertools.groupby(enumerate(values), lambda p: p[1])]
    assert intervals_of(values) == [(group[0][0], group[-1][0]) for group in expected]


def test_columns_keep_their_order() -> None:
    rows: list[dict[str, Any]] = [{"b": 1, "a": [0]}, {"b": 1, "a": [1]}]
    assert list(intervals_of_columns(rows).items()) == [("b", [(0, 1)]), ("a", [(0, 0), (1, 1)])]
    assert intervals_of_columns([]) == {}
