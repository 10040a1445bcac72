"""Values to bytes and back, in the encodings that ports and drops name.

One table. An encoding says how a value becomes bytes, how bytes become a value, and what happens
to a value that is handed over in one process *without* becoming bytes (`normalise`): an encoding
that loses something (utf-8 makes texts of everything) loses it then as well, so that a graph does
the same wherever its apps run.

`pickle`, `cloudpickle` and `dill` run code when they are decoded. They are for data that apps of
the same graph made; nothing that came from a network is decoded by this module.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dlg.exceptions import RunError, UsageError

DEFAULT = "pickle"


class EncodingError(RunError):
    """A value cannot be written, or bytes cannot be read, in the encoding that was asked for."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How values become bytes and back."""

    encode: Callable[[Any], bytes | memoryview]
    decode: Callable[[bytes], Any]
    normalise: Callable[[Any], Any]
    """What a value is after a round trip, without making the trip."""


def _same(value: Any) -> Any:
    return value


def _dump(value: Any) -> bytes:
    """Pickle `value`, with what plain pickle refuses, as functions of scripts, by value."""
    try:
        return pickle.dumps(value, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        import cloudpickle  # noqa: PLC0415  slow to import and rarely needed

        return bytes(cloudpickle.dumps(value))


def dump_apart(value: Any) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """Return a pickle of `value` and its large buffers, which are not in the pickle."""
    buffers: list[pickle.PickleBuffer] = []
    try:
        return pickle.dumps(value, protocol=5, buffer_callback=buffers.append), buffers
    except (pickle.PicklingError, AttributeError, TypeError):
        return _dump(value), []


def _load(data: bytes) -> Any:
    return pickle.loads(data)  # noqa: S301  see the module's text


def _to_npy(value: Any) -> memoryview:
    import numpy as np  # noqa: PLC0415  graphs without arrays need not wait for it

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(value), allow_pickle=False)
    return buffer.getbuffer()


def _from_npy(data: bytes) -> Any:
    import numpy as np  # noqa: PLC0415  as above

    return np.load(io.BytesIO(data), allow_pickle=False)


def _to_array(value: Any) -> Any:
    import numpy as np  # noqa: PLC0415  as above

    return np.asanyarray(value)


def _to_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else bytes(memoryview(value))


def _to_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode()
    return value if isinstance(value, str) else str(value)


def _literal(data: bytes) -> Any:
    """Return the Python literal in `data`; nothing is ever evaluated."""
    return ast.literal_eval(data.decode().strip())


def _from_json(data: bytes) -> Any:
    return json.loads(data)


def _json_round(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _text(name: str = "") -> Encoding:
    del name
    return Encoding(lambda value: _to_text(value).encode(), bytes.decode, _to_text)


ENCODINGS: Mapping[str, Encoding] = {
    "pickle": Encoding(_dump, _load, _same),
    "dill": Encoding(_dump, _load, _same),
    "cloudpickle": Encoding(_dump, _load, _same),
    "npy": Encoding(_to_npy, _from_npy, _to_array),
    "json": Encoding(lambda value: json.dumps(value).encode(), _from_json, _json_round),
    "utf-8": _text(),
    "raw": Encoding(_to_bytes, _same, _to_bytes),
    "binary": Encoding(_to_bytes, _same, _to_bytes),
    "base64": Encoding(
        lambda value: base64.b64encode(_to_bytes(value)), base64.b64decode, _to_bytes
    ),
    "eval": Encoding(lambda value: repr(value).encode(), _literal, _same),
    "path": _text(),
    "dataurl": _text(),
}
"""All encodings. `path` and `dataurl` are texts that say where the data is."""

ALIASES: Mapping[str, str] = {
    "utf8": "utf-8",
    "text": "utf-8",
    "bytes": "raw",
    "": DEFAULT,
    "numpy": "npy",
}
OBJECTS = frozenset({"pickle", "dill", "cloudpickle"})
"""Encodings that keep any object as it is, and read each other's bytes."""


def encoding_name(name: str) -> str:
    """Return the standard name of an encoding; raise `UsageError` if there is none."""
    plain = name.strip().lower()
    plain = ALIASES.get(plain, plain)
    if plain not in ENCODINGS:
        raise UsageError(f"there is no encoding {name!r}; known are {', '.join(ENCODINGS)}")
    return plain


def encode(value: Any, encoding: str = DEFAULT) -> bytes | memoryview:
    """Return `value` as bytes; raise `EncodingError` if the encoding cannot hold it."""
    name = encoding_name(encoding)
    try:
        return ENCODINGS[name].encode(value)
    except Exception as error:
        kind = type(value).__name__
        raise EncodingError(f"a {kind} cannot be written as {name}: {error}") from error


def decode(data: bytes | bytearray | memoryview, encoding: str = DEFAULT) -> Any:
    """Return the value that `data` is; raise `EncodingError` if it is none in this encoding."""
    name = encoding_name(encoding)
    try:
        return ENCODINGS[name].decode(bytes(data))
    except Exception as error:
        text = f"{len(data)} bytes cannot be read as {name}: {error}"
        raise EncodingError(text) from error


def normalise(value: Any, encoding: str = DEFAULT) -> Any:
    """Return what a round trip through `encoding` makes of `value`, by reference where it can."""
    name = encoding_name(encoding)
    try:
        return ENCODINGS[name].normalise(value)
    except Exception as error:
        kind = type(value).__name__
        raise EncodingError(f"a {kind} cannot be written as {name}: {error}") from error


def compatible(written: str, wanted: str) -> bool:
    """Return whether a value stored as `written` is what reading it as `wanted` gives."""
    one, other = encoding_name(written), encoding_name(wanted)
    return one == other or {one, other} <= OBJECTS
