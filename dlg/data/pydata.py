"""What `pydata` in a graph file means: the value that a drop has from the beginning. Pure.

It is a value as it is, a text that may be a JSON value or a Python literal, or an object with the
value and its type, as editors write it.
"""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Mapping
from typing import Any

from dlg.drops.parameters import argument_value, to_bool
from dlg.exceptions import InvalidDropException
from dlg.support import serialize


def read_pydata(given: Any, drop: object) -> Any:
    """Return the value that `pydata` of a graph file means; raise `InvalidDropException`."""
    if isinstance(given, Mapping) and "value" in given:
        kind = str(given.get("type") or "").lower()
        return _typed(argument_value(given), kind, drop)
    if isinstance(given, str):
        return _guess(given)
    return given


def _guess(text: str) -> Any:
    """Return what a bare text means: a JSON value or Python literal if it is one, else itself."""
    for reader in (json.loads, ast.literal_eval):
        try:
            return reader(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return text


def _typed(value: Any, kind: str, drop: object) -> Any:
    if value is None:
        return None
    try:
        if kind.partition(".")[0] in {"object", "raw"} and isinstance(value, str):
            return _object(value, kind)
        reader = _READERS.get(kind)
        return value if reader is None else reader(value)
    except (ValueError, TypeError, SyntaxError, serialize.EncodingError) as error:
        reason = f"pydata {str(value)[:60]!r} is no {kind}: {error}"
        raise InvalidDropException(drop, reason) from error


def _object(text: str, kind: str) -> Any:
    """Return the object in base64 `text`, or what a plain text there means."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return _guess(text) if kind != "raw" else text.encode()
    if kind == "raw":
        return text.encode()
    try:
        return serialize.decode(data, "dill")
    except serialize.EncodingError:
        return _guess(text)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _literal(value: Any) -> Any:
    return ast.literal_eval(value) if isinstance(value, str) else value


_READERS: Mapping[str, Any] = {
    "json": _json,
    "eval": _literal,
    "list": _literal,
    "dict": _literal,
    "complex": _literal,
    "int": int,
    "integer": int,
    "float": float,
    "bool": to_bool,
    "boolean": to_bool,
    "str": str,
    "string": str,
}
