"""Data in a JSON file, with access to its values by key: a file drop that can be looked into."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dlg.data.file import FileDROP
from dlg.exceptions import RunError


class JsonDROP(FileDROP):
    """A JSON file; `$name.key` in a parameter of a neighbour looks a value up in it."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        """Return the value of `key`; raise `KeyError` if there is none."""
        return self.values()[key]

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default`."""
        return self.values().get(key, default)

    def values(self) -> Mapping[str, Any]:
        """Return all values; raise `RunError` if the file holds no JSON object."""
        try:
            found = json.loads(self.contents())
        except ValueError as error:
            raise RunError(f"drop {self.uid}: {self.path} holds no JSON: {error}") from error
        if not isinstance(found, dict):
            kind = type(found).__name__
            raise RunError(f"drop {self.uid}: {self.path} holds a {kind}, not an object")
        return found
