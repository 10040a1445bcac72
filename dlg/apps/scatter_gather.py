"""Apps that split a value over their outputs and that bring values together."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from dlg.apps.function_arguments import literal
from dlg.ddap_protocol import DROPStates
from dlg.drops import ports
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_any_param, dlg_int_param, dlg_string_param
from dlg.drops.ports import Port
from dlg.exceptions import InvalidDropException
from dlg.support import serialize


def load(port: Port) -> Any:
    """Return the value that came in through a port."""
    return port.drop.load(port.encoding or serialize.DEFAULT)


def store(port: Port, value: Any) -> None:
    """Send a value out through a port."""
    port.drop.store(value, port.encoding or serialize.DEFAULT)


def completed_inputs(app: Any) -> list[Port]:
    """Return the input ports that have data."""
    return [p for p in ports.inputs(app) if p.drop.status is DROPStates.COMPLETED]


class GenericScatterApp(BarrierAppDROP):
    """Splits its input, a list or array, into as many parts as there are outputs.

    Parts differ by at most one element in length. A list gives lists, an array gives arrays.
    """

    __slots__ = ()

    transient: ClassVar[bool] = True

    num_of_copies = dlg_int_param("how many parts; the number of outputs counts", None)
    scatter_axis = dlg_any_param("kept for old graphs: the first axis is split")

    def run(self) -> None:
        """Split the input and store the parts."""
        sources, outputs = completed_inputs(self), ports.outputs(self)
        if not sources or not outputs:
            raise InvalidDropException(self, "a scatter needs an input and outputs")
        value = load(sources[0])
        value = literal(value) if isinstance(value, str) else value
        count = len(outputs)
        if not hasattr(value, "__len__") or len(value) < count:
            size = len(value) if hasattr(value, "__len__") else "no"
            raise InvalidDropException(
                self, f"{size} elements cannot be split over {count} outputs"
            )
        for port, part in zip(outputs, split(value, count), strict=True):
            store(port, part)


def split(value: Any, count: int) -> Sequence[Any]:
    """Return `count` consecutive parts of a sequence, of the sequence's own kind."""
    if isinstance(value, np.ndarray):
        return np.array_split(value, count)
    places = np.array_split(np.arange(len(value)), count)
    return [value[p[0] : p[-1] + 1] if len(p) else value[:0] for p in places]


class GenericNpyScatterApp(BarrierAppDROP):
    """Splits each input array along its axis in `scatter_axes` into `num_of_copies` parts.

    The parts of the first input go to the first `num_of_copies` outputs, and so on.
    """

    __slots__ = ()

    num_of_copies = dlg_int_param("how many parts of each input", 1)
    scatter_axes = dlg_any_param("the axis of each input, as a list; 0 where it is shorter", "[0]")

    def run(self) -> None:
        """Split the inputs and store the parts."""
        sources, outputs = completed_inputs(self), ports.outputs(self)
        copies = self.num_of_copies
        if len(outputs) != copies * len(sources):
            reason = (
                f"{len(sources)} inputs in {copies} parts need {copies * len(sources)} outputs"
            )
            raise InvalidDropException(self, f"{reason}, there are {len(outputs)}")
        axes = literal(self.scatter_axes) or [0]
        for place, port in enumerate(sources):
            axis = axes[place] if place < len(axes) else 0
            parts = np.array_split(np.asarray(load(port)), copies, axis=axis)
            for output, part in zip(outputs[place * copies :], parts, strict=False):
                store(output, part)


class GenericGatherApp(BarrierAppDROP):
    """Joins its inputs, in the order of the graph: bytes and texts, lists, arrays."""

    __slots__ = ()

    transient: ClassVar[bool] = True

    num_of_inputs = dlg_int_param("how many inputs; what is linked counts", None)

    def run(self) -> None:
        """Join the inputs and store the result in every output."""
        sources = completed_inputs(self)
        values = [_value(port) for port in sources]
        joined = join(values) if values else b""
        for port in ports.outputs(self):
            if isinstance(joined, bytes | str):
                port.drop.write(joined)
            else:
                store(port, joined)


