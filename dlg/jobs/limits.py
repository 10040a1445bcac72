"""How much an expression may do: steps, sizes of texts and collections, digits of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_SOURCE = 10_000
MAX_DEPTH = 50
MAX_STEPS = 200_000
MAX_STEPS_OF_ALL = 10_000_000
STEPS_A_TASK = 200
"""How many more all expressions may take for each task that there is."""
MAX_TEXT = 100_000
MAX_ITEMS = 100_000
MAX_BITS = 4096

SCALARS = (type(None), bool, int, float, str)
COLLECTIONS = (list, tuple, dict)


class LimitError(ValueError):
    """An expression would do more than it may, or makes what it must not make."""


@dataclass(slots=True)
class Budget:
    """What is left of the steps that one expression may take."""

    left: int = MAX_STEPS

    def spend(self, steps: int = 1) -> None:
        """Take `steps` more; raise `LimitError` if they are too many."""
        self.left -= steps
        if self.left < 0:
            raise LimitError("it takes too long; loops must be shorter")

    def items(self, count: int) -> None:
        """Make a collection of `count` items."""
        if count > MAX_ITEMS:
            raise LimitError(f"a collection of {count} items is too long (at most {MAX_ITEMS})")
        self.spend(count)

    def text(self, length: int) -> None:
        """Make a text of `length` characters."""
        if length > MAX_TEXT:
            raise LimitError(f"a text of {length} characters is too long (at most {MAX_TEXT})")
        self.spend(length >> 6)

    def weigh(self, value: Any) -> None:
        """Take as many steps as going through all that is in a value takes.

        What is in there twice counts twice, so that little which looks like much is found out.
        """
        waiting = [value]
        while waiting:
            value = waiting.pop()
            self.spend()
            if type(value) is dict:
                waiting.extend(value)
                waiting.extend(value.values())
            elif type(value) in COLLECTIONS:
                waiting.extend(value)
            elif type(value) is str:
                self.text(len(value))


@dataclass(slots=True)
class Meter:
    """What is left of the steps that all expressions of a job may take."""

    left: int = MAX_STEPS_OF_ALL

    def check(self) -> None:
        """Raise `LimitError` if nothing is left."""
        if self.left < 0:
            raise LimitError("the expressions of this job take too long altogether")


def checked(value: Any) -> Any:
    """Return a value if it is one that expressions may have, and none that is too large."""
    kind = type(value)
    if kind is int:
        if value.bit_length() > MAX_BITS:
            raise LimitError("a whole number has too many digits")
    elif kind is str:
        if len(value) > MAX_TEXT:
            raise LimitError(f"a text is longer than {MAX_TEXT} characters")
    elif kind in COLLECTIONS:
        if len(value) > MAX_ITEMS:
            raise LimitError(f"a collection has more than {MAX_ITEMS} items")
    elif kind is complex:
        raise LimitError("the result is no real number")
    elif kind not in SCALARS:
        raise LimitError(f"values of type {kind.__name__} are not possible")
    return value
