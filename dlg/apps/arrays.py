"""Apps that make and average arrays."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from dlg.ddap_protocol import DROPStates
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_bool_param, dlg_float_param, dlg_int_param, dlg_string_param
from dlg.exceptions import InvalidDropException

METHODS: Mapping[str, Callable[..., Any]] = {"mean": np.mean, "median": np.median}


class RandomArrayApp(BarrierAppDROP):
    """Stores an array of `size` random numbers from `low` to below `high` in every output.

    With a `seed` the numbers are the same in every run, and different for every drop.
    """

    __slots__ = ("marray",)

    cacheable: ClassVar[bool] = False  # with a seed, too: the numbers hang on the drop's name

    integer = dlg_bool_param("whether the numbers are integers", True)
    low = dlg_float_param("lower bound", 0)
    high = dlg_float_param("upper bound", 100)
    size = dlg_int_param("how many numbers", 100)
    keep_array = dlg_bool_param("whether the app keeps the array as `marray`", False)
    seed = dlg_int_param("where the random numbers start; none: somewhere else each time")

    marray: Any

    def run(self) -> None:
        """Make the array and store it."""
        if not self.outputs:
            raise InvalidDropException(self, "needs at least one output")
        array = self.make()
        if self.keep_array:
            self.marray = array
        for output in self.outputs:
            output.store(array)

    def make(self) -> Any:
        """Return the array."""
        own = zlib.crc32(self.uid.encode())
        generator = np.random.default_rng(None if self.seed is None else [self.seed, own])
        if self.integer:
            return generator.integers(int(self.low), int(self.high), size=self.size)
        return generator.uniform(self.low, self.high, size=self.size)


class AverageArraysApp(BarrierAppDROP):
    """Stores the mean or median, element by element, of all input arrays in every output."""

    __slots__ = ("marray",)

    method = dlg_string_param("mean or median", "mean")

    marray: Any

    def run(self) -> None:
        """Average the inputs and store the result."""
        if self.method not in METHODS:
            reason = f"method must be one of {', '.join(METHODS)}, not {self.method!r}"
            raise InvalidDropException(self, reason)
        arrays = [
            np.asarray(drop.load()) for drop in self.inputs if drop.status is DROPStates.COMPLETED
        ]
        if len({array.shape for array in arrays}) != 1:
            shapes = ", ".join(str(array.shape) for array in arrays) or "none"
            raise InvalidDropException(self, f"the arrays must have one shape; they have {shapes}")
        average = METHODS[self.method](np.stack(arrays), axis=0)
        for output in self.outputs:
            output.store(average)
