"""Getting at what a drop holds: whole, in pieces, as a file, as a value."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from dlg.drops.data_base import READ_SIZE, DataDROP
from dlg.drops.io import OpenMode

PIECE = 1 << 20
"""Bytes moved at a time when one drop is copied into another."""


class DROPFile(io.RawIOBase):
    """A file to read from that gives the bytes of a completed drop; usable with `with`."""

    def __init__(self, drop: DataDROP) -> None:
        super().__init__()
        self._drop = drop
        self._descriptor: int | None = drop.open()

    def readable(self) -> bool:
        """Return that this file is for reading."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return up to `size` bytes, or all that are left."""
        if self._descriptor is None:
            raise ValueError("the file is closed")
        return self._drop.read(self._descriptor, -1 if size is None else size)

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` and return how many bytes came."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Let go of the drop; closing twice is fine."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            self._drop.close(descriptor)
        super().close()


def allDropContents(drop: DataDROP, bufsize: int = READ_SIZE) -> bytes:
    """Return all bytes of a completed drop; `bufsize` is of no consequence any more."""
    return drop.contents()


def copyDropContents(source: DataDROP, target: DataDROP, bufsize: int = PIECE) -> None:
    """Write all bytes of completed `source` to `target`, `bufsize` bytes at a time."""
    source._check_readable()
    reader = source.getIO()
    reader.open(OpenMode.OPEN_READ)
    try:
        while piece := reader.read(max(bufsize, 1)):
            target.write(piece)
    finally:
        reader.close()


def pieces_of(drop: DataDROP, size: int) -> Iterator[Any]:
    """Yield what a drop holds, whatever state it is in, in pieces of up to `size` bytes."""
    reader = drop.getIO()
    reader.open(OpenMode.OPEN_READ)
    try:
        while piece := reader.read(size):
            yield piece
    finally:
        reader.close()


def load_pickle(drop: DataDROP) -> Any:
    """Return the object that a completed drop holds as a pickle (or as itself, in memory)."""
    return drop.load("pickle")


def save_pickle(drop: DataDROP, data: Any) -> None:
    """Write `data` to a drop as a pickle."""
    drop.store(data, "pickle")


def load_dill(drop: DataDROP) -> Any:
    """Return the object that a completed drop holds as a dill or other pickle."""
    return drop.load("dill")


def save_dill(drop: DataDROP, data: Any) -> None:
    """Write `data` to a drop so that functions and classes of scripts survive."""
    drop.store(data, "dill")


def load_npy(drop: DataDROP, allow_pickle: bool = False) -> Any:
    """Return the array that a completed drop holds in npy format.

    Arrays of objects are pickles in disguise; they are read only with `allow_pickle`.
    """
    if not allow_pickle:
        return drop.load("npy")
    import numpy as np  # noqa: PLC0415  graphs without arrays need not wait for it

    return np.load(io.BytesIO(drop.contents()), allow_pickle=True)


def save_npy(drop: DataDROP, ndarray: Any, allow_pickle: bool = False) -> None:
    """Write an array to a drop in npy format; of objects only with `allow_pickle`."""
    if not allow_pickle:
        drop.store(ndarray, "npy")
        return
    import numpy as np  # noqa: PLC0415  as above

    buffer = io.BytesIO()
    np.save(buffer, ndarray, allow_pickle=True)
    drop.write(buffer.getbuffer())


def load_utf8(drop: DataDROP) -> str:
    """Return the text that a completed drop holds."""
    return str(drop.load("utf-8"))


def save_utf8(drop: DataDROP, data: str) -> None:
    """Write a text to a drop."""
    drop.store(data, "utf-8")


def load_binary(drop: DataDROP) -> bytes:
    """Return the bytes that a completed drop holds."""
    return bytes(drop.load("binary"))


def save_binary(drop: DataDROP, data: Any) -> None:
    """Write bytes to a drop."""
    drop.store(data, "binary")


def has_path(x: Any) -> bool:
    """Return whether `x` is in the file system, so that it has a path."""
    return hasattr(x, "path")


def listify(o: Any) -> list[Any]:
    """Return `o` if it is a list, a tuple as a list, and anything else as a list of it."""
    if isinstance(o, list):
        return o
    return list(o) if isinstance(o, tuple) else [o]
