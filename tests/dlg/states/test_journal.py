from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import UnexpectedEventError
from dlg.states.flow import Flow
from dlg.states.journal import Bell, Change, Journal, RecordedFlow, pack, unpack
from dlg.states.steps import APP

EVENTS = ("finish", "fail", "skip", "cancel", "write", "complete", "expire", "delete", "claim")


def chain(length: int, journal: Journal) -> RecordedFlow:
    """Data and apps in turn."""
    ticks = iter(range(10**6))
    traits = bytearray([0, APP] * length)
    after: list[Sequence[int]] = [(i + 1,) for i in range(2 * length - 1)]
    before: list[Sequence[int]] = [(i,) for i in range(2 * length - 1)]
    return RecordedFlow(
        traits, [*after, ()], [(), *before], journal=journal, now=lambda: float(next(ticks))
    )


def do(flow: Flow, event: str, row: int) -> None:
    is_app = bool(flow.traits[row] & APP)
    args: tuple[Any, ...] = (row, ValueError("cloudy")) if event == "fail" else (row,)
    if is_app == (event in {"finish", "claim"}) or event in {"fail", "skip", "cancel"}:
        try:
            getattr(flow, event)(*args)
        except UnexpectedEventError:
            return


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 9)), max_size=60))
def test_the_changes_played_again_give_the_states(events: list[tuple[str, int]]) -> None:
    journal = Journal()
    flow = chain(5, journal)
    for event, row in events:
        do(flow, event, row)
    status, ran = bytearray(10), bytearray(10)
    for change in journal.since(0):
        assert (status[change.row], ran[change.row]) != (change.status, change.exec_status)
        status[change.row] = change.status
        ran[change.row] = change.exec_status or 0
    assert (status, ran) == (flow.status, flow.exec_status)
    assert [change.time_s for change in journal.since(0)] == sorted(journal.times)


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 9)), max_size=60))
def test_a_flow_that_is_recorded_does_the_same(events: list[tuple[str, int]]) -> None:
    recorded = chain(5, Journal())
    plain = Flow(bytearray(recorded.traits), recorded.after, recorded.before)
    for event, row in events:
        do(recorded, event, row)
        do(plain, event, row)
    assert (recorded.status, recorded.exec_status) == (plain.status, plain.exec_status)
    assert list(recorded.ready) == list(plain.ready)


@given(st.integers(0, 2**40), st.integers(0, 254), st.none() | st.integers(0, 254))
def test_a_change_is_one_number(row: int, status: int, ran: int | None) -> None:
    packed = pack(row, status) if ran is None else pack(row, status, ran)
    assert unpack(packed, 1.5) == Change(row, status, ran, 1.5)


@given(st.lists(st.integers(0, 20)), st.integers(0, 20), st.integers(1, 20))
def test_what_is_new_since_a_version_is_what_came_after_it(
    rows: list[int], since: int, most: int
) -> None:
    journal = Journal()
    journal.extend([pack(row, 2) for row in rows], [0.0] * len(rows))
    assert [change.row for change in journal.since(since, most)] == rows[since : since + most]
    assert journal.version == len(rows)


def test_rows_that_are_nobodys_business_are_not_recorded() -> None:
    journal = Journal()
    flow = chain(2, journal)
    flow.numbers = [-1, 0, 1, -1]
    flow.complete(0)
    flow.claim(1)
    flow.finish(1)
    assert [(change.row, change.status) for change in journal.since(0)] == [(0, 0), (0, 2), (1, 2)]


def test_who_waits_is_called_once_at_the_next_change() -> None:
    journal = Journal()
    flow = chain(2, journal)
    calls: list[int] = []
    journal.bell.when(lambda: calls.append(journal.version), lambda: journal.version > 0)
    assert calls == []
    flow.complete(0)
    flow.claim(1)
    assert calls == [1]


def test_who_comes_too_late_for_a_change_is_called_at_once() -> None:
    journal = Journal()
    chain(1, journal).complete(0)
    calls: list[int] = []
    journal.bell.when(lambda: calls.append(1), lambda: journal.version > 0)
    assert calls == [1]


def test_a_change_does_not_call_who_waits_for_a_step() -> None:
    bell, calls = Bell(), list[str]()
    bell.when(lambda: calls.append("step"), lambda: False, steps_only=True)
    bell.when(lambda: calls.append("any"), lambda: False)
    bell.ring()
    assert calls == ["any"]
    bell.step()
    assert calls == ["any", "step"]
    assert bell.steps == 1


def test_who_has_gone_is_not_called() -> None:
    bell, calls = Bell(), list[int]()

    def call() -> None:
        calls.append(1)

    bell.when(call, lambda: False)
    bell.forget(call)
    bell.forget(call)
    bell.ring()
    assert calls == []


def _after(journal: Journal, known: int) -> list[int]:
    """Wait for more than `known` changes; return the rows of those that are new."""
    woken = threading.Event()
    journal.bell.when(woken.set, lambda: journal.version > known)
    assert woken.wait(30)
    return [change.row for change in journal.since(known)]


@pytest.mark.parametrize("changes", [2_000])
def test_no_change_is_missed_while_others_make_them(changes: int) -> None:
    journal = Journal()

    def make() -> None:
        for i in range(changes):
            journal.extend([pack(i, 2)], [float(i)])

    maker = threading.Thread(target=make)
    maker.start()
    seen: list[int] = []
    while len(seen) < changes:
        seen += _after(journal, len(seen))
    maker.join()
    assert seen == list(range(changes))
