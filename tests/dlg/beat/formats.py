"""Data formats, their values, and classes made for them, for tests and laws."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from dlg.beat.baseformat import BASE_TYPES, baseformat, make_type


def made(name: str, declaration: dict[str, Any]) -> type[baseformat]:
    """Return the class of a format whose objects stand inline."""

    def kind(field: str, value: Any) -> Any:
        if isinstance(value, dict):
            return made(f"{name}.{field}", value)
        if isinstance(value, list):
            return [*value[:-1], kind(field, value[-1])]
        return value

    return make_type(name, {key: kind(key, value) for key, value in declaration.items()})


# Names that begin and end with two underscores are no fields.
_names = st.from_regex(r"[abXY][abXY_]{0,2}", fullmatch=True)
_base = st.sampled_from(BASE_TYPES)


def _arrays(element: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    shapes = st.lists(st.integers(0, 2), min_size=1, max_size=2)
    return st.builds(lambda shape, kind: [*shape, kind], shapes, element)


_flat = _base | _arrays(_base)
_objects = st.dictionaries(_names, _flat, max_size=2)
formats = st.dictionaries(_names, _flat | _objects | _arrays(_objects), max_size=3)
"""Declarations, with objects in objects and arrays of all kinds."""


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return values that a field of a format may be given."""
    if isinstance(kind, dict):
        return st.fixed_dictionaries({name: values_of(k) for name, k in kind.items()})
    if isinstance(kind, list):
        return _array_values(kind)
    if kind == "string":
        return st.text(st.characters(codec="utf-8"), max_size=5)
    return _scalars(np.dtype(kind))


def _array_values(kind: list[Any]) -> st.SearchStrategy[Any]:
    length, rest = kind[0], kind[1:]
    if len(rest) == 1:
        inner = values_of(rest[0])
    elif 0 not in kind[:-1]:
        inner = _array_values(rest)
    else:
        # Free lengths must agree over the whole array: nothing but fixed ones vary here.
        inner = _array_values([n or 1 for n in rest[:-1]] + [rest[-1]])
    size = {"min_size": length, "max_size": length} if length else {"min_size": 1, "max_size": 2}
    return st.lists(inner, **size)


def _scalars(dtype: np.dtype[Any]) -> st.SearchStrategy[Any]:
    if dtype.kind == "b":
        plain: st.SearchStrategy[Any] = st.booleans()
    elif dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        plain = st.integers(int(bounds.min), int(bounds.max))
    elif dtype.kind == "f":
        plain = st.floats(width=32, allow_nan=False)
    else:
        plain = st.complex_numbers(allow_nan=False, width=64)
    return plain.map(dtype.type)
