"""Reading and judging declarations: JSON without duplicate keys, JSON Schema, and how errors read.

Whatever is wrong with a declaration becomes a text in a list; nothing of this raises for it. The
schemas are files, `schemas/<kind>/<version>.json`. Where the existing packages judge otherwise,
because their schema has a hole, `<version>.compat.json` says what they accept.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlg.exceptions import InvalidAssetError, MissingExtraError, UsageError

if TYPE_CHECKING:
    import jsonschema_rs

__all__ = [
    "DeclarationError",
    "DuplicateKeyError",
    "NumpyJSONEncoder",
    "dumps",
    "error_on_duplicate_key_hook",
    "parse",
    "pointer",
    "prototype",
    "prototype_code",
    "read",
    "schema_errors",
    "versions",
]

HERE = Path(__file__).parent
DEFAULT_VERSION = 1
# What the reading of a document raises if it is none, if it is too deep, or has no encoding.
UNREADABLE = (ValueError, RecursionError)


class DeclarationError(UsageError, RuntimeError):
    """A declaration cannot even be read; the text is what goes into the errors of its asset."""


class DuplicateKeyError(DeclarationError):
    """An object of JSON says the same key twice."""


class NumpyJSONEncoder(json.JSONEncoder):
    """Writes numbers, arrays and types of numpy, and bytes, as JSON."""

    def default(self, o: Any) -> Any:
        """Return what stands for `o` in JSON; raise `TypeError` if nothing does."""
        if isinstance(o, np.generic | np.ndarray):
            return o.tolist()
        if isinstance(o, np.dtype):
            return "string" if o.kind == "U" else o.name
        if isinstance(o, complex):
            return str(o)
        return o.decode() if isinstance(o, bytes) else super().default(o)


def dumps(declaration: object, indent: int | None = 4) -> str:
    """Return a declaration as JSON, its keys in their order."""
    return json.dumps(declaration, indent=indent, cls=NumpyJSONEncoder)


def error_on_duplicate_key_hook(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dictionary; raise `DuplicateKeyError` if one key comes twice.

    To be the `object_pairs_hook` of `json.loads`.
    """
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for at, key in enumerate(keys) if key in keys[:at])
        raise DuplicateKeyError(f"Invalid file content\n{twice} found several times")
    return made


def parse(text: str | bytes) -> Any:
    """Return what a declaration says; raise `DeclarationError` if it is no JSON."""
    try:
        return json.loads(text, object_pairs_hook=error_on_duplicate_key_hook)
    except DuplicateKeyError as error:
        raise DeclarationError(f"Invalid JSON: {error}") from None
    except UNREADABLE as error:
        raise DeclarationError(f"invalid JSON code: {error}") from None


def read(path: str | Path) -> Any:
    """Return what the declaration in a file says; raise `DeclarationError` if it is not one."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  done for each asset, and a Path is slow
            return parse(file.read())
    except OSError as error:
        raise DeclarationError(f"{path} cannot be read: {error.strerror}") from None


def schema_errors(
    kind: str, declaration: object, *, version: object = DEFAULT_VERSION, compat: bool = False
) -> list[str]:
    """Return what the schema of a kind of asset has against a declaration, in its order.

    `version` is that of the schema, as the declaration says it; `compat` judges as the existing
    packages do.
    """
    known = versions(kind)
    if (wanted := _number(version, compat)) not in known:
        return [
            f"/schema_version: {version!r} is no version of the schema of a {kind}: "
            f"there is {', '.join(map(str, known))}"
        ]
    validator = _validator(kind, wanted, compat)
    try:
        if validator.is_valid(declaration):
            return []
        return [_told(error) for error in validator.iter_errors(declaration)]
    except UNREADABLE as error:
        return [f"/: this is no JSON: {error}"]


def versions(kind: str) -> tuple[int, ...]:
    """Return the versions of the schema of a kind of asset, from old to new."""
    return _versions(kind)


def pointer(path: Iterable[str | int]) -> str:
    """Return the JSON pointer to a place; that of the whole is `/`."""
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in path]
    return "/" + "/".join(parts)


def prototype(kind: str) -> dict[str, Any]:
    """Return a declaration to begin with; each call a new one."""
    made: dict[str, Any] = json.loads(_prototype(kind, ".json"))
    return made


def prototype_code(kind: str) -> bytes:
    """Return code to begin with, in Python, for a kind of asset that has some."""
    return _prototype(kind, ".py")


def _number(version: object, compat: bool) -> int:
    """Return a version as a number, 0 if it is none; the existing packages cut it."""
    if isinstance(version, bool) and not compat:
        return 0
    if isinstance(version, int) or (isinstance(version, float) and version.is_integer()):
        return int(version)
    cut = compat and isinstance(version, float) and math.isfinite(version)
    return int(version) if cut and isinstance(version, float) else 0


@functools.cache
def _prototype(kind: str, ending: str) -> bytes:
    path = HERE / "prototypes" / f"{kind}{ending}"
    if not path.is_file():
        raise InvalidAssetError(f"there is no prototype {path.name}")
    return path.read_bytes()


@functools.cache
def _versions(kind: str) -> tuple[int, ...]:
    files = (HERE / "schemas" / kind).glob("*.json")
    return tuple(sorted({int(file.name.partition(".")[0]) for file in files}))


@functools.cache
def _validator(kind: str, version: int, compat: bool) -> jsonschema_rs.Draft4Validator:
    """Return the compiled schema: done once, as that takes longer than a use of it."""
    try:
        import jsonschema_rs  # noqa: PLC0415  optional; checking is this module's part only
    except ImportError as error:
        raise MissingExtraError("jsonschema_rs", "beat") from error
    path = HERE / "schemas" / kind / f"{version}.json"
    lenient = path.with_suffix(".compat.json")
    schema = json.loads((lenient if compat and lenient.is_file() else path).read_bytes())
    return jsonschema_rs.Draft4Validator(schema)


def _told(
    error: jsonschema_rs.ValidationError, above: Sequence[str | int] = (), indent: str = ""
) -> str:
    """Return an error in words, and below it those of the choices none of which fits.

    `above` is the way to the rule of the error that this one belongs to: it is not told again.
    """
    way = list(error.schema_path)
    own = way[len(above) :] if way[: len(above)] == list(above) else way
    choices = list(_choices(error))
    message = f"fits none of {len(choices)} possibilities" if choices else error.message
    lines = [f"{indent}{pointer(error.instance_path)}: {message} (rule: {pointer(own)})"]
    # What comes nearest first: most likely it was meant.
    for choice in sorted(choices, key=len):
        lines += (_told(inner, way, indent + "  ") for inner in choice)
    return "\n".join(lines)


def _choices(
    error: jsonschema_rs.ValidationError,
) -> Iterator[Sequence[jsonschema_rs.ValidationError]]:
    """Yield, for each choice of a `oneOf` or `anyOf`, what speaks against it."""
    choices: Sequence[Sequence[jsonschema_rs.ValidationError]] = getattr(error.kind, "context", ())
    yield from choices


def version_of(declaration: object, key: str = "schema_version") -> object:
    """Return the version of the schema that a declaration asks for, whatever that is."""
    if isinstance(declaration, Mapping):
        return declaration.get(key, DEFAULT_VERSION)
    return DEFAULT_VERSION
