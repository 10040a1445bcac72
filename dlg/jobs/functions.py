"""The functions that expressions may call. Each is given values and the budget.

Everything here must stay cheap for any values that the limits allow: what could take long says so
to the budget before it begins.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from dlg.jobs.limits import MAX_ITEMS, Budget, LimitError

Function = Callable[..., Any]
_MOST_DIGITS = 300
_SOME = 3


def _items(budget: Budget, value: Any) -> list[Any]:
    """Return what can be gone through in a value."""
    if not isinstance(value, list | tuple | dict | str):
        raise LimitError(f"{type(value).__name__} has no items")
    budget.items(len(value))
    return list(value)


def _each(budget: Budget, values: tuple[Any, ...]) -> list[Any]:
    """Return the items of the only value, or else the values."""
    budget.weigh(values)
    return _items(budget, values[0]) if len(values) == 1 else list(values)


def _numbers(values: list[Any]) -> list[Any]:
    if any(not isinstance(value, int | float) for value in values):
        raise LimitError("only numbers can be added up")
    return values


def _range(budget: Budget, *limits: Any) -> list[int]:
    if not 1 <= len(limits) <= _SOME or not all(isinstance(one, int) for one in limits):
        raise LimitError("range takes one to three whole numbers")
    found = range(*limits)
    try:
        count = len(found)
    except OverflowError:
        count = MAX_ITEMS + 1
    budget.items(count)
    return list(found)


def _round(budget: Budget, value: float, digits: Any = None) -> Any:
    if digits is not None and (not isinstance(digits, int) or abs(digits) > _MOST_DIGITS):
        raise LimitError(f"cannot be rounded to {digits} digits")
    return round(value, digits)


def _sorted(budget: Budget, values: Any) -> list[Any]:
    budget.weigh(values)
    found = _items(budget, values)
    budget.spend(len(found) * max(1, len(found).bit_length()))
    return sorted(found)


def _enumerate(budget: Budget, values: Any, start: int = 0) -> list[Any]:
    return list(enumerate(_items(budget, values), start))


def _zip(budget: Budget, *values: Any) -> list[Any]:
    return list(zip(*(_items(budget, value) for value in values), strict=False))


def _str(budget: Budget, value: Any = "") -> str:
    budget.weigh(value)
    return str(value)


def _int(budget: Budget, value: Any = 0) -> int:
    if not isinstance(value, int | float | str):
        raise LimitError(f"{type(value).__name__} is no number")
    return int(value)


def _float(budget: Budget, value: Any = 0.0) -> float:
    if not isinstance(value, int | float | str):
        raise LimitError(f"{type(value).__name__} is no number")
    return float(value)


def _linspace(budget: Budget, first: float, last: float, count: int) -> list[float]:
    budget.items(count)
    return linear(first, last, count)


def linear(first: float, last: float, count: int) -> list[float]:
    """Return `count` numbers from `first` to `last`, which are both among them."""
    if count <= 1:
        return [float(first)] * count
    step = (last - first) / (count - 1)
    return [*(first + step * place for place in range(count - 1)), float(last)]


def logarithmic(first: float, last: float, count: int) -> list[float]:
    """Return `count` powers of ten from 10^`first` to 10^`last`, which are both among them."""
    return [float(10.0**exponent) for exponent in linear(first, last, count)]


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "abs": lambda budget, value: abs(value),
        "all": lambda budget, values: all(_items(budget, values)),
        "any": lambda budget, values: any(_items(budget, values)),
        "bool": lambda budget, value=False: bool(value),
        "dict": lambda budget, **named: dict(named),
        "enumerate": _enumerate,
        "float": _float,
        "int": _int,
        "len": lambda budget, value: len(value),
        "list": lambda budget, values=(): _items(budget, values),
        "linspace": _linspace,
        "max": lambda budget, *values: max(_each(budget, values)),
        "min": lambda budget, *values: min(_each(budget, values)),
        "range": _range,
        "reversed": lambda budget, values: _items(budget, values)[::-1],
        "round": _round,
        "sorted": _sorted,
        "str": _str,
        "sum": lambda budget, values: sum(_numbers(_items(budget, values))),
        "tuple": lambda budget, values=(): tuple(_items(budget, values)),
        "zip": _zip,
    }
)

# Left out are those whose results or whose work can be large: factorial, comb, perm, prod.
_OF_MATH = (
    "acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh degrees erf erfc exp expm1 "
    "fabs floor fmod gamma gcd hypot isclose isfinite isinf isnan isqrt lgamma log log10 log1p "
    "log2 pow radians sin sinh sqrt tan tanh trunc"
)
MATH: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {name: getattr(math, name) for name in _OF_MATH.split()}
)


def _choice(source: random.Random, values: Any) -> Any:
    if not isinstance(values, list | tuple | str) or not values:
        raise LimitError("there is nothing to choose from")
    return source.choice(values)


RANDOM: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "random": lambda source: source.random(),
        "uniform": lambda source, low, high: source.uniform(low, high),
        "gauss": lambda source, mean=0.0, deviation=1.0: source.gauss(mean, deviation),
        "randint": lambda source, low, high: source.randint(low, high),
        "choice": _choice,
    }
)
