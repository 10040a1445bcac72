"""Files of products on disk: whole or not there, whatever happens while one is written.

A file is copied under a name that nobody looks for, hashed on the way, brought to the disk and
then renamed; only then does the database learn of it, and only after that is the original removed.
What a crash leaves behind is a file that the database does not know, which `sweep` removes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dlg.support.content import ContentHasher
from dlg_engine.tasks.errors import DamagedFileError

PART = ".part"
_NAME_LENGTH = 32
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a file in the store."""

    md5: str
    content_hash: str
    size: int


def name_for(timestamp: float, filename: str, *fields: object) -> str:
    """Return a name of 32 characters for a file: when it was made, a hash, and its suffix."""
    suffix = Path(filename).suffix
    joined = "".join(str(field) for field in fields)
    digest = hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest()
    when = datetime.fromtimestamp(timestamp, UTC).strftime("%Y%m%d_%H%M%S_")
    room = _NAME_LENGTH - len(when) - len(suffix)
    if room < 8:  # a suffix so long that names would no longer differ  # noqa: PLR2004
        return (when + digest)[:_NAME_LENGTH]
    return when + digest[:room] + suffix


def copy(source: Path, target: Path, *, durable: bool = True) -> Stored:
    """Copy a file and return what it has; `target` is there as a whole, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + PART)
    md5, hasher = hashlib.md5(usedforsecurity=False), ContentHasher()
    try:
        with source.open("rb") as reading, part.open("wb") as writing:
            while piece := reading.read(_PIECE):
                md5.update(piece)
                hasher.update(piece)
                writing.write(piece)
            writing.flush()
            if durable:
                os.fsync(writing.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    if durable:
        _sync_directory(target.parent)
    return Stored(md5.hexdigest(), hasher.result(), hasher.size)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def check(path: Path, found: Stored, content_hash: str, size: int) -> None:
    """Raise DamagedFileError unless a file is what was registered."""
    if found.content_hash != content_hash or found.size != size:
        raise DamagedFileError(
            f"{path}: the file is not what was registered: {found.size} bytes with the hash "
            f"{found.content_hash}, not {size} with {content_hash}"
        )


def checked_copy(source: Path, target: Path, content_hash: str, size: int) -> Path:
    """Copy a file out of the store and return `target`.

    Raises DamagedFileError unless it is what was registered.
    """
    try:
        found = copy(source, target, durable=False)
    except FileNotFoundError:
        found = stored(source)  # says what is wrong
    check(source, found, content_hash, size)
    return target


def stored(path: Path) -> Stored:
    """Return what a file in the store has; raise DamagedFileError if it is gone."""
    md5, hasher = hashlib.md5(usedforsecurity=False), ContentHasher()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                md5.update(piece)
                hasher.update(piece)
    except OSError as error:
        raise DamagedFileError(f"{path}: a registered file cannot be read: {error}") from error
    return Stored(md5.hexdigest(), hasher.result(), hasher.size)


def md5_of(path: Path) -> str:
    """Return the MD5 of a file; raise OSError if it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sweep(root: Path, known: Callable[[str], bool], before: float) -> Iterator[Path]:
    """Remove files that were written before a time and that nobody knows; yield each."""
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.stat().st_mtime >= before:
            continue
        if path.name.endswith(PART) or not known(path.name):
            path.unlink(missing_ok=True)
            yield path
