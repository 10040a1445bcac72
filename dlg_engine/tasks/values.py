"""Values of metadata as text in the database, and back, with their types.

What JSON has stays what it was: a whole number is no float, `"7"` no number, a list is a list, and
numbers that are not finite are kept too. Pure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from dlg_engine.tasks.errors import MetadataValueError

_written = json.JSONEncoder(ensure_ascii=False).encode
_MOST_EXACT = 2**53
"""Whole numbers up to this are also floats."""


def encode(keyword: str, value: object) -> str:
    """Return `value` as text; raise MetadataValueError if it has a part that cannot be kept."""
    kind = type(value)
    if kind is int:
        return str(value)
    if kind is str or kind is float or value is None or kind is bool:
        return _written(value)
    return _written(_plain(keyword, value))


def _plain(keyword: str, value: object) -> Any:
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        value = item()  # a number of numpy
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise MetadataValueError(f"metadata {keyword!r}: keys must be text")
        return {key: _plain(keyword, part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_plain(keyword, part) for part in value]
    raise MetadataValueError(
        f"metadata {keyword!r}: a {type(value).__name__} cannot be kept; numbers, text, booleans, "
        "None, and lists and dictionaries of them can"
    )


def decode(text: str) -> Any:
    """Return the value that `encode` made `text` of."""
    return json.loads(text)


def number_of(value: object) -> float | None:
    """Return a value as the number by which it can be looked for, if it is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return float(value) if abs(value) <= _MOST_EXACT else None
    return value if math.isfinite(value) else None
