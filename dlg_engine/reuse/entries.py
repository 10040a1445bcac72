"""What the store knows of one piece of data, as a file that proves itself.

An entry begins with the hash of all that follows, so one that was only half written, or of which a
bit has flipped, is never taken for an entry. It needs no `fsync` for that reason: after the power
has failed it is either whole or no entry at all.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from dlg.exceptions import RunError, UsageError

MAGIC = b"dlg-entry-1\n"
_HASH_SIZE = 32
_KEY = re.compile(r"[0-9a-f]{16,128}")


class DamagedEntryError(RunError):
    """What is in the store is not what was put there; it has been, or must be, made again."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of completed data: what it is, where its content is, and who made it."""

    key: str
    """The signature of all that makes the data what it is, in hexadecimal digits."""
    content: str
    """The hash of the content, with its algorithm in front."""
    size: int
    form: str
    """What the content is: `file`, `directory` (an archive), `bytes`, or a `value` (a pickle)."""
    made: float
    """When, in seconds since 1970."""
    app: str = ""
    node: str = ""
    session: str = ""
    encoding: str = ""
    crc: int = 0
    executable: bool = False
    held: bytes | None = None
    """The content itself, where it is small; otherwise it is in a file of its own."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Entry)


def check_key(key: str) -> str:
    """Return `key`; raise `UsageError` if it is no signature, as it becomes the name of a file."""
    if not _KEY.fullmatch(key):
        raise UsageError(
            f"a key of the store is made of 16 to 128 hexadecimal digits, not {key!r}"
        )
    return key


def packed(entry: Entry) -> bytes:
    """Return an entry as the bytes of its file."""
    body = _ENCODER.encode(entry)
    return MAGIC + hashlib.sha256(body, usedforsecurity=False).digest() + body


def unpacked(data: bytes, key: str) -> Entry:
    """Return the entry that the bytes of a file are; raise `DamagedEntryError` if they are none.

    An entry of another key is refused, too: its file would have been renamed.
    """
    start = len(MAGIC) + _HASH_SIZE
    body = memoryview(data)[start:]
    told = data[len(MAGIC) : start]
    if data[: len(MAGIC)] != MAGIC:
        raise DamagedEntryError(f"entry {key}: this is no entry of a store")
    if hashlib.sha256(body, usedforsecurity=False).digest() != told:
        raise DamagedEntryError(f"entry {key}: its hash is another one than when it was written")
    try:
        entry = _DECODER.decode(body)
    except msgspec.MsgspecError as error:
        raise DamagedEntryError(f"entry {key}: {error}") from error
    if entry.key != key:
        raise DamagedEntryError(f"entry {key}: it is that of another key, {entry.key}")
    return entry
