"""Compressed content read as if it were not compressed."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Protocol

from dlg.exceptions import UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BYTES = 4 << 30
CHUNK = 1 << 16
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # the header says which


class CompressedDataError(UsageError):
    """Compressed content is broken, cut off, or grows beyond what its reader allows."""


class Readable(Protocol):
    """Anything that bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


class ZlibUncompressedStream(io.RawIOBase):
    """Reads gzip- or zlib-compressed `content` and gives what was compressed.

    `content` is a stream or bytes; several gzip members one after the other are one content. At
    most `max_bytes` come out, so that a small hostile file cannot fill the memory: more, like
    content that is broken or cut off, is a `CompressedDataError`. It is held in memory a chunk at
    a time.
    """

    def __init__(self, content: Readable | bytes, max_bytes: int = MAX_BYTES) -> None:
        self._content: Readable = io.BytesIO(content) if isinstance(content, bytes) else content
        self._left = self._max_bytes = max_bytes
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._waiting = b""
        self._fresh = True  # nothing was given yet to the present decompressor

    def readable(self) -> bool:
        """Return True: this is for reading."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the beginning of `buffer`; return how many bytes that were, 0 at the end."""
        view = memoryview(buffer).cast("B")
        if not len(view):
            return 0
        found = self._next(len(view))
        self._left -= len(found)
        if self._left < 0:
            raise CompressedDataError(
                f"compressed content grows beyond the {self._max_bytes} bytes that are allowed"
            )
        view[: len(found)] = found
        return len(found)

    def _next(self, size: int) -> bytes:
        """Return from 1 to `size` bytes, or none at the end."""
        while True:
            if self._inflate.eof:  # another member may follow
                self._waiting = self._inflate.unused_data
                self._inflate, self._fresh = zlib.decompressobj(_GZIP_OR_ZLIB), True
            given = self._waiting or self._content.read(CHUNK)
            if not given and not self._fresh:
                return self._last(size)
            if not given:
                return b""
            found = self._inflated(given, size)
            if found:
                return found

    def _last(self, size: int) -> bytes:
        """Return what the decompressor still holds after the last of the input."""
        found = self._inflated(b"", size)
        if not found and not self._inflate.eof:
            raise CompressedDataError("compressed content is cut off")
        return found

    def _inflated(self, given: bytes, size: int) -> bytes:
        try:
            found = self._inflate.decompress(given, size)
        except zlib.error as error:
            raise CompressedDataError(
                f"content is not gzip or zlib, or broken: {error}"
            ) from error
        self._waiting, self._fresh = self._inflate.unconsumed_tail, False
        return found
