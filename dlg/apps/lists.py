"""Apps that work on lists."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_int_param
from dlg.exceptions import InvalidDropException

_TWO = 2


class PickOne(BarrierAppDROP):
    """Stores the first element of its input in one output and the rest in the other.

    The building block of loops over a list: the rest is carried to the next iteration.
    """

    __slots__ = ()

    transient: ClassVar[bool] = True

    def run(self) -> None:
        """Take one element off."""
        if len(self.inputs) != 1 or not self.outputs:
            raise InvalidDropException(self, "needs one input and at least one output")
        values = self.inputs[0].load()
        if not hasattr(values, "__len__") or not len(values):
            raise InvalidDropException(self, "there is nothing left to pick from")
        first, rest = values[0], values[1:]
        self.outputs[0].store(first)
        for output in self.outputs[1:_TWO]:
            output.store(rest)


class ListAppendThrashingApp(BarrierAppDROP):
    """Keeps a processor and the memory allocator busy: appends `size` random numbers to a list."""

    __slots__ = ("marray",)

    size = dlg_int_param("how many numbers", 100)

    marray: list[Any]

    def run(self) -> None:
        """Make the list and store it."""
        generator = random.Random(0)  # noqa: S311  the numbers are only there to be made
        marray = []
        for _ in range(self.size):
            marray.append(generator.random())  # noqa: PERF401  appending is the point
        self.marray = marray
        for output in self.outputs:
            output.store(marray)
