"""Parameters that are looked up: `$DLG_NAME` in the session's variables, `$store.name` in a drop.

A *store* is a drop among the neighbours that has a `get` method and is named as in the reference
(a JSON or parameter-set drop, for instance).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.drops.parameters import Parameter
from dlg.exceptions import InvalidDropException


def fill(drop: Any, given: dict[str, Any], declared: Mapping[str, Parameter]) -> None:
    """Replace the references among the `given` parameters of `drop` by what they stand for."""
    for name, value in given.items():
        if isinstance(value, str) and is_reference(value):
            found = look_up(drop, value)
            given[name] = declared[name].convert(found, drop) if name in declared else found


def is_reference(text: str) -> bool:
    """Return whether `text` is a whole reference: `$DLG_NAME` or `$store.name`.

    A text that merely begins with a dollar sign, such as `$HOME/data`, is left to whoever expands
    paths.
    """
    if not text.startswith("$"):
        return False
    store, dot, key = text[1:].partition(".")
    if not dot:
        return text.startswith("$DLG_") and text[1:].isidentifier()
    return store.isidentifier() and all(part.isidentifier() for part in key.split("."))


def look_up(drop: Any, key: str) -> Any:
    """Return what reference `key` stands for, seen from `drop`."""
    store, dot, name = key.removeprefix("$").partition(".")
    if not dot:
        variables = drop._graph.surroundings.variables
        if store not in variables:
            raise InvalidDropException(drop, f"the environment variable {store} is not set")
        return variables[store]
    found = next((n for n in _neighbours(drop) if n.name == store and hasattr(n, "get")), None)
    if found is None:
        raise InvalidDropException(drop, f"{key}: no input or producer named {store!r} has values")
    value = found
    for part in name.split("."):
        value = value.get(part)
        if value is None:
            raise InvalidDropException(drop, f"{key}: {store!r} has no value named {part!r}")
    return value


def _neighbours(drop: Any) -> list[Any]:
    graph = drop._graph
    return [graph.drop(row) for row in graph.flow.before[drop._row]]
