"""The values of parameters in a dropspec, wherever they stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GROUPS = ("constraintParams", "componentParams", "applicationArgs")
"""The keys under which editors write argument objects by name, the weakest first."""


def values_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameter values in a dropspec, by name.

    A value may stand flat beside the drop's own keys or, as editors write it, in an argument
    object under `applicationArgs`, `componentParams` or `constraintParams`, or in `fields`; the
    flat one wins, as it is the one people edit by hand.
    """
    found: dict[str, Any] = {}
    for field in spec.get("fields") or ():
        if isinstance(field, Mapping) and "name" in field:
            found[field["name"]] = argument_value(field)
    for group in GROUPS:
        for name, argument in (spec.get(group) or {}).items():
            found[name] = argument_value(argument)
    found.update(spec)
    return found


def argument_value(argument: Any) -> Any:
    """Return the value of an argument object: its `value`, or its default where that is empty."""
    if not isinstance(argument, Mapping):
        return argument
    value = argument.get("value")
    return argument.get("defaultValue", value) if value in (None, "") else value
