"""The app everybody tries first."""

from __future__ import annotations

from typing import Any, ClassVar

from dlg.ddap_protocol import DROPStates
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_string_param
from dlg.exceptions import DaliugeException


class HelloWorldApp(BarrierAppDROP):
    """Writes "Hello" and whom it greets, as text, to every output.

    With inputs, it greets what is in them: a text, or the elements of a list or array.
    """

    __slots__ = ("greeting",)

    results: ClassVar[tuple[str, ...]] = ("greeting",)

    greet = dlg_string_param("whom to greet", "World")

    greeting: str

    def run(self) -> None:
        """Greet."""
        there = [drop for drop in self.inputs if drop.status is DROPStates.COMPLETED]
        names = [name for drop in there for name in _names(drop)] or [self.greet]
        self.greeting = f"Hello {' '.join(names)}"
        for output in self.outputs:
            output.write(self.greeting)


def _names(drop: Any) -> list[str]:
    """Return the texts in a drop."""
    try:
        value = drop.load()
    except DaliugeException:  # no pickle: then it is a text
        value = drop.value()
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, str):
        return [value.strip()]
    try:
        return [str(item).strip() for item in value]
    except TypeError:
        return [str(value)]
