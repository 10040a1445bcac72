"""Checksums of data, a piece at a time."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import google_crc32c

if TYPE_CHECKING:
    from typing_extensions import Buffer

PIECE = 1 << 18


def crc32c(data: Buffer, value: int = 0) -> int:
    """Return the CRC-32C (RFC 3720) of `data`, or of what `value` is the sum of and `data`."""
    if isinstance(data, bytes):
        return int(google_crc32c.extend(value, data))
    # The library takes nothing but bytes; pieces that fit the cache make the copy cheap.
    view = memoryview(data).cast("B")
    for start in range(0, len(view), PIECE):
        value = google_crc32c.extend(value, bytes(view[start : start + PIECE]))
    return int(value)


def crc32(data: Buffer, value: int = 0) -> int:
    """Return the CRC-32 (ISO 3309) of what `value` is the sum of, followed by `data`."""
    return zlib.crc32(data, value)
