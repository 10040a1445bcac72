"""Replicas of data: copies in a directory that is slower, bigger or safer than where it was made.

A replica is written under a temporary name, read back, compared with what was read at first, and
only then gets its name. What is brought back is compared as well before it takes its old place.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dlg.data.file_names import safe_name
from dlg.drops.contents import pieces_of
from dlg.exceptions import DropChecksumException
from dlg.support import checksums

PIECE = 1 << 20
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True, slots=True)
class Replica:
    """A copy of the data of a drop."""

    path: Path
    crc: int
    """Of the file at `path`."""
    size: int
    is_archive: bool = False
    """Whether the data is a directory, and the file an archive of it."""


class ReplicaStore:
    """A directory with replicas, in a directory for each session."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def copy(self, session_id: str, drop: Any) -> Replica:
        """Copy the data of a completed drop.

        Raises OSError if that cannot be done, and DropChecksumException if the copy, or what was
        read, is not what was written before.
        """
        directory = self.root / session_id
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / place_of(drop.uid)
        is_archive = _is_directory(drop)
        with _unfinished(path) as (file, unfinished):
            summing = _Summing(file)
            if is_archive:
                _pack(drop, summing)
            else:
                _copy(drop, summing, unfinished)
            file.flush()
            os.fsync(file.fileno())
            if _sum(unfinished) != summing.crc:
                text = f"drop {drop.uid}: its replica {path} is not what was copied"
                raise DropChecksumException(text)
        return Replica(path, summing.crc, path.stat().st_size, is_archive)

    def restore(self, replica: Replica, drop: Any) -> None:
        """Put the data of a drop, which has a path, back where it was.

        Raises OSError if that cannot be done, DropChecksumException if the replica has changed.
        """
        if _sum(replica.path) != replica.crc:
            text = f"drop {drop.uid}: its replica {replica.path} has changed since it was made"
            raise DropChecksumException(text)
        target = Path(drop.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if replica.is_archive:
            _unpack(replica.path, target)
            return
        with _unfinished(target) as (file, unfinished), replica.path.open("rb") as source:
            shutil.copyfileobj(source, file, PIECE)
            shutil.copymode(replica.path, unfinished)


def place_of(uid: str) -> str:
    """Return the name of a drop's replica; no two drops of a session have the same."""
    return f"{safe_name(uid)[:100]}-{hashlib.sha256(uid.encode()).hexdigest()[:12]}"


@contextmanager
def _unfinished(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Give a file to write that becomes `path` if all goes well, and goes away if not."""
    unfinished = path.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
    try:
        with unfinished.open("xb") as file:
            yield file, unfinished
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _unpack(archive: Path, target: Path) -> None:
    """Unpack a directory beside `target` and move it there, so that it is never half there."""
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=target.parent) as beside:
        with tarfile.open(archive) as packed:
            packed.extractall(Path(beside) / "whole", filter="data")
        (Path(beside) / "whole").replace(target)


def _is_directory(drop: Any) -> bool:
    path = getattr(drop, "path", None)
    return path is not None and Path(path).is_dir()


class _Summing:
    """Sums what is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.crc = file, 0

    def write(self, piece: Any) -> int:
        """Write a piece."""
        self.crc = checksums.crc32c(piece, self.crc)
        return self._file.write(piece)


def _pack(drop: Any, file: Any) -> None:
    """Write the directory of a drop as an archive."""
    with tarfile.open(fileobj=file, mode="w|") as archive:
        archive.add(drop.path, arcname=".")


def _copy(drop: Any, file: _Summing, place: Path) -> None:
    """Write the bytes of a drop, and let `place` have the mode of its file, if it has one."""
    for piece in pieces_of(drop, PIECE):
        file.write(piece)
    if drop.known_checksum not in {None, file.crc}:
        raise DropChecksumException(f"drop {drop.uid}: its data has changed since it was written")
    if getattr(drop, "path", None) is not None:
        shutil.copymode(drop.path, place)


def _sum(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            crc = checksums.crc32c(piece, crc)
    return crc