def _value(port: Port) -> Any:
    return load(port) if port.encoding not in {"", "pickle", "dill"} else port.drop.value()


def join(values: Sequence[Any]) -> Any:
    """Return the concatenation of values of one kind, or the list of values of several."""
    kinds = {type(value) for value in values}
    if kinds <= {bytes, bytearray, memoryview}:
        return b"".join(bytes(value) for value in values)
    if kinds == {str}:
        return "".join(values)
    if kinds == {np.ndarray}:
        return np.concatenate([np.atleast_1d(value) for value in values])
    if kinds == {list}:
        return [item for value in values for item in value]
    return list(values)


class DictGatherApp(BarrierAppDROP):
    """Stores a dictionary of its inputs' values, by name of the drop or port, in every output."""

    __slots__ = ()

    cacheable: ClassVar[bool] = False  # names of drops are not signed, and count here

    num_of_inputs = dlg_int_param("how many inputs; what is linked counts", None)
    value_dict = dlg_any_param("values the dictionary starts with", None)

    def run(self) -> None:
        """Gather the inputs."""
        gathered = dict(literal(self.value_dict) if self.value_dict else {})
        for port in completed_inputs(self):
            name = port.drop.name or port.name or port.drop.uid
            key = name if name not in gathered else port.drop.uid
            gathered[key] = load(port)
        for port in ports.outputs(self):
            store(port, gathered)


class ArrayGatherApp(BarrierAppDROP):
    """Stores the list of its inputs' values in every output."""

    __slots__ = ()

    num_of_inputs = dlg_int_param("how many inputs; what is linked counts", None)

    def run(self) -> None:
        """Gather the inputs."""
        gathered = [load(port) for port in completed_inputs(self)]
        for port in ports.outputs(self):
            store(port, gathered)


REDUCE: Mapping[str, tuple[Callable[..., Any], np.ufunc]] = {
    "sum": (np.sum, np.add),
    "prod": (np.prod, np.multiply),
    "min": (np.min, np.minimum),
    "max": (np.max, np.maximum),
}
COMBINE: Mapping[str, np.ufunc] = {
    "add": np.add,
    "multiply": np.multiply,
    "minimum": np.minimum,
    "maximum": np.maximum,
}


class GenericNpyGatherApp(BarrierAppDROP):
    """Combines its input arrays into one.

    `add`, `multiply`, `minimum` and `maximum` work element by element. `sum`, `prod`, `min` and
    `max` first reduce each input over `reduce_axes` (none given: over all of them).
    """

    __slots__ = ()

    function = dlg_string_param("how to combine", "sum")
    reduce_axes = dlg_any_param("axes to reduce over: None, a number or a list", "None")
    num_of_inputs = dlg_int_param("how many inputs; what is linked counts", None)

    def run(self) -> None:
        """Combine the inputs and store the result in every output."""
        if self.function not in REDUCE and self.function not in COMBINE:
            known = ", ".join([*REDUCE, *COMBINE])
            raise InvalidDropException(
                self, f"function must be one of {known}, not {self.function!r}"
            )
        arrays = [np.asarray(load(port)) for port in completed_inputs(self)]
        if not arrays:
            raise InvalidDropException(self, "needs at least one input")
        if self.function in REDUCE:
            reduce, combine = REDUCE[self.function]
            arrays = [reduce(array, axis=self._axes()) for array in arrays]
        else:
            combine = COMBINE[self.function]
        result = functools.reduce(combine, arrays)
        for port in ports.outputs(self):
            store(port, result)

    def _axes(self) -> tuple[int, ...] | None:
        axes = literal(self.reduce_axes) if self.reduce_axes not in ("", None) else None
        if axes is None:
            return None
        return tuple(axes) if isinstance(axes, list | tuple) else (int(axes),)
