"""Hashes of declarations, code, datasets and block outputs, equal to those of the existing system.

They name files in caches, so they must not change. They leave a lot out (libraries, views,
formats, the partner of a loop); what knows all of that is the signature of `dlg.beat.signatures`.
All are SHA-256 in hexadecimal digits.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

__all__ = [
    "hash",
    "hashAnalyzer",
    "hashBlockOutput",
    "hashDataset",
    "hashFileContents",
    "hashJSON",
    "hashJSONFile",
    "hashJSONStr",
    "toPath",
    "toUserPath",
]


def hash(  # noqa: A001  the name of the interface
    dictionary_or_string: Mapping[str, Any] | str | bytes,
) -> str:
    """Return the hash of a text, or of a mapping as `stringify` writes it."""
    what = dictionary_or_string
    if isinstance(what, bytes):
        return _digest(what)
    return _digest((what if isinstance(what, str) else stringify(what)).encode())


def stringify(values: Mapping[str, Any]) -> str:
    """Return `{"key":value,...}` in the order of the keys, values as `str` and without quotes.

    Not injective: 1 and "1" give the same, and a text may hold what looks like the next key.
    """
    return "{" + ",".join(f'"{key}":{values[key]!s}' for key in sorted(values)) + "}"


def hashDataset(database_name: str, protocol_name: str, set_name: str) -> str:
    """Return the hash of a set of a database, by which its index is found in a cache."""
    return _digest(
        f'{{"database":"{database_name}","protocol":"{protocol_name}","set":"{set_name}"}}'.encode()
    )


def hashBlockOutput(  # noqa: PLR0913, PLR0917  the interface
    block_name: str,
    algorithm_name: str,
    algorithm_hash: str,
    parameters: Mapping[str, Any],
    environment: Mapping[str, Any],
    input_hashes: Mapping[str, str],
    output_name: str,
) -> str:
    """Return the hash of what a block writes to its output `output_name`."""
    made_of = _made_of(algorithm_hash, parameters, environment, input_hashes)
    return _digest(f'{{{made_of},"output":"{output_name}"}}'.encode())


def hashAnalyzer(
    analyzer_name: str,
    algorithm_name: str,
    algorithm_hash: str,
    parameters: Mapping[str, Any],
    environment: Mapping[str, Any],
    input_hashes: Mapping[str, str],
) -> str:
    """Return the hash of the results of an analyzer."""
    made_of = _made_of(algorithm_hash, parameters, environment, input_hashes)
    return _digest(f'{{"algorithm_name":"{algorithm_name}",{made_of}}}'.encode())


def hashJSON(contents: object, description: str) -> str:
    """Return the hash of a declaration without its key `description`."""
    if isinstance(contents, Mapping) and description in contents:
        contents = {key: value for key, value in contents.items() if key != description}
    return _digest(json.dumps(contents, sort_keys=True).encode())


def hashJSONStr(contents: str, description: str) -> str:
    """Return the hash of a declaration that is a text; of two equal keys the last one counts."""
    try:
        declaration = json.loads(contents)
    except ValueError:
        return _digest(contents.encode())
    return hashJSON(declaration, description)


def hashJSONFile(path: str | PurePath, description: str) -> str:
    """Return the hash of the declaration in a file, or that of its bytes if it is no JSON."""
    raw = Path(path).read_bytes()
    try:
        return hashJSONStr(raw.decode(), description)
    except UnicodeDecodeError:
        return _digest(raw)


def hashFileContents(path: str | PurePath) -> str:
    """Return the hash of the bytes of a file; raise `OSError` if it cannot be read."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def toPath(hash: str, suffix: str = ".data") -> str:  # noqa: A002  the interface
    """Return the path below a cache for `hash`: three levels of folders, and the rest."""
    return f"{hash[0:2]}/{hash[2:4]}/{hash[4:6]}/{hash[6:]}{suffix}"


@functools.lru_cache(maxsize=1024)
def toUserPath(username: str) -> str:
    """Return the path of a user in a prefix whose folders are sharded."""
    spread = _digest(username.encode())
    return f"{spread[0:2]}/{spread[2:4]}/{username}"


def _made_of(
    algorithm_hash: str,
    parameters: Mapping[str, Any],
    environment: Mapping[str, Any],
    input_hashes: Mapping[str, str],
) -> str:
    return (
        f'"algorithm":"{algorithm_hash}","parameters":{stringify(parameters)},'
        f'"environment":{stringify(environment)},"inputs":{stringify(input_hashes)}'
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
