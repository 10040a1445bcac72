"""`"...".format(...)` of expressions: fields are names and subscripts, never attributes."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from dlg.jobs.limits import SCALARS, Budget, LimitError

_FIELD = re.compile(r"([A-Za-z_][A-Za-z_0-9]*|[0-9]{0,3})((?:\[[^\[\]]{1,200}\])*)")
_SUBSCRIPT = re.compile(r"\[([^\[\]]+)\]")
_SPEC = re.compile(
    r"(?:[^{}]?[<>=^])?[-+ ]?z?#?0?[0-9]{0,3}[,_]?(?:\.[0-9]{1,3})?[bcdeEfFgGnosxX%]?"
)

Part = tuple[str, str | None, tuple[str, ...], str, str]
"""A text, and the field after it: first name (None: no field), subscripts, format, conversion."""


@functools.lru_cache(maxsize=4096)
def parts_of(template: str) -> tuple[Part, ...]:
    """Return what a template is made of; raise `LimitError` for what it must not contain."""
    found: list[Part] = []
    automatic = 0
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise LimitError(f"the template is wrong: {error}") from error
    for text, field, spec, conversion in pieces:
        if field is None:
            found.append((text, None, (), "", ""))
            continue
        match = _FIELD.fullmatch(field)
        if match is None:
            raise LimitError(f"{{{field}}} is no name with subscripts")
        if not _SPEC.fullmatch(spec or ""):
            raise LimitError(f"{spec!r} is no format that is possible here")
        if conversion not in (None, "s", "r", "a"):
            raise LimitError(f"!{conversion} is no conversion")
        name = match[1]
        if not name:
            name, automatic = str(automatic), automatic + 1
        subscripts = tuple(_SUBSCRIPT.findall(match[2]))
        found.append((text, name, subscripts, spec or "", conversion or ""))
    return tuple(found)


def fill(
    template: str, positional: Sequence[Any], named: Mapping[str, Any], budget: Budget
) -> str:
    """Return a template with its fields filled in."""
    made: list[str] = []
    for text, name, subscripts, spec, conversion in parts_of(template):
        made.append(text)
        if name is None:
            continue
        value = _found(name, positional, named)
        for key in subscripts:
            value = _item(value, key)
        made.append(shown(value, spec, conversion, budget))
    budget.text(sum(map(len, made)))
    return "".join(made)


def shown(value: Any, spec: str, conversion: str, budget: Budget) -> str:
    """Return a value as text."""
    if type(value) not in SCALARS:
        budget.weigh(value)
    if conversion or (spec and type(value) not in SCALARS):
        value = ascii(value) if conversion == "a" else str(value)
    if value is None or type(value) in (list, tuple, dict):
        value = str(value)
    return format(value, spec)


def _found(name: str, positional: Sequence[Any], named: Mapping[str, Any]) -> Any:
    if name.isdigit():
        if int(name) >= len(positional):
            raise LimitError(f"the template wants a value {name}, which it is not given")
        return positional[int(name)]
    if name not in named:
        raise LimitError(f"the template wants {name!r}, which it is not given")
    return named[name]


def _item(value: Any, key: str) -> Any:
    try:
        return value[int(key) if key.isdigit() and not isinstance(value, Mapping) else key]
    except (LookupError, TypeError) as error:
        raise LimitError(f"there is no item {key!r}") from error
