"""A graph in parts: where it is cut, in which order parts go, which are urgent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlg.graph.walk import rows_on_cycles
from dlg_engine.backends.parts import GRADES, Cut, cut, in_depth, urgency

Rows = list[list[int]]


@st.composite
def befores(draw: st.DrawFn) -> Rows:
    """Return what each of some apps waits for."""
    count = draw(st.integers(1, 30))
    return [
        sorted(draw(st.sets(st.integers(0, n - 1), max_size=3))) if n else [] for n in range(count)
    ]


def of_apps(before: Rows, enough: int = 0) -> Cut:
    everywhere = [True] * len(before)
    return cut(before, everywhere, everywhere, enough=enough)


@given(befores(), st.integers(0, 3))
def test_parts_are_all_there_once_and_wait_for_no_circle(before: Rows, enough: int) -> None:
    found = of_apps(before, enough)
    assert sorted(row for rows in found.rows for row in rows) == list(range(len(before)))
    assert not rows_on_cycles(found.after, found.before)


@given(befores(), st.data())
def test_in_depth_each_comes_after_those_it_waits_for(before: Rows, data: st.DataObject) -> None:
    found = of_apps(before)
    parts = range(len(found.rows))
    chosen = data.draw(st.sets(st.sampled_from(list(parts))))
    order = in_depth(found, chosen)
    assert sorted(order) == sorted(chosen)
    place = {part: k for k, part in enumerate(order)}
    assert all(place[b] < place[p] for p in order for b in found.before[p] if b in place)


def test_what_a_part_makes_possible_comes_next() -> None:
    pairs = Cut([[n] for n in range(4)], [0, 1, 2, 3], [[2], [3], [], []], [[], [], [0], [1]])
    assert in_depth(pairs, range(4)) == [0, 2, 1, 3]


def test_a_row_of_very_many_is_not_one() -> None:
    found = of_apps([[n - 1] if n else [] for n in range(250)])
    assert [len(rows) for rows in found.rows] == [100, 100, 50]


def test_many_that_begin_at_the_same_moment_are_fewer_but_enough() -> None:
    before = [[], *([0] for _ in range(100))]
    assert len(of_apps(before).rows) == 101
    assert len(of_apps(before, enough=20).rows) == 1 + 20
    assert len(of_apps(before, enough=101).rows) == 101


@given(befores())
def test_all_of_the_longest_way_is_most_urgent(before: Rows) -> None:
    found = of_apps(before)
    grades = urgency(found, [float(len(rows)) for rows in found.rows])
    assert max(grades) == GRADES
    assert all(0 <= grade <= GRADES for grade in grades)
    first = [n for n, earlier in enumerate(found.before) if not earlier]
    assert any(grades[n] == GRADES for n in first)


def test_a_short_way_beside_a_long_one_is_less_urgent() -> None:
    found = of_apps([[], [0], [1], [2], [0], [3, 4]])
    long, short = found.part_of[1], found.part_of[4]
    grades = urgency(found, [float(len(rows)) for rows in found.rows])
    assert grades[short] < grades[long] == GRADES
