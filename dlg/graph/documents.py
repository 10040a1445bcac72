"""From a file, standard input or a text to a JSON value, with clear words for what goes wrong."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from dlg.exceptions import InvalidGraphException

GZIP_MAGIC = b"\x1f\x8b"
MAX_UNPACKED = 8 << 30
"""Bytes a compressed file may grow to; a million rich drops take about a tenth of it."""
_PIECE = 1 << 24


def read_document(source: str | os.PathLike[str] | bytes, name: str = "") -> tuple[Any, str]:
    """Return the JSON value in `source`, and the name of the source for messages.

    `source` is a path, `-` for standard input, or JSON as bytes; gzip is recognised by content.
    Messages call it `name`, or else by its path.
    Raises `InvalidGraphException` for what cannot be read or is no JSON.
    """
    if isinstance(source, bytes):
        content, name = source, name or "<bytes>"
    elif source == "-":
        content, name = sys.stdin.buffer.read(), name or "standard input"
    else:
        content, name = _read_file(Path(source)), name or os.fspath(source)
    if content.startswith(GZIP_MAGIC):
        content = _unpack(content, name)
    return decode(content, name), name


def decode(content: bytes, name: str) -> Any:
    """Return the JSON value in `content`; a byte-order mark is skipped."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise InvalidGraphException(f"{name}: the file is empty", source=name)
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidGraphException(f"{name}: this is no JSON: {error}", source=name) from error


def is_logical_graph(document: Any) -> bool:
    """Return whether a JSON value is a logical graph, as an editor draws it, of any generation."""
    if not isinstance(document, Mapping):
        return False
    return "nodeDataArray" in document or isinstance(document.get("nodes"), Mapping)


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidGraphException(f"{path}: there is no such file", source=str(path)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidGraphException(f"{path}: {reason}", source=str(path)) from error


def _unpack(content: bytes, name: str) -> bytes:
    """Return unpacked `content`, refusing one that grows beyond all reason."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    pieces, total = [], 0
    try:
        while content and not unpacker.eof:
            pieces.append(unpacker.decompress(content, _PIECE))
            total += len(pieces[-1])
            if total > MAX_UNPACKED:
                text = f"{name}: unpacks to more than {MAX_UNPACKED >> 30} GiB"
                raise InvalidGraphException(text, source=name)
            content = unpacker.unconsumed_tail
    except zlib.error as error:
        raise InvalidGraphException(f"{name}: damaged gzip: {error}", source=name) from error
    if not unpacker.eof:
        raise InvalidGraphException(f"{name}: the gzip file is cut short", source=name)
    return b"".join(pieces)


def open_for_writing(path: str | os.PathLike[str]) -> Any:
    """Return a binary file to write to: compressed for `.gz`, standard output for `-`."""
    if path == "-":
        return sys.stdout.buffer
    if os.fspath(path).endswith(".gz"):
        return gzip.open(path, "wb", compresslevel=6)
    return Path(path).open("wb")
