"""One call of a Python function, as `delayed` makes it: arguments in memory, without names."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import dlg_any_param


class Slot:
    """Stands in the arguments of a call for the value of one of its inputs."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place


class Call:
    """A function and its arguments, in which slots stand for inputs, also inside containers."""

    __slots__ = ("args", "function", "kwargs")

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs

    def __call__(self, values: list[Any]) -> Any:
        """Return what the function returns for `values` of the inputs."""
        args = [fill(argument, values) for argument in self.args]
        if not self.kwargs:
            return self.function(*args)
        return self.function(*args, **{k: fill(v, values) for k, v in self.kwargs.items()})


def fill(template: Any, values: list[Any]) -> Any:
    """Return `template` with its slots filled; containers with slots are made anew."""
    kind = type(template)
    if kind is Slot:
        return values[template.place]
    if kind is Packed:
        return template.unpack(values)
    return template


class Packed:
    """A list, tuple, set or dictionary with slots somewhere inside."""

    __slots__ = ("items", "kind")

    def __init__(self, kind: type, items: list[Any]) -> None:
        self.kind, self.items = kind, items

    def unpack(self, values: list[Any]) -> Any:
        """Return the container with its slots filled."""
        filled: Iterator[Any] = (fill(item, values) for item in self.items)
        if self.kind is dict:
            return {fill(k, values): fill(v, values) for k, v in self.items}
        return self.kind(filled)


class CallApp(BarrierAppDROP):
    """Makes one call and stores what it returns in the output."""

    __slots__ = ()

    transient: ClassVar[bool] = True

    call = dlg_any_param("the call to make, or base64 of its pickle")

    def run(self) -> None:
        """Make the call."""
        call = self.call
        if isinstance(call, str):
            call = pickle.loads(base64.b64decode(call))  # noqa: S301  code of the graph, by design
        result = call([drop.load() for drop in self.inputs])
        for output in self.outputs:
            output.store(result)
