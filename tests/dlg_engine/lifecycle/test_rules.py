from __future__ import annotations

import dataclasses
import math

from hypothesis import given
from hypothesis import strategies as st

from dlg.ddap_protocol import DROPStates as S
from dlg_engine.lifecycle.rules import Action, Facts, due, is_to_be_copied

TIMES = st.floats(min_value=0, max_value=1e9)
FACTS = st.builds(
    Facts,
    status=st.sampled_from(S),
    date=TIMES | st.just(math.inf),
    in_use=st.booleans(),
    there=st.booleans(),
    volatile=st.booleans(),
    to_be_copied=st.booleans(),
    copied=st.booleans(),
    session_deleted=st.booleans(),
)
REMOVES = {Action.EXPIRE, Action.DELETE}


def test_data_waits_for_its_date_and_expires_then() -> None:
    facts = Facts(status=S.COMPLETED, date=10)
    assert (due(facts, 9.9), due(facts, 10)) == (Action.WAIT, Action.EXPIRE)


def test_what_is_in_use_at_its_date_is_held() -> None:
    assert due(Facts(status=S.COMPLETED, date=10, in_use=True), 11) is Action.HOLD


def test_what_could_not_be_deleted_is_to_be_deleted_still() -> None:
    assert due(Facts(status=S.EXPIRED, date=10), 11) is Action.DELETE


def test_what_has_vanished_is_brought_back_if_there_is_a_copy() -> None:
    gone = Facts(status=S.COMPLETED, there=False)
    assert due(gone, 0) is Action.LOSE
    assert due(dataclasses.replace(gone, copied=True), 0) is Action.RESTORE


def test_what_is_to_last_is_copied_once() -> None:
    facts = Facts(status=S.COMPLETED, to_be_copied=True)
    assert due(facts, 0) is Action.COPY
    assert due(dataclasses.replace(facts, copied=True), 0) is Action.NOTHING


def test_with_its_session_goes_what_is_in_memory_only() -> None:
    facts = Facts(status=S.COMPLETED, session_deleted=True)
    assert due(facts, 0) is Action.NOTHING
    assert due(dataclasses.replace(facts, volatile=True), 0) is Action.DELETE


def test_only_what_persists_for_ever_is_copied() -> None:
    assert is_to_be_copied(replicating=True, persists=True, lifespan_s=math.inf)
    assert not is_to_be_copied(replicating=False, persists=True, lifespan_s=math.inf)
    assert not is_to_be_copied(replicating=True, persists=False, lifespan_s=math.inf)
    assert not is_to_be_copied(replicating=True, persists=True, lifespan_s=60)


@given(FACTS, TIMES)
def test_nothing_without_a_date_goes_before_its_session(facts: Facts, now: float) -> None:
    result = dataclasses.replace(facts, date=math.inf, session_deleted=False)
    if result.status is not S.EXPIRED:
        assert due(result, now) not in REMOVES


@given(FACTS, TIMES)
def test_nothing_goes_before_its_date(facts: Facts, now: float) -> None:
    lives = dataclasses.replace(facts, session_deleted=False)
    if now < facts.date and facts.status is not S.EXPIRED:
        assert due(lives, now) not in REMOVES


@given(FACTS, TIMES)
def test_nothing_expires_while_it_is_used(facts: Facts, now: float) -> None:
    assert due(dataclasses.replace(facts, in_use=True), now) is not Action.EXPIRE


@given(FACTS, TIMES, TIMES)
def test_what_has_to_expire_still_has_to_later(facts: Facts, now: float, later: float) -> None:
    if due(facts, now) is Action.EXPIRE:
        assert due(facts, now + later) is Action.EXPIRE


@given(FACTS, TIMES)
def test_only_complete_data_is_copied_brought_back_or_lost(facts: Facts, now: float) -> None:
    if due(facts, now) in {Action.COPY, Action.RESTORE, Action.LOSE, Action.EXPIRE}:
        assert facts.status is S.COMPLETED
