"""Bins of maps, and what values are called there."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg_engine.tasks import values
from dlg_engine.tasks.pages.axes import BINS, bins, label

LEAST = st.floats(0.001, 1e6)
WIDTH = st.floats(1.001, 1e6)


@pytest.mark.parametrize("log", [False, True])
@given(least=LEAST, ratio=WIDTH)
def test_bins_go_upwards_from_the_least_to_the_most(log: bool, least: float, ratio: float) -> None:
    edges = bins(least, least * ratio, log=log)
    assert (edges[0], edges[-1], len(edges)) == (least, least * ratio, BINS + 1)
    assert all(a < b for a, b in itertools.pairwise(edges))


@pytest.mark.parametrize(("least", "log"), [(1e-300, True), (-1e308, False)])
def test_bins_of_numbers_as_far_apart_as_can_be_have_edges(least: float, log: bool) -> None:
    edges = bins(least, 1e308, log=log)
    assert all(math.isfinite(a) and a < b for a, b in itertools.pairwise(edges))


def test_bins_of_equal_ratios_span_decades_evenly() -> None:
    assert bins(1, 10_000, log=True, count=4) == pytest.approx([1, 10, 100, 1000, 10_000])
    assert bins(0, 8, log=False, count=4) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(
    ("value", "shown"),
    [("red", "red"), (7, "7"), (True, "true"), (None, "null"), ([1, 2], "[1, 2]"),
     ("x" * 100, "x" * 60 + "...")],
)  # fmt: skip
def test_values_are_written_as_people_write_them(value: object, shown: str) -> None:
    assert label(values.encode("any", value)) == shown
