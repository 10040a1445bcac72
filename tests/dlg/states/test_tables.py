"""The tables of data drops, app drops and the firing rule, row by row and as laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.ddap_protocol import AppDROPStates as X
from dlg.ddap_protocol import DROPStates as S
from dlg.exceptions import UnexpectedEventError
from dlg.states import app_drop, data_drop
from dlg.states.firing import Decision, FiringOptions, Tally, decide, outcome

OVER = [s for s in S if s not in data_drop.OPEN]


@pytest.mark.parametrize("state", OVER, ids=lambda s: s.name)
def test_a_drop_that_is_over_takes_no_more_data(state: S) -> None:
    with pytest.raises(UnexpectedEventError, match="cannot follow"):
        data_drop.step(state, data_drop.Event.WRITE)


@pytest.mark.parametrize("state", [s for s in S if s is not S.COMPLETED], ids=lambda s: s.name)
def test_only_complete_data_expires_for_the_first_time(state: S) -> None:
    if state is S.EXPIRED:
        assert data_drop.step(state, data_drop.Event.EXPIRE) is S.EXPIRED
    else:
        with pytest.raises(UnexpectedEventError):
            data_drop.step(state, data_drop.Event.EXPIRE)


@given(st.lists(st.sampled_from(data_drop.Event)))
def test_data_never_becomes_open_again_once_it_is_over(events: list[data_drop.Event]) -> None:
    state, over = S.INITIALIZED, False
    for event in events:
        if (state, event) in data_drop.TABLE:
            state = data_drop.step(state, event)
        assert not (over and state in data_drop.OPEN)
        over = state not in data_drop.OPEN


@given(st.lists(st.sampled_from(app_drop.Event)))
def test_an_app_that_was_cancelled_or_skipped_stays_so(events: list[app_drop.Event]) -> None:
    state, final = X.NOT_RUN, None
    for event in events:
        if (state, event) in app_drop.TABLE:
            state = app_drop.step(state, event)
        assert final is None or state is final
        if state in {X.CANCELLED, X.SKIPPED}:
            final = state


def test_an_app_runs_once() -> None:
    with pytest.raises(UnexpectedEventError, match="run cannot follow FINISHED"):
        app_drop.step(X.FINISHED, app_drop.Event.RUN)


@pytest.mark.parametrize(
    ("errors", "threshold", "expected"),
    [
        (1, 50, Decision.RUN),
        (1, 49, Decision.FAIL),
        (2, 99, Decision.FAIL),
        (2, 100, Decision.RUN),
    ],
)
def test_an_app_bears_as_many_errors_as_its_threshold_says(
    errors: int, threshold: int, expected: Decision
) -> None:
    options = FiringOptions(input_error_threshold=threshold)
    assert decide(2, 2, Tally(errors=errors), options) is expected


def test_the_share_of_errors_is_rounded_down() -> None:
    options = FiringOptions(input_error_threshold=33)
    assert decide(3, 3, Tally(errors=1), options) is Decision.RUN


def test_an_app_waits_until_enough_inputs_have_ended() -> None:
    assert decide(1, 2, Tally(errors=1), FiringOptions()) is Decision.WAIT


def test_an_app_whose_inputs_were_only_cancelled_is_cancelled() -> None:
    assert decide(2, 2, Tally(cancelled=1), FiringOptions()) is Decision.CANCEL
    assert decide(2, 2, Tally(cancelled=1, errors=1), FiringOptions()) is Decision.FAIL


@pytest.mark.parametrize(("block", "expected"), [(False, Decision.SKIP), (True, Decision.RUN)])
def test_one_skipped_input_of_two_skips_the_app_unless_skips_are_blocked(
    block: bool, expected: Decision
) -> None:
    assert decide(2, 2, Tally(skipped=1), FiringOptions(block_skip=block)) is expected


def test_blocked_skips_pass_once_all_inputs_are_skipped() -> None:
    options = FiringOptions(block_skip=True)
    assert decide(2, 2, Tally(skipped=2), options) is Decision.SKIP


def test_data_is_in_error_if_any_producer_is() -> None:
    assert outcome(3, Tally(errors=1, skipped=2), FiringOptions()) is S.ERROR


@given(
    errors=st.integers(0, 5), cancelled=st.integers(0, 5), skipped=st.integers(0, 5),
    good=st.integers(0, 5), threshold=st.integers(0, 100), block=st.booleans(),
)  # fmt: skip
def test_an_app_without_bad_inputs_runs_whatever_its_options(
    errors: int, cancelled: int, skipped: int, good: int, threshold: int, block: bool
) -> None:
    total = errors + cancelled + skipped + good
    options = FiringOptions(input_error_threshold=threshold, block_skip=block)
    tally = Tally(errors=errors, cancelled=cancelled, skipped=skipped)
    decision = decide(total, max(total, 1), tally, options)
    if good == total and total:
        assert decision is Decision.RUN
    if decision is Decision.FAIL:
        assert errors
