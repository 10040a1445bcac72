"""Parameters of algorithms and plotters: types, ranges, choices, and values cast to them.

The existing packages let numbers wrap around (300 is 44 as an int8) and take any text for a truth;
that is done only where it is asked for (`compat`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["cast", "clean", "convert"]

TRUE, FALSE = frozenset({"true", "1"}), frozenset({"false", "0", ""})
# What the integers of C hold that the existing packages convert through.
SIGNED, UNSIGNED = (-(1 << 63), (1 << 63) - 1), (-(1 << 63), (1 << 64) - 1)
CONTAINERS = (list, tuple, dict, set, np.ndarray)
UNCAST = (TypeError, ValueError, OverflowError)


def convert(parameters: Mapping[str, Any], compat: bool) -> Iterator[str]:
    """Put types of numpy and values of those types into declared `parameters`; yield errors."""
    for name, parameter in parameters.items():
        kind = np.dtype(str if parameter["type"] == "string" else parameter["type"])
        parameter["type"] = kind
        found: list[str] = []
        _convert_one(name, parameter, kind, compat, found)
        yield from found


def clean(name: str, parameter: Mapping[str, Any], value: object, compat: bool) -> Any:
    """Return a value for a converted parameter; raise `ValueError` if it may not be that."""
    cleaned = cast(parameter["type"], value, compat)
    if "range" in parameter:
        low, high = parameter["range"][:2]
        if not low <= cleaned <= high:
            raise ValueError(
                f"value for `{name}' ({cleaned!s}) must be picked within interval "
                f"`[{low!s}, {high!s}]'"
            )
    if "choice" in parameter and not any(cleaned == one for one in parameter["choice"]):
        raise ValueError(
            f"value for `{name}' ({cleaned!s}) must be one of `{_listed(parameter['choice'])}'"
        )
    return cleaned


def cast(kind: np.dtype[Any], value: object, compat: bool) -> Any:
    """Return a value as a scalar of numpy; raise `ValueError` if it cannot be one.

    Unless `compat`, what does not fit the type is refused; fractions are cut off in any case.
    """
    if isinstance(value, CONTAINERS) and not (compat and kind.kind == "U"):
        raise ValueError(f"{value!r} is no scalar")
    if value is None and not compat:
        raise ValueError("there is no value")
    try:
        if kind.kind in "iu":
            return _integer(kind, value, compat)
        if kind.kind == "b" and not compat:
            return np.bool_(_truth(value))
        return _floating(kind, value, compat) if kind.kind in "fc" else kind.type(value)
    except UNCAST as error:
        raise ValueError(str(error)) from None


def _integer(kind: np.dtype[Any], value: Any, compat: bool) -> Any:
    number = int(value)
    limits = np.iinfo(kind)
    if limits.min <= number <= limits.max:
        return kind.type(number)
    low, high = UNSIGNED if kind == np.uint64 else SIGNED
    if not compat or not low <= number <= high:
        raise ValueError(f"{number} does not fit {kind.name}")
    wrapped = number % (1 << limits.bits)
    return kind.type(wrapped - (1 << limits.bits) if wrapped > limits.max else wrapped)


def _floating(kind: np.dtype[Any], value: Any, compat: bool) -> Any:
    with np.errstate(over="ignore"):  # said here, in words
        number = kind.type(value)
    finite = isinstance(value, int | float) and math.isfinite(value)
    if finite and not np.isfinite(number) and not compat:
        raise ValueError(f"{value!r} does not fit {kind.name}")
    return number


def _truth(value: Any) -> bool:
    if isinstance(value, str):
        if (word := value.strip().lower()) in TRUE | FALSE:
            return word in TRUE
    elif value in {0, 1}:
        return bool(value)
    raise ValueError(f"{value!r} is neither true nor false")


def _convert_one(
    name: str, parameter: dict[str, Any], kind: np.dtype[Any], compat: bool, errors: list[str]
) -> None:
    def of_kind(what: str, value: object) -> Any:
        try:
            return cast(kind, value, compat)
        except ValueError as error:
            errors.append(
                f"{what} for parameter `{name}' cannot be cast to type `{kind.name}': {error}"
            )
            return None

    if "range" in parameter:
        _convert_range(name, parameter, of_kind, errors)
    if "choice" in parameter:
        choice = parameter["choice"]
        if isinstance(choice, list):
            for at, one in enumerate(choice):
                choice[at] = of_kind(f"choice[{at}]", one)
        else:
            errors.append(f"choice for parameter `{name}' is no list: {choice!r}")
    if "default" in parameter:
        parameter["default"] = of_kind("default", parameter["default"])
    if not errors and "default" in parameter:
        _check_default(name, parameter, errors)


def _convert_range(name: str, parameter: dict[str, Any], of_kind: Any, errors: list[str]) -> None:
    limits = parameter["range"]
    if not isinstance(limits, list) or len(limits) < 2:  # noqa: PLR2004
        errors.append(f"range for parameter `{name}' has no start and end: {limits!r}")
        return
    low, high = limits[:2] = [of_kind(f"range[{at}]", one) for at, one in enumerate(limits[:2])]
    if low is not None and high is not None and low >= high:
        errors.append(
            f"range for parameter `{name}' has a start greater then the end value "
            f"({low!s} >= {high!s})"
        )


def _check_default(name: str, parameter: Mapping[str, Any], errors: list[str]) -> None:
    default = parameter["default"]
    if "range" in parameter:
        low, high = parameter["range"][:2]
        if not low <= default <= high:
            errors.append(
                f"default for parameter `{name}' ({default!s}) is not within parameter range "
                f"[{low!s}, {high!s}]"
            )
    if "choice" in parameter and not any(default == one for one in parameter["choice"]):
        errors.append(
            f"default for parameter `{name}' ({default!s}) is not a valid choice "
            f"`{_listed(parameter['choice'])}'"
        )


def _listed(values: list[Any]) -> str:
    return "[" + ", ".join(str(value) for value in values) + "]"
