"""The values that a loop goes over."""

from __future__ import annotations

import math
from typing import Any

from dlg.jobs.errors import JobError
from dlg.jobs.expressions import Surroundings, evaluate, evaluate_in_structure
from dlg.jobs.functions import linear, logarithmic

RANGES = ("values", "linear_range", "log_range")
MAX_VALUES = 1_000_000
_LARGEST_EXPONENT = 300
_PARTS = 3


def values_of(kind: str, given: Any, around: Surroundings, place: str = "") -> list[Any]:
    """Return the values of a loop: those listed, or numbers from one to another, evenly spaced.

    A range is `[first, last, count]`, both ends included; that of a logarithmic one is of powers
    of ten. Raises `JobError` for what is none.
    """
    found = evaluate(given, around, place) if isinstance(given, str) else given
    found = evaluate_in_structure(found, around, place) if isinstance(given, list) else found
    if not isinstance(found, list | tuple):
        raise JobError("a loop goes over a list")
    if kind == "values":
        return list(found)
    if len(found) != _PARTS or not all(_is_number(one) for one in found):
        raise JobError(f"{kind} is [first, last, count], of numbers")
    first, last, count = found
    if count != int(count) or not 0 <= count <= MAX_VALUES:
        raise JobError(f"{kind}: the count must be a whole number from 0 to {MAX_VALUES}")
    if kind == "linear_range":
        return linear(first, last, int(count))
    if max(abs(first), abs(last)) > _LARGEST_EXPONENT:
        raise JobError(f"{kind}: exponents of ten go up to {_LARGEST_EXPONENT}")
    return logarithmic(first, last, int(count))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) < 1e300  # noqa: PLR2004  differences are finite
