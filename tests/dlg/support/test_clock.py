"""Tests of dlg.support.clock."""

from __future__ import annotations

import time

import pytest

from dlg.support import clock
from dlg.support.clock import ManualClock


def test_now_is_the_time_of_the_system() -> None:
    before = time.time()
    assert before <= clock.now() <= time.time()


def test_monotonic_does_not_go_back() -> None:
    assert clock.monotonic() <= clock.monotonic()


def test_a_manual_clock_moves_by_what_is_slept_and_takes_no_time() -> None:
    started = time.monotonic()
    with clock.replaced(ManualClock(start=100.0)):
        clock.sleep(3600)
        assert (clock.now(), clock.monotonic()) == (3700.0, 3600.0)
    assert time.monotonic() - started < 60


def test_the_old_clock_comes_back_also_after_an_error() -> None:
    with pytest.raises(KeyError), clock.replaced(ManualClock()):
        raise KeyError
    assert clock.now() > 1e9


def test_a_manual_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="backwards"):
        ManualClock().sleep(-1)


def test_the_clock_of_the_system_sleeps() -> None:
    before = clock.monotonic()
    clock.sleep(0.001)
    assert clock.monotonic() - before >= 0.001
