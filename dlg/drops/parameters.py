"""Declared parameters: what a drop class says it can be told, and what a graph file tells it.

A class declares a parameter as a class attribute::

    class SleepApp(BarrierAppDROP):
        sleep_time = dlg_float_param("seconds to sleep", 0.0)

Reading the attribute gives the value from the graph, cast to the declared type, or the default.
Values in graph files are loosely typed (`"4"`, `"False"`, `"[1, 2]"`), so casting is lenient where
the meaning is clear and refuses everything else.
"""

from __future__ import annotations

import ast
import difflib
import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any, overload

from dlg.exceptions import InvalidDropException
from dlg.graph.values import argument_value as argument_value
from dlg.graph.values import values_of as values_of

_TRUE = frozenset({"true", "1", "yes", "y", "on", "t"})
_FALSE = frozenset({"false", "0", "no", "n", "off", "f", "", "none"})


class Parameter:
    """One declared parameter: a descriptor that reads the value an object was given."""

    __slots__ = ("cast", "choices", "default", "description", "name", "type_name")

    def __init__(
        self,
        description: str,
        default: Any,
        *,
        cast: Callable[[Any], Any],
        type_name: str,
        choices: type[enum.Enum] | None = None,
    ) -> None:
        self.description, self.default = description, default
        self.cast, self.type_name, self.choices = cast, type_name, choices
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, obj: None, owner: type) -> Parameter: ...
    @overload
    def __get__(self, obj: object, owner: type) -> Any: ...
    def __get__(self, obj: Any, owner: type) -> Any:
        """Return the object's value, or the default it shares with all of its class."""
        if obj is None:
            return self
        given = obj._given
        if given is not None and self.name in given:
            return given[self.name]
        return _fresh(self.default)

    def __set__(self, obj: Any, value: Any) -> None:
        """Give `obj` a value of its own, cast to the declared type."""
        if obj._given is None:
            obj._given = {}
        obj._given[self.name] = self.convert(value, obj)

    def convert(self, value: Any, who: object = "") -> Any:
        """Return `value` as the declared type; raise `InvalidDropException` if it is none."""
        if value is None or (isinstance(value, str) and value.startswith("$")):
            return value  # nothing given, or to be looked up in an environment later
        try:
            return self.cast(value)
        except (ValueError, TypeError, SyntaxError, KeyError) as error:
            reason = f"parameter {self.name!r} must be {self.type_name}, not {value!r}"
            raise InvalidDropException(who, reason) from error


def _fresh(default: Any) -> Any:
    """Return a default that a drop may change without changing it for all others."""
    return default.copy() if isinstance(default, list | dict) else default


def to_bool(value: Any) -> bool:
    """Return the truth a graph file means: `"False"`, `"0"` and `""` are false."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise ValueError(value)
    if isinstance(value, bool | int | float):
        return bool(value)
    raise TypeError(value)


def to_int(value: Any) -> int:
    """Return an integer, also from `"4"`, `4.0` and `"4.0"`; not from 4.5 and not from a truth."""
    if isinstance(value, bool):
        raise TypeError(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            return int(text, 0)
        except ValueError:
            value = float(text)
    number = float(value)
    if number != int(number):
        raise ValueError(value)
    return int(number)


def to_float(value: Any) -> float:
    """Return a number; not from a truth."""
    if isinstance(value, bool):
        raise TypeError(value)
    return float(value)


def to_str(value: Any) -> str:
    """Return a text; numbers and truths are written out, containers refused."""
    if isinstance(value, list | dict | tuple | set):
        raise TypeError(value)
    return value if isinstance(value, str) else str(value)


def to_list(value: Any) -> list[Any]:
    """Return a list, also from one written as a Python literal; empty text is an empty list."""
    if isinstance(value, str):
        value = ast.literal_eval(value) if value.strip() else []
    if isinstance(value, list | tuple | set):
        return list(value)
    raise TypeError(value)


def to_dict(value: Any) -> dict[Any, Any]:
    """Return a dictionary, also from one written as a Python literal."""
    if isinstance(value, str):
        value = ast.literal_eval(value) if value.strip() else {}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(value)


def dlg_int_param(description: str, default_value: int | None = None) -> Any:
    """Declare an integer parameter."""
    return Parameter(description, default_value, cast=to_int, type_name="an integer")


def dlg_float_param(description: str, default_value: float | None = None) -> Any:
    """Declare a floating-point parameter."""
    return Parameter(description, default_value, cast=to_float, type_name="a number")


def dlg_string_param(description: str, default_value: str | None = None) -> Any:
    """Declare a text parameter."""
    return Parameter(description, default_value, cast=to_str, type_name="a text")


def dlg_bool_param(description: str, default_value: bool | None = None) -> Any:
    """Declare a truth parameter."""
    return Parameter(description, default_value, cast=to_bool, type_name="true or false")


def dlg_list_param(description: str, default_value: list[Any] | None = None) -> Any:
    """Declare a list parameter."""
    return Parameter(description, default_value, cast=to_list, type_name="a list")


def dlg_dict_param(description: str, default_value: dict[Any, Any] | None = None) -> Any:
    """Declare a dictionary parameter."""
    return Parameter(description, default_value, cast=to_dict, type_name="a dictionary")


def dlg_any_param(description: str, default_value: Any = None) -> Any:
    """Declare a parameter that takes any value as it is."""
    return Parameter(description, default_value, cast=lambda value: value, type_name="anything")


def dlg_enum_param(
    cls: type[enum.Enum], description: str, default_value: enum.Enum | None = None
) -> Any:
    """Declare a parameter that takes a member of `cls`, by name or by value."""

    def cast(value: Any) -> enum.Enum:
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and value.rpartition(".")[2] in cls.__members__:
            return cls[value.rpartition(".")[2]]
        return cls(value)

    type_name = f"one of {', '.join(cls.__members__)}"
    return Parameter(description, default_value, cast=cast, type_name=type_name, choices=cls)


def declared(cls: type) -> dict[str, Parameter]:
    """Return the parameters that `cls` and its bases declare, by name."""
    found: dict[str, Parameter] = {}
    for base in reversed(cls.__mro__):
        found.update({k: v for k, v in vars(base).items() if isinstance(v, Parameter)})
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the one of `known` that `name` is probably a misspelling of, or an empty text."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
    return matches[0] if matches else ""
