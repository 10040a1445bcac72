"""A look at the beginning of data: text, JSON, a picture, or how Python shows an object.

Nothing is ever unpickled for it, and no file outside the directory of the session is opened: what
is shown of an object is the object that is in memory here.
"""

from __future__ import annotations

import base64
import codecs
import json
import os
import reprlib
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates
from dlg.drops.io import OpenMode
from dlg.exceptions import DaliugeException

PICTURES: Mapping[bytes, str] = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
NOTHING: Mapping[str, Any] = {
    "kind": "none", "type": "", "text": "", "base64": "", "size": None, "whole": False,
}  # fmt: skip
READABLE = frozenset({DROPStates.COMPLETED, DROPStates.WRITING})
DEEPEST = 6


def preview(drop: Any, root: Path, most: int) -> dict[str, Any]:
    """Return what the first `most` bytes of a drop look like; "none" for what cannot be shown."""
    if not hasattr(drop, "getIO") or drop.status not in READABLE:
        return dict(NOTHING)
    path = getattr(drop, "path", None)
    if path is not None:
        return _of_path(Path(path), root, most)
    if drop.status is not DROPStates.COMPLETED:
        return dict(NOTHING)
    try:
        return _of_memory(drop, most) if isinstance(drop, InMemoryDROP) else _of_io(drop, most)
    except (DaliugeException, OSError):
        return dict(NOTHING)  # the data has gone, or is nothing that can be read


def _of_path(path: Path, root: Path, most: int) -> dict[str, Any]:
    try:
        real = path.resolve()
        if not real.is_relative_to(root.resolve()):
            return dict(NOTHING)
        if real.is_dir():
            return _of_directory(real, most)
        # A pipe would be waited for, and a link that came meanwhile may lead anywhere.
        found = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(found, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                return dict(NOTHING)
            return look(file.read(most), about.st_size)
    except OSError:
        return dict(NOTHING)


def _of_directory(path: Path, most: int) -> dict[str, Any]:
    names, size = [], 0
    for entry in os.scandir(path):
        size += len(os.fsencode(entry.name)) + 1
        if size > most:
            break
        names.append(entry.name + ("/" if entry.is_dir(follow_symlinks=False) else ""))
    text = "\n".join(sorted(names))
    told = {"kind": "text", "type": "inode/directory", "text": text, "whole": size <= most}
    return {**NOTHING, **told}


def _of_memory(drop: InMemoryDROP, most: int) -> dict[str, Any]:
    if drop.is_parcel:
        return dict(NOTHING)  # it came from another process and nobody here has opened it
    value = drop.value()
    if isinstance(value, bytes | bytearray | memoryview):
        return look(bytes(memoryview(value)[:most]), memoryview(value).nbytes)
    if isinstance(value, str):
        return look(value[:most].encode(errors="replace")[:most], len(value.encode()))
    text = shown(value, most)
    whole = len(text) < most and "..." not in text  # which stands for what was left out
    told = {"kind": "text", "type": "text/x-python", "text": text, "whole": whole}
    return {**NOTHING, **told}


def _of_io(drop: Any, most: int) -> dict[str, Any]:
    io = drop.getIO()
    io.open(OpenMode.OPEN_READ)
    try:
        content = bytes(io.read(most + 1))
    finally:
        io.close()
    size = drop.size if isinstance(drop.size, int) else len(content)
    return look(content[:most], max(size, len(content)))


def look(content: bytes, size: int) -> dict[str, Any]:
    """Return what `content`, the beginning of `size` bytes, is."""
    whole = len(content) >= size
    told = {**NOTHING, "size": size, "whole": whole}
    for start, media in PICTURES.items():
        if content.startswith(start):
            return {**told, "kind": "image", "type": media, "base64": _packed(content)}
    text = _text(content, whole=whole)
    if text is None:
        return {
            **told, "kind": "binary", "type": "application/octet-stream",
            "base64": _packed(content),
        }  # fmt: skip
    if whole and _is_json(text):
        return {**told, "kind": "json", "type": "application/json", "text": text}
    return {**told, "kind": "text", "type": "text/plain", "text": text}


def shown(value: Any, most: int) -> str:
    """Return how Python shows a value, of which only the beginning is looked at."""
    short = reprlib.Repr()
    short.maxlevel = DEEPEST
    short.maxdict = short.maxlist = short.maxtuple = short.maxset = max(1, most // 8)
    short.maxfrozenset = short.maxdeque = short.maxarray = max(1, most // 8)
    short.maxstring = short.maxlong = short.maxother = most
    try:
        return short.repr(value)[:most]
    except Exception as error:  # noqa: BLE001  a class of a user's may refuse in any way
        return f"<{type(value).__name__}: {type(error).__name__}>"[:most]


def _text(content: bytes, *, whole: bool) -> str | None:
    if b"\0" in content:
        return None
    try:
        # The last character may be cut in two where there is more.
        return codecs.getincrementaldecoder("utf-8")().decode(content, final=whole)
    except UnicodeDecodeError:
        return None


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()
