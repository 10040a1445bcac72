"""The hash of contents, taken while they are written or read: BLAKE3.

Files are written at 3 GiB/s and more where memory takes them. SHA-256 comes to half of that even
where the processor helps; BLAKE3 keeps up, and leaves more of the processor to the apps. Anybody
can check it with `b3sum`. A hash is written with its algorithm in front, so that another one can
follow.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

if TYPE_CHECKING:
    from typing_extensions import Buffer

ALGORITHM = "blake3"
_PIECE = 1 << 20


class ContentHasher:
    """Takes content a piece at a time."""

    __slots__ = ("_hash", "size")

    def __init__(self) -> None:
        self._hash = blake3()
        self.size = 0
        """How many bytes have been taken."""

    def update(self, data: Buffer) -> None:
        """Take one more piece; other threads run meanwhile if it is more than 2 KiB."""
        view = memoryview(data)
        if view.nbytes:
            self._hash.update(view.cast("B"))
        self.size += view.nbytes

    def result(self) -> str:
        """Return the hash of all that was taken so far."""
        return f"{ALGORITHM}:{self._hash.hexdigest()}"


def hash_of(data: Buffer) -> str:
    """Return the hash of content that is there as a whole."""
    hasher = ContentHasher()
    hasher.update(data)
    return hasher.result()


def hash_of_file(path: Path) -> str:
    """Return the hash of a file's content; raise `OSError` if it cannot be read."""
    hasher = ContentHasher()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            hasher.update(piece)
    return hasher.result()


def sha256_of_file(path: Path, content: str) -> str:
    """Return the SHA-256 of a file, for those who ask for it; empty if it has changed.

    `content` is the hash that it had. Raises `OSError` if it cannot be read.
    """
    hasher, found = ContentHasher(), hashlib.sha256(usedforsecurity=False)
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            hasher.update(piece)
            found.update(piece)
    return found.hexdigest() if hasher.result() == content else ""


def stamp_of(path: str | Path) -> object:
    """Return what changes when somebody writes to a file; None if it cannot be told.

    Within a tick of the clock of the file system (some milliseconds) a second change of the same
    size cannot be told from the first.
    """
    try:
        about = os.stat(path)  # noqa: PTH116  once for each app that reads it
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def hash_of_directory(path: Path) -> str:
    """Return the hash of what a directory holds: names, contents, and where links point to."""
    hasher = ContentHasher()
    for entry in sorted(path.rglob("*")):
        name = entry.relative_to(path).as_posix()
        if entry.is_symlink():
            line = f"link {len(name)} {name} {entry.readlink()}"
        elif entry.is_dir():
            line = f"directory {len(name)} {name}"
        else:
            line = f"file {len(name)} {name} {hash_of_file(entry)}"
        hasher.update(f"{line}\n".encode(errors="surrogateescape"))
    return hasher.result()
