from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlg_engine.daemon.patience import Deaths, Patience

RULE = Patience(first_pause_s=1, longest_pause_s=5, most_deaths=4, long_life_s=60)


def test_pauses_double_up_to_the_longest_and_then_there_is_no_other_start() -> None:
    deaths = Deaths(RULE)
    assert [deaths.after(0.1) for _ in range(6)] == [1, 2, 4, 5, None, None]


def test_whoever_has_lived_long_is_counted_from_the_beginning() -> None:
    deaths = Deaths(RULE)
    for _ in range(4):
        deaths.after(59.9)
    assert deaths.after(60) == 1
    assert deaths.after(0) == 2


@given(st.lists(st.floats(0, 200), max_size=30))
def test_no_pause_is_longer_than_said_and_none_is_none(lives: list[float]) -> None:
    deaths = Deaths(RULE)
    pauses = [deaths.after(lived) for lived in lives]
    assert all(pause is None or 1 <= pause <= 5 for pause in pauses)
    for lived, pause in zip(lives, pauses, strict=True):
        assert lived < 60 or pause == 1
