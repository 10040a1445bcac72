"""Waiting until drops have ended."""

from __future__ import annotations

import threading
import unittest

import pytest

from dlg.apps.null import NullBarrierApp
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates
from dlg.drops.waiting import DROPWaiterCtx, EvtConsumer
from dlg.event import Event


def _chain() -> tuple[InMemoryDROP, NullBarrierApp, InMemoryDROP]:
    a, b, c = InMemoryDROP("a", "a"), NullBarrierApp("b", "b"), InMemoryDROP("c", "c")
    b.addInput(a)
    b.addOutput(c)
    return a, b, c


def test_the_block_ends_when_the_drop_has_completed() -> None:
    a, _, c = _chain()
    with DROPWaiterCtx(None, c, 5):
        a.write(b"x")
        a.setCompleted()
    assert c.status is DROPStates.COMPLETED


def test_all_drops_of_a_list_are_waited_for() -> None:
    a, b, c = _chain()
    with DROPWaiterCtx(None, [c, b, a], timeout=5):
        a.setCompleted()
    assert {drop.status for drop in (a, b, c)} == {DROPStates.COMPLETED}


def test_a_drop_that_fails_is_not_waited_for_any_longer() -> None:
    a, _, c = _chain()
    with DROPWaiterCtx(None, c, 5):
        a.setError()
    assert c.status is DROPStates.ERROR


def test_a_drop_that_had_ended_before_is_not_waited_for() -> None:
    drop = InMemoryDROP("a", "a")
    drop.setCompleted()
    with DROPWaiterCtx(None, drop, 5, [DROPStates.COMPLETED]):
        pass
    assert drop.status is DROPStates.COMPLETED


def test_only_the_expected_ends_count() -> None:
    drop = InMemoryDROP("a", "a")
    with (
        pytest.raises(AssertionError, match=r"drop a is COMPLETED after 0.01 s, not ERROR"),
        DROPWaiterCtx(None, drop, 0.01, [DROPStates.ERROR]),
    ):
        drop.setCompleted()


def test_waiting_in_vain_names_the_drop_and_its_state() -> None:
    with (
        pytest.raises(AssertionError, match=r"drop a is INITIALIZED after 0.01 s, not over"),
        DROPWaiterCtx(None, InMemoryDROP("a", "a"), 0.01),
    ):
        pass


def test_waiting_in_vain_fails_the_test_case_in_its_own_way() -> None:
    class OwnError(Exception):
        pass

    case = unittest.TestCase()
    case.failureException = OwnError
    with pytest.raises(OwnError), DROPWaiterCtx(case, InMemoryDROP("a", "a"), 0.01):
        pass


def test_an_error_in_the_block_comes_out_without_any_waiting() -> None:
    with (
        pytest.raises(KeyError, match="mine"),
        DROPWaiterCtx(None, InMemoryDROP("a", "a"), timeout=1000),
    ):
        raise KeyError("mine")


def test_a_waiter_leaves_no_listener_behind() -> None:
    drop = InMemoryDROP("a", "a")
    with DROPWaiterCtx(None, drop, 5):
        drop.setCompleted()
    assert drop._listeners == {"dropCompleted": []}


def test_a_consumer_sets_its_event_at_the_end_of_a_drop() -> None:
    drop, told = InMemoryDROP("a", "a"), threading.Event()
    drop.addConsumer(EvtConsumer(told))
    drop.write(b"x")
    assert not told.is_set()
    drop.setCompleted()
    assert told.wait(5)


def test_a_consumer_ignores_ends_that_are_not_expected() -> None:
    told = threading.Event()
    consumer = EvtConsumer(told, [DROPStates.COMPLETED])
    consumer.dropCompleted("a", DROPStates.ERROR)
    assert not told.is_set()
    consumer.dropCompleted("a", DROPStates.COMPLETED)
    assert told.is_set()


def test_a_consumer_ignores_events_that_are_no_end() -> None:
    told = threading.Event()
    EvtConsumer(told).handleEvent(Event("open"))
    assert not told.is_set()


def test_a_consumer_that_waits_does_not_become_part_of_the_graph() -> None:
    drop = InMemoryDROP("a", "a")
    drop.addConsumer(EvtConsumer(threading.Event()))
    assert drop.consumers == []
