"""The tables of states: what can happen, and what cannot."""

from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UnexpectedEventError
from dlg_engine.scheduling.states import (
    TABLES,
    BlockState,
    Event,
    ExperimentState,
    JobState,
    SplitState,
    step,
)

FINAL = [
    JobState.COMPLETED, JobState.FAILED, JobState.SKIPPED, JobState.CANCELLED,
    SplitState.COMPLETED, SplitState.FAILED, SplitState.CANCELLED,
]  # fmt: skip


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_every_state_can_be_reached(kind: type[StrEnum]) -> None:
    first = next(iter(kind))
    assert {first, *TABLES[kind].values()} == set(kind)


@pytest.mark.parametrize("state", FINAL, ids=str)
@given(event=st.sampled_from(Event))
def test_what_is_over_stays_so(state: StrEnum, event: Event) -> None:
    with pytest.raises(UnexpectedEventError, match="cannot follow"):
        step(state, event)


def test_the_letters_are_those_of_the_existing_system() -> None:
    assert "".join(ExperimentState) == "PSRDFC"
    assert "".join(BlockState) == "NPCFL"


def test_a_refusal_names_what_and_which() -> None:
    with pytest.raises(
        UnexpectedEventError, match="starting cannot follow split 7 that is completed"
    ):
        step(SplitState.COMPLETED, Event.START, "7")


def test_a_split_that_is_being_cancelled_is_so_whatever_its_worker_says() -> None:
    for event in (Event.FINISH, Event.FAIL, Event.LOSE, Event.STOP):
        assert step(SplitState.CANCELLING, event) is SplitState.CANCELLED
