"""Calls of functions of an object, and what comes of them as a value."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from dlg.support.calls import call


class Things:
    def fine(self, retry: int, x: int) -> tuple[int, int]:
        return retry, x

    def bad(self, retry: int) -> None:
        raise LookupError("nowhere")

    def interrupted(self, retry: int) -> None:
        raise KeyboardInterrupt


def test_a_call_that_succeeds_has_a_value_and_no_kind_of_error() -> None:
    called = call(Things(), "fine", 2, {"x": 5})
    assert (called.value, called.kind, called.error) == ((2, 5), "", "")
    assert called.begun > 0
    assert called.seconds >= 0


def test_a_call_that_fails_says_with_what_and_where_and_can_travel() -> None:
    called = pickle.loads(pickle.dumps(call(Things(), "bad", 1, {})))
    assert (called.value, called.kind, called.error) == (None, "LookupError", "nowhere")
    assert "def bad" not in called.traceback
    assert "test_calls.py" in called.traceback


def test_an_interrupt_is_not_the_failure_of_a_call() -> None:
    with pytest.raises(KeyboardInterrupt):
        call(Things(), "interrupted", 1, {})


def test_an_interrupt_that_a_thread_makes_itself_is_a_failure() -> None:
    with ThreadPoolExecutor(1) as pool:
        called = pool.submit(call, Things(), "interrupted", 1, {}).result(30)
    assert called.kind == "KeyboardInterrupt"
