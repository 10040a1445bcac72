"""Files of products for those who look at them: whole, or their beginning, from the store only."""

from __future__ import annotations

import base64
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from dlg.http.answers import BYTES, SVG, Answer, attachment
from dlg.http.errors import NotFoundError
from dlg.support.content import ContentHasher
from dlg_engine.managers.previews import NOTHING, PICTURES, look
from dlg_engine.tasks.errors import DamagedFileError
from dlg_engine.tasks.pages.files import VersionFile

MOST_PICTURE = 4 << 20
"""How big a picture may be that is shown."""
_PIECE = 1 << 20
_PACKED = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS


def open_file(store: Path, found: VersionFile) -> IO[bytes]:
    """Return the file of a version, open; refuse what is no plain file inside the store."""
    root = store.resolve()
    path = root / found.place
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(root):
            raise NotFoundError(f"{found.filename}: its file is not in the store")
        # A pipe would be waited for, and a link that came meanwhile may lead anywhere.
        number = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise NotFoundError(
            f"{found.filename}: its file cannot be read: {error.strerror or error}"
        ) from error
    file = os.fdopen(number, "rb")
    about = os.fstat(number)
    if not stat.S_ISREG(about.st_mode):
        file.close()
        raise NotFoundError(f"{found.filename}: it is no file")
    if about.st_size != found.size:
        file.close()
        raise DamagedFileError(
            f"{found.filename}: this is not the registered file: it has {about.st_size} bytes, "
            f"not {found.size}"
        )
    return file


def download(store: Path, found: VersionFile) -> Answer:
    """Give a file, to be kept; if its content is not what was registered the answer breaks off."""
    file = open_file(store, found)
    # Whatever it is, a browser is to keep it and not to show it: it could be a page with scripts.
    return Answer(_pieces(file, found), BYTES, headers=attachment(found.filename))


def _pieces(file: IO[bytes], found: VersionFile) -> Iterator[bytes]:
    hasher = ContentHasher()
    last = b""
    with file:
        while piece := file.read(_PIECE):
            hasher.update(piece)
            if last:
                yield last
            last = piece
    if hasher.result() != found.content_hash:
        raise DamagedFileError(f"{found.filename}: its content is not what was registered")
    yield last


def preview(store: Path, found: VersionFile, most: int) -> dict[str, Any]:
    """Return how a file begins: a picture as a whole, else text or JSON of up to `most` bytes."""
    with open_file(store, found) as file:
        start = file.read(most)
        if start.startswith(_PACKED):
            text, whole = _unpacked(start, most)
            told = look(text, len(text) if whole and len(start) == found.size else len(text) + 1)
            return {**told, "size": found.size, "packed": True}
        picture = any(start.startswith(mark) for mark in PICTURES) or _is_svg(start)
        if picture and found.size > MOST_PICTURE:
            told = {**NOTHING, "size": found.size}
        elif picture:
            told = _shown(start + file.read(MOST_PICTURE - len(start)))
        else:
            told = look(start, found.size)
        return {**told, "packed": False}


def _shown(content: bytes) -> dict[str, Any]:
    if not _is_svg(content):
        return look(content, len(content))
    # A page shows it as a picture, in which nothing runs and nothing is loaded.
    told = {"kind": "image", "type": SVG, "base64": base64.b64encode(content).decode()}
    return {**NOTHING, **told, "size": len(content), "whole": True}


def _is_svg(start: bytes) -> bool:
    head = start[:1024].lstrip()
    return head.startswith(b"<svg") or (head.startswith((b"<?xml", b"<!--")) and b"<svg" in head)


def _unpacked(packed: bytes, most: int) -> tuple[bytes, bool]:
    """Return up to `most` bytes of what was packed, and whether that is all."""
    inflating = zlib.decompressobj(_GZIP)
    try:
        text = inflating.decompress(packed, most)
    except zlib.error:
        return packed, False
    return text, inflating.eof and not inflating.unused_data
