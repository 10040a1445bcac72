"""What arrives with a request: kept in memory while it is small, in a file once it is not.

A body may be packed. Existing clients send a zlib stream and call it gzip, so what it is called
does not matter: its first bytes tell.
"""

from __future__ import annotations

import mmap
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from dlg.http.errors import BadRequestError, MediaTypeError, TooLargeError

PIECE_BYTES = 1 << 20
SPOOL_BYTES = 4 << 20
"""From what size on a body is in a file."""
PLAIN = frozenset({"", "identity"})
PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP, _ZLIB, _BARE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Body:
    """Bytes that are added by one thread after the other, and then read."""

    def __init__(self, spool_bytes: int = SPOOL_BYTES) -> None:
        self._lock = threading.Lock()
        self._start = bytearray()
        self._file: IO[bytes] | None = None
        self._spool = spool_bytes
        self._closed = False
        self.size = 0

    @property
    def in_file(self) -> bool:
        """Whether it has become too big for memory."""
        return self._file is not None

    def add(self, piece: bytes) -> None:
        """Append `piece`; nothing happens once the body is closed."""
        with self._lock:
            if self._closed:
                return
            self.size += len(piece)
            if self._file is None and self.size > self._spool:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
                self._file.write(self._start)
                self._start = bytearray()
            if self._file is None:
                self._start += piece
            else:
                self._file.write(piece)

    @contextmanager
    def view(self) -> Iterator[Any]:
        """Yield all of it as something that can be read like bytes, without a copy of it."""
        if self._file is None:
            yield self._start
            return
        self._file.flush()
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped

    def read(self) -> bytes:
        """Return all of it."""
        with self.view() as found:
            return bytes(found)

    def pieces(self) -> Iterator[bytes]:
        """Yield it in pieces."""
        with self.view() as found:
            for start in range(0, self.size, PIECE_BYTES):
                yield bytes(found[start : start + PIECE_BYTES])

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._closed = True
            self._start = bytearray()
            if self._file is not None:
                self._file.close()


def check_coding(coding: str) -> None:
    """Refuse a body that is packed in a way nobody here can unpack."""
    if coding not in PLAIN | PACKED:
        raise MediaTypeError(f"a body may be packed by gzip or deflate, not {coding!r}")


def check_size(size: int, most: int) -> None:
    """Refuse what is too big."""
    if size > most:
        raise TooLargeError(f"the request has more than {most:,} bytes")


def unpack(packed: Body, most: int) -> Body:
    """Return what is in `packed`: a zlib stream, gzip, or deflate without a head.

    Raises `TooLargeError` as soon as it has grown beyond `most` bytes.
    """
    found = Body()
    try:
        for piece in _inflated(packed):
            check_size(found.size + len(piece), most)
            found.add(piece)
    except BaseException:
        found.close()
        raise
    return found


def _inflated(packed: Body) -> Iterator[bytes]:
    machine: Any = None
    form = 0
    for piece in packed.pieces():
        form = form or _form(piece)
        left, full = piece, False
        while left or full:
            machine = machine or zlib.decompressobj(form)
            found = _step(machine, left)
            yield found
            left, full = machine.unconsumed_tail, len(found) == PIECE_BYTES
            if machine.eof:
                left, full = machine.unused_data, False
                if left and form != _GZIP:  # only gzip may have several members
                    raise BadRequestError("something follows the end of the packed body")
                machine = None
    if machine is not None:
        raise BadRequestError("the packed body breaks off")


def _step(machine: Any, piece: bytes) -> bytes:
    try:
        return bytes(machine.decompress(piece, PIECE_BYTES))
    except zlib.error as error:
        raise BadRequestError(f"the body cannot be unpacked: {error}") from error


def _form(start: bytes) -> int:
    """Return how what begins like this is packed."""
    if start.startswith(b"\x1f\x8b"):
        return _GZIP
    # The head of a zlib stream names the method, and is a multiple of 31.
    headed = start[0] & 15 == zlib.DEFLATED and int.from_bytes(start[:2]) % 31 == 0
    return _ZLIB if headed else _BARE
