"""Apps that work on lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlg.apps.lists import ListAppendThrashingApp, PickOne
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.exceptions import InvalidDropException
from dlg.testing.app_contract import AppContract, filled, run


class TestPickOne(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        return picking([1, 2, 3], **parameters)


class TestThrashing(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = ListAppendThrashingApp("thrash", **parameters)
        app.addOutput(InMemoryDROP("out"))
        return app


def picking(values: Any, **parameters: Any) -> PickOne:
    app = PickOne("pick", **parameters)
    app.addInput(filled("in", values))
    app.addOutput(InMemoryDROP("first"))
    app.addOutput(InMemoryDROP("rest"))
    return app


def test_the_first_goes_one_way_and_the_rest_the_other() -> None:
    app = picking(["a", "b", "c"])
    run(app)
    assert [out.load() for out in app.outputs] == ["a", ["b", "c"]]


def test_arrays_are_picked_from_too() -> None:
    app = picking(np.arange(3))
    run(app)
    assert app.outputs[0].load() == 0
    assert app.outputs[1].load().tolist() == [1, 2]


@pytest.mark.parametrize("value", [[], 7])
def test_when_nothing_is_left_it_fails(value: Any) -> None:
    app = picking(value)
    run(app)
    assert isinstance(app.failure, InvalidDropException)
    assert "nothing left to pick from" in str(app.failure)


def test_more_than_one_input_is_refused() -> None:
    app = picking([1])
    app.addInput(filled("another", [2]))
    run(app)
    assert "needs one input" in str(app.failure)


def test_thrashing_makes_a_list_of_the_size_asked_for() -> None:
    app, out = ListAppendThrashingApp("thrash", size=1000), InMemoryDROP("out")
    app.addOutput(out)
    run(app)
    assert len(out.load()) == len(app.marray) == 1000
