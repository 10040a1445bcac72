"""The contents of data as they go from one node to another: a form, and pieces of bytes.

Bytes go as they are, a directory as a tar archive, an object in memory as a pickle with its large
buffers beside it, which are not copied. Opening a pickle runs code: this module is for nodes that
have authenticated each other, or are on one host.
"""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from dlg.data.memory import InMemoryDROP, pack_small
from dlg.drops.contents import pieces_of
from dlg.support import serialize

_HEAD = struct.Struct("!I")
PIECE = 1 << 20
"""Bytes in a piece."""
IN_MEMORY = 1 << 24
"""An archive up to that many bytes is made in memory, a bigger one on disk."""
BYTES, ARCHIVE, OBJECT = "bytes", "tar", "object"
PLAIN, ARRAY = "plain", "array"
"""Forms of small contents only, which open without running anything: MessagePack, and npy."""
OPEN_SAFELY = frozenset({BYTES, PLAIN, ARRAY})
SMALL = 1 << 12
"""Contents of so many bytes go along with the news that they are there."""
_NUMBERS = (bool, int, float, type(None))
_LARGEST_INT = 1 << 63


def outgoing(drop: Any) -> tuple[str, Iterator[Any]]:
    """Return the form in which the contents of completed data are sent, and the pieces."""
    if isinstance(drop, InMemoryDROP):
        encoding, value = drop.pack("")
        return (BYTES, _cut(value)) if encoding == "raw" else (OBJECT, _object(encoding, value))
    path = getattr(drop, "path", None)
    if path is not None and Path(path).is_dir():
        return ARCHIVE, _archive(Path(path))
    return BYTES, pieces_of(drop, PIECE)


def as_bytes(drop: Any) -> Iterator[Any]:
    """Return pieces of what those outside of the nodes get: bytes, of a directory an archive."""
    path = getattr(drop, "path", None)
    return (
        _archive(Path(path))
        if path is not None and Path(path).is_dir()
        else pieces_of(drop, PIECE)
    )


def small(drop: Any) -> tuple[str, bytes] | None:
    """Return form and contents of completed data if they are small and need no pickle."""
    if isinstance(drop, InMemoryDROP):
        packed = pack_small(drop, SMALL)
        return None if packed is None else _small_value(*packed)
    path = getattr(drop, "path", None)
    if path is None or not Path(path).is_file() or Path(path).stat().st_size > SMALL:
        return None
    return BYTES, Path(path).read_bytes()


def _small_value(encoding: str, value: Any) -> tuple[str, bytes] | None:
    kind = type(value)  # of a subclass more would have to be kept
    if encoding == "raw":
        return (BYTES, value) if kind is bytes and len(value) <= SMALL else None
    if kind in _NUMBERS or (kind in {str, bytes} and len(value) <= SMALL):
        if kind is int and not -_LARGEST_INT <= value < _LARGEST_INT:
            return None
        return PLAIN, msgspec.msgpack.encode((encoding, value))
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        if value.nbytes > SMALL or value.dtype.hasobject:
            return None
        return ARRAY, msgspec.msgpack.encode((encoding, serialize.encode(value, "npy")))
    return None


def _cut(whole: Any) -> Iterator[memoryview]:
    view = memoryview(whole).cast("B")
    for start in range(0, view.nbytes, PIECE):
        yield view[start : start + PIECE]


def receive(into: Any, form: str, arriving: Iterable[Any]) -> None:
    """Write what arrives into a data drop.

    Raises tarfile.FilterError for an archive with a member that would leave its directory.
    """
    if form == ARCHIVE:
        target = Path(into.path)
        target.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=_Stream(arriving), mode="r|") as archive:
            archive.extractall(target, filter="data")
    elif form == OBJECT:
        stream = _Stream(arriving)
        (length,) = _HEAD.unpack(_exactly(stream, _HEAD.size))
        head = msgspec.msgpack.decode(_exactly(stream, length), type=_Head)
        pickled = _exactly(stream, head.lengths[0])
        buffers = [_exactly(stream, length) for length in head.lengths[1:]]
        value = pickle.loads(pickled, buffers=buffers)  # noqa: S301  see the module's text
        into.receive((head.encoding, value), None, 0)
    elif form in {PLAIN, ARRAY}:
        encoding, value = msgspec.msgpack.decode(b"".join(arriving), type=tuple[str, Any])
        opened = serialize.decode(value, "npy") if form == ARRAY else value
        into.receive((encoding, opened), None, 0)
    else:
        for piece in arriving:
            into.write(piece)


class _Head(msgspec.Struct, array_like=True):
    """What comes before an object."""

    encoding: str
    lengths: list[int]
    """Of the pickle, then of each buffer."""


def _object(encoding: str, value: Any) -> Iterator[Any]:
    pickled, large = serialize.dump_apart(value)
    views = [memoryview(pickled), *(buffer.raw() for buffer in large)]
    head = msgspec.msgpack.encode(_Head(encoding, [view.nbytes for view in views]))
    yield _HEAD.pack(len(head)) + head
    for view in views:
        yield from _cut(view)


def _exactly(stream: _Stream, length: int) -> bytearray:
    """Return so many bytes; raise EOFError if there are fewer."""
    buffer = bytearray(length)
    view, filled = memoryview(buffer), 0
    while filled < length:
        count = stream.readinto(view[filled:])
        if not count:
            raise EOFError(f"data ended after {filled} of {length} bytes")
        filled += count
    return buffer


def _archive(path: Path) -> Iterator[bytes]:
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(path, arcname=".")
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


class _Stream(io.RawIOBase):
    """Pieces as a file."""

    def __init__(self, arriving: Iterable[Any]) -> None:
        super().__init__()
        self._arriving = iter(arriving)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._arriving, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        parts = []
        left = -1 if size is None else size
        while left != 0:
            buffer = bytearray(PIECE if left < 0 else min(left, PIECE))
            count = self.readinto(buffer)
            if not count:
                break
            parts.append(bytes(buffer[:count]))
            left -= count if left > 0 else 0
        return b"".join(parts)
