from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlg_engine.lifecycle.agenda import Agenda

DATES = st.lists(st.integers(0, 20).map(float))


def test_putting_says_whether_it_is_the_next() -> None:
    agenda: Agenda[str] = Agenda()
    assert [agenda.put(date, "x") for date in (5.0, 7.0, 3.0)] == [True, False, True]
    assert agenda.next_date() == 3.0


def test_an_empty_agenda_has_no_date() -> None:
    agenda: Agenda[str] = Agenda()
    assert agenda.next_date() is None
    assert not agenda.take(1e9)


@given(DATES, st.integers(0, 20))
def test_what_is_due_comes_by_date_and_the_rest_stays(dates: list[float], now: int) -> None:
    agenda: Agenda[tuple[float, int]] = Agenda()
    for number, date in enumerate(dates):
        agenda.put(date, (date, number))
    taken = agenda.take(now)
    assert taken == sorted((date, n) for n, date in enumerate(dates) if date <= now)
    assert len(agenda) == len(dates) - len(taken)


@given(DATES, st.integers(0, 20))
def test_what_is_discarded_is_returned_and_never_comes(dates: list[float], edge: int) -> None:
    agenda: Agenda[float] = Agenda()
    for date in dates:
        agenda.put(date, date)
    gone = agenda.discard(lambda date: date < edge)
    assert sorted(date for date, _ in gone) == sorted(date for date in dates if date < edge)
    assert agenda.take(1e9) == sorted(date for date in dates if date >= edge)
