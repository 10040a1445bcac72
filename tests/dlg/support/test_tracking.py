"""Tests of dlg.support.tracking."""

from __future__ import annotations

import threading

import pytest

from dlg.support.tracking import object_tracking

tracked = object_tracking("drop")


class Drop:
    """Something whose methods are tracked."""

    def __init__(self, inner: Drop | None = None) -> None:
        self.inner = inner

    @tracked
    def run(self) -> list[object]:
        """Return who is running, then who is inside, then who is running again."""
        before = tracked.tlocal.drop
        inside = self.inner.run() if self.inner else []
        return [before, *inside, tracked.tlocal.drop]

    @tracked
    def fail(self) -> None:
        raise KeyError


def test_nested_calls_come_back_to_the_outer_object() -> None:
    inner = Drop()
    outer = Drop(inner)
    assert outer.run() == [outer, inner, inner, outer]


def test_after_the_method_nobody_is_running_also_if_it_failed() -> None:
    with pytest.raises(KeyError):
        Drop().fail()
    assert tracked.tlocal.drop is None


def test_threads_do_not_see_each_other() -> None:
    seen: list[object] = []
    with pytest.raises(KeyError):
        Drop().fail()
    thread = threading.Thread(target=lambda: seen.append(hasattr(tracked.tlocal, "drop")))
    thread.start()
    thread.join()
    assert seen == [False]


def test_the_method_keeps_its_name_and_docstring() -> None:
    assert Drop.run.__name__ == "run"
    assert (Drop.run.__doc__ or "").startswith("Return who")
