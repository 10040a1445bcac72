"""What values of fields mean, and values as the types that graph files name."""

from __future__ import annotations

from typing import Any

from dlg.support.values import FALSE_WORDS as FALSE_WORDS
from dlg.support.values import TRUE_WORDS as TRUE_WORDS
from dlg.support.values import IllTypedError as IllTypedError
from dlg.support.values import boolean as boolean
from dlg.support.values import integer as integer
from dlg.support.values import real as real
from dlg.support.values import truth as truth


def cast(value: object, type_name: str) -> Any:
    """Return `value` as the field type `type_name` says; other types leave it as it is."""
    if type_name == "Integer":
        return integer(value)
    if type_name == "Float":
        return real(value)
    if type_name == "Boolean":
        return boolean(value)
    if type_name in {"String", "Password", "Select"}:
        return "" if value is None else str(value)
    return value
