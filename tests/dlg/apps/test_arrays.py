"""Apps that make and average arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlg.apps.arrays import AverageArraysApp, RandomArrayApp
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.app_contract import AppContract, filled, run


class TestRandomArray(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = RandomArrayApp("random", **parameters)
        app.addOutput(InMemoryDROP("out"))
        return app


class TestAverageArrays(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        return averaging([np.ones(3), np.zeros(3)], **parameters)


def averaging(arrays: list[Any], **parameters: Any) -> AverageArraysApp:
    app = AverageArraysApp("average", **parameters)
    app.addOutput(InMemoryDROP("out"))
    for place, array in enumerate(arrays):
        app.addInput(filled(f"in{place}", array))
    return app


def made(uid: str = "random", **parameters: Any) -> Any:
    app, out = RandomArrayApp(uid, **parameters), InMemoryDROP("out")
    app.addOutput(out)
    run(app)
    return out.load()


def test_numbers_are_as_many_as_asked_for_and_within_bounds() -> None:
    array = made(size=1000, low=5, high=7)
    assert array.shape == (1000,)
    assert set(array.tolist()) == {5, 6}


def test_numbers_need_not_be_integers() -> None:
    array = made(integer="False", low=0.25, high=0.5)
    assert ((array >= 0.25) & (array < 0.5)).all()
    assert array.dtype == np.float64


def test_a_seed_makes_the_same_numbers_again() -> None:
    assert np.array_equal(made(seed=3), made(seed=3))
    assert not np.array_equal(made(seed=3), made(seed=4))
    assert not np.array_equal(made("random", seed=3), made("another", seed=3))


def test_the_app_keeps_the_array_on_request() -> None:
    app, out = RandomArrayApp("random", keep_array=True), InMemoryDROP("out")
    app.addOutput(out)
    run(app)
    assert app.marray is out.load()


def test_without_an_output_there_is_nothing_to_do() -> None:
    app = RandomArrayApp("random")
    run(app)
    assert "at least one output" in str(app.failure)


@pytest.mark.parametrize(("method", "expected"), [("mean", [3.0, 2.0]), ("median", [2.0, 1.0])])
def test_averages_are_element_by_element(method: str, expected: list[float]) -> None:
    app = averaging([[1, 1], [2, 1], [6, 4]], method=method)
    run(app)
    assert app.outputs[0].load().tolist() == expected


def test_an_unknown_method_is_refused_with_those_there_are() -> None:
    app = averaging([[1]], method="mode")
    run(app)
    assert "one of mean, median, not 'mode'" in str(app.failure)


def test_arrays_of_different_shapes_are_refused() -> None:
    app = averaging([np.ones(2), np.ones(3)])
    run(app)
    assert "(2,), (3,)" in str(app.failure)


def test_arrays_that_failed_to_come_are_left_out() -> None:
    app = averaging([[1, 1], [3, 3]], input_error_threshold=50)
    missing = InMemoryDROP("missing")
    app.addInput(missing)
    missing.setError(OSError("lost"))
    run(app)
    assert app.outputs[0].load().tolist() == [2.0, 2.0]
