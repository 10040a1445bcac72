"""What may happen to tasks and attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UnexpectedEventError
from dlg_engine.tasks.states import (
    ATTEMPTS,
    TABLES,
    UNFINISHED,
    UNSUCCESSFUL,
    AttemptState,
    Event,
    TaskState,
    step,
    verdict_of,
)


def test_an_attempt_goes_from_the_queue_to_being_passed() -> None:
    state = AttemptState.REGISTERED
    for event in (Event.QUEUE, Event.START, Event.FINISH, Event.ACCEPT):
        state = step(state, event)
    assert state is AttemptState.PASSED


@pytest.mark.parametrize("state", [*UNSUCCESSFUL, AttemptState.PASSED])
@pytest.mark.parametrize("event", Event)
def test_an_attempt_that_is_over_stays_as_it_is(state: AttemptState, event: Event) -> None:
    with pytest.raises(UnexpectedEventError, match=f"that is {state.value}"):
        step(state, event)


def test_a_failed_attempt_is_never_passed() -> None:
    for state in AttemptState:
        if ATTEMPTS.get((state, Event.ACCEPT)) is AttemptState.PASSED:
            assert state is AttemptState.JUDGING


def test_what_is_done_stays_done() -> None:
    for event in Event:
        with pytest.raises(UnexpectedEventError):
            step(TaskState.DONE, event)


@pytest.mark.parametrize("kind", TABLES)
def test_every_state_can_be_reached(kind: type[AttemptState]) -> None:
    reached = set(TABLES[kind].values())
    first = {AttemptState.REGISTERED, TaskState.WAITING}
    assert set(kind) - reached <= first


def test_every_unfinished_attempt_can_come_to_an_end() -> None:
    for state in UNFINISHED:
        ends = {after for (before, _), after in ATTEMPTS.items() if before is state}
        assert ends & {*UNSUCCESSFUL}


@given(st.lists(st.sampled_from([True, False, None])), st.sampled_from([True, False, None]))
def test_the_verdict_follows_from_those_on_the_products(
    products: list[bool | None], stated: bool | None
) -> None:
    verdict = verdict_of(products, stated)
    assert (verdict is False) == (False in products or stated is False)
    if verdict:
        assert all(products)
        assert products or stated
    if products and stated is not False and all(products):
        assert verdict is True
