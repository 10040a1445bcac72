"""Apps that split a value over their outputs, and that bring values together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlg.apps import scatter_gather as sg
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.exceptions import InvalidDropException
from dlg.testing.app_contract import AppContract, filled, run


def linked(app: Any, inputs: list[Any], outputs: int = 1) -> Any:
    for place, value in enumerate(inputs):
        app.addInput(filled(f"in{place}", value))
    for place in range(outputs):
        app.addOutput(InMemoryDROP(f"out{place}"))
    return app


def results(app: Any) -> list[Any]:
    run(app)
    assert app.failure is None, app.failure
    return [out.value() for out in app.outputs]


class TestScatter(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        return linked(sg.GenericScatterApp("app", **parameters), [[1, 2, 3]], 2)  # type: ignore[no-any-return]


class TestNpyScatter(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = sg.GenericNpyScatterApp("app", num_of_copies=2, **parameters)
        return linked(app, [np.arange(4)], 2)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "cls", [sg.GenericGatherApp, sg.DictGatherApp, sg.ArrayGatherApp, sg.GenericNpyGatherApp]
)
class TestGathers:
    def test_it_keeps_the_contract(self, cls: type[BarrierAppDROP]) -> None:
        class Contract(AppContract):
            def make(self, **parameters: Any) -> BarrierAppDROP:
                inputs = [np.arange(3), np.arange(3)]
                return linked(cls("app", **parameters), inputs)  # type: ignore[no-any-return]

        contract = Contract()
        tests = [name for name in dir(contract) if name.startswith("test_")]
        for name in tests:
            getattr(contract, name)()
        assert len(tests) > 10


@pytest.mark.parametrize(
    ("value", "count", "parts"),
    [
        ([1, 2, 3, 4], 2, [[1, 2], [3, 4]]),
        ([1, 2, 3, 4, 5], 3, [[1, 2], [3, 4], [5]]),
        ((1, 2), 2, [(1,), (2,)]),
        ("[1, 2]", 2, [[1], [2]]),
    ],
)
def test_a_list_is_split_evenly(value: Any, count: int, parts: list[Any]) -> None:
    assert results(linked(sg.GenericScatterApp("s"), [value], count)) == parts


def test_an_array_is_split_into_arrays() -> None:
    parts = results(linked(sg.GenericScatterApp("s"), [np.arange(6).reshape(3, 2)], 3))
    assert [part.tolist() for part in parts] == [[[0, 1]], [[2, 3]], [[4, 5]]]


@pytest.mark.parametrize(("value", "said"), [([1], "1 elements"), (7, "no elements")])
def test_what_cannot_be_split_is_a_clear_failure(value: Any, said: str) -> None:
    app = linked(sg.GenericScatterApp("s"), [value], 2)
    run(app)
    assert isinstance(app.failure, InvalidDropException)
    assert f"{said} cannot be split over 2 outputs" in str(app.failure)


def test_arrays_are_split_along_their_own_axes() -> None:
    app = sg.GenericNpyScatterApp("s", num_of_copies=2, scatter_axes="[0, 1]")
    parts = results(linked(app, [np.zeros((4, 6)), np.zeros((4, 6))], 4))
    assert [part.shape for part in parts] == [(2, 6), (2, 6), (4, 3), (4, 3)]


def test_a_scatter_of_arrays_needs_an_output_for_each_part() -> None:
    app = linked(sg.GenericNpyScatterApp("s", num_of_copies=2), [np.zeros(4)], 3)
    run(app)
    assert "1 inputs in 2 parts need 2 outputs, there are 3" in str(app.failure)


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        ([b"a", b"b"], b"ab"),
        (["a", "b"], b"ab"),
        ([[1], [2, 3]], [1, 2, 3]),
        ([1, "two"], [1, "two"]),
        ([], b""),
    ],
)
def test_values_of_a_kind_are_joined_in_order(values: list[Any], joined: Any) -> None:
    assert results(linked(sg.GenericGatherApp("g"), values)) == [joined]


def test_arrays_are_joined_into_one() -> None:
    (joined,) = results(linked(sg.GenericGatherApp("g"), [np.arange(2), np.arange(3)]))
    assert joined.tolist() == [0, 1, 0, 1, 2]


def test_a_scatter_and_a_gather_give_what_there_was() -> None:
    parts = results(linked(sg.GenericScatterApp("s"), [list(range(10))], 4))
    assert results(linked(sg.GenericGatherApp("g"), parts)) == [list(range(10))]


def test_a_dictionary_is_gathered_by_the_names_of_drops() -> None:
    app = sg.DictGatherApp("g", value_dict='{"kept": 0}')
    for name in ("one", "two"):
        drop = InMemoryDROP(f"uid-{name}", name=name)
        drop.store(name)
        app.addInput(drop)
    app.addOutput(InMemoryDROP("out"))
    assert results(app) == [{"kept": 0, "one": "one", "two": "two"}]


def test_a_name_that_is_taken_gives_way_to_the_uid() -> None:
    app = sg.DictGatherApp("g")
    for uid in ("a", "b"):
        drop = InMemoryDROP(uid, name="same")
        drop.store(uid)
        app.addInput(drop)
    app.addOutput(InMemoryDROP("out"))
    assert results(app) == [{"same": "a", "b": "b"}]


def test_a_list_is_gathered() -> None:
    assert results(linked(sg.ArrayGatherApp("g"), [1, "two"])) == [[1, "two"]]


@pytest.mark.parametrize(
    ("function", "axes", "expected"),
    [
        ("sum", "None", 12), ("sum", "0", [4, 8]), ("sum", "[0, 1]", 12), ("prod", "None", 0),
        ("max", "None", 3), ("min", "None", 0), ("add", "None", [[0, 2], [4, 6]]),
        ("multiply", "None", [[0, 1], [4, 9]]), ("maximum", "None", [[0, 1], [2, 3]]),
        ("minimum", "None", [[0, 1], [2, 3]]),
    ],
)  # fmt: skip
def test_arrays_are_combined(function: str, axes: str, expected: Any) -> None:
    app = sg.GenericNpyGatherApp("g", function=function, reduce_axes=axes)
    array = np.arange(4).reshape(2, 2)
    (combined,) = results(linked(app, [array, array]))
    assert np.asarray(combined).tolist() == expected


def test_an_unknown_way_to_combine_is_refused_with_those_there_are() -> None:
    app = linked(sg.GenericNpyGatherApp("g", function="mix"), [np.arange(2)])
    run(app)
    assert "one of sum, prod, min, max, add" in str(app.failure)


def test_nothing_to_combine_is_a_clear_failure() -> None:
    app = linked(sg.GenericNpyGatherApp("g"), [])
    run(app)
    assert "needs at least one input" in str(app.failure)
