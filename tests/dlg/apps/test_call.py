"""One call, as `delayed` makes it."""

from __future__ import annotations

from typing import Any

import pytest

from dlg.apps.call import Call, CallApp, Packed, Slot, fill
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.app_contract import AppContract, filled, run


def give(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
    return args, kwargs


class TestCall(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = CallApp("call", call=Call(give, (Slot(0), 2), {}), **parameters)
        app.addInput(filled("in", 1))
        app.addOutput(InMemoryDROP("out"))
        return app


@pytest.mark.parametrize(
    ("template", "filled_"),
    [
        (5, 5),
        (Slot(1), "b"),
        (Packed(list, [Slot(0), 7]), ["a", 7]),
        (Packed(tuple, [Slot(0)]), ("a",)),
        (Packed(set, [Slot(0), Slot(1)]), {"a", "b"}),
        (Packed(dict, [(Slot(0), Packed(list, [Slot(1)]))]), {"a": ["b"]}),
    ],
)
def test_slots_stand_for_inputs_also_inside_containers(template: Any, filled_: Any) -> None:
    assert fill(template, ["a", "b"]) == filled_


def test_arguments_are_given_as_they_were_written() -> None:
    call = Call(give, (Slot(0), 2), {"k": Slot(1), "l": 3})
    assert call([1, "x"]) == ((1, 2), {"k": "x", "l": 3})


def test_the_result_is_the_output() -> None:
    app = CallApp("call", call=Call(sum, (Packed(list, [Slot(1), Slot(0)]),), {}))
    for place, value in enumerate([1, 2]):
        app.addInput(filled(f"in{place}", value))
    app.addOutput(InMemoryDROP("out"))
    run(app)
    assert app.outputs[0].load() == 3
