"""The app everybody tries first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlg.apps.hello import HelloWorldApp
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.app_contract import AppContract, filled, run


class TestHello(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = HelloWorldApp("hello", **parameters)
        app.addInput(filled("in", "you"))
        app.addOutput(InMemoryDROP("out"))
        return app


def said(*inputs: Any, **parameters: Any) -> str:
    app, out = HelloWorldApp("hello", **parameters), InMemoryDROP("out")
    app.addOutput(out)
    for place, value in enumerate(inputs):
        app.addInput(filled(f"in{place}", value))
    run(app)
    return out.contents().decode()


def test_it_greets_the_world() -> None:
    assert said() == "Hello World"


def test_it_greets_whom_it_is_told() -> None:
    assert said(greet="Perth") == "Hello Perth"


@pytest.mark.parametrize(
    ("value", "greeted"),
    [("you", "you"), (b"you\n", "you"), (["a", "b"], "a b"), (np.arange(3), "0 1 2"), (7, "7")],
)
def test_it_greets_what_is_in_its_input(value: Any, greeted: str) -> None:
    assert said(value) == f"Hello {greeted}"


def test_it_greets_all_its_inputs() -> None:
    assert said("one", ["two", "three"]) == "Hello one two three"


def test_the_greeting_stays_with_the_app() -> None:
    app = HelloWorldApp("hello")
    run(app)
    assert app.greeting == "Hello World"
