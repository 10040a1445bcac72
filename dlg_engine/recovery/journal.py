"""What a run has done so far, in a file that is only ever added to.

A record is written before it is acted on: that an app begins before it is called, and that it is
done before anybody after it hears of that. It goes to the system at once, so nothing that was
written is lost when the process is killed, and to the disk about once a second, in case the power
fails. Each record has its length and checksum in front. Reading ends at the first that is not
whole, which only the last one can be, and what is left of it is cut off before anything is added.

Whoever writes holds a lock on the file, which ends with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from dlg.exceptions import RunError, UsageError
from dlg.support import clock

MAGIC = b"dlg-journal-1\n"
SYNC_S = 1.0
"""How old a record may get before it is on the disk, as long as others follow."""
_HEAD = struct.Struct("<II")
_MOST = 1 << 30
"""Bytes; nothing that is longer is a record."""


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Anything that a journal tells."""


class Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an app has made of one of its outputs, and where it is."""

    row: int
    status: int
    """How the output ends: COMPLETED or SKIPPED."""
    form: str = ""
    """`bytes` or `value` in memory, `path` on a disk, `place` elsewhere; empty for nothing."""
    size: int | None = None
    crc: int = 0
    held: bytes | None = None
    """The content, if it is small; otherwise it is in the session's store under `key`."""
    encoding: str = ""
    key: str = ""
    path: str = ""
    """Relative to the directory of the session where it is in there."""
    stamp: tuple[int, ...] = ()
    """What changes when somebody writes to a file."""


class Began(Record, frozen=True, tag="began"):
    """An app is about to be called."""

    row: int
    absent: tuple[int, ...] = ()
    """The outputs that have a place outside of the session, at which nothing was yet."""


class Done(Record, frozen=True, tag="done"):
    """An app has done its work, and what it made is kept."""

    row: int
    outputs: tuple[Kept, ...] = ()
    ends: tuple[tuple[int, int], ...] = ()
    """The inputs that had not ended well when it was called, and how they stood."""


class Failed(Record, frozen=True, tag="failed"):
    """An app has failed, after all its tries, or what it made cannot be kept."""

    row: int
    reason: str


class Attempt(Record, frozen=True, tag="attempt"):
    """A process has begun to work on the session."""

    pid: int
    began: float
    """Seconds since 1970."""


class Over(Record, frozen=True, tag="over"):
    """A process has finished its work on the session."""

    status: str
    ended: float


Told = Began | Done | Failed | Attempt | Over


class JournalInUseError(UsageError):
    """Another process is at work on the session."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Told)


class Journal:
    """The journal of one session, open for more."""

    def __init__(self, path: Path) -> None:
        """Open the journal at `path`, or begin it; `records` is what it told until now.

        Raises `JournalInUseError` if another process writes to it.
        """
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        try:
            _lock_file(self._fd, path)
            data = path.read_bytes()
            self.records, self._end = records_in(data, path)
            os.ftruncate(self._fd, self._end)
            os.lseek(self._fd, self._end, os.SEEK_SET)
            if not self._end:
                self._write(MAGIC)
        except BaseException:
            os.close(self._fd)
            raise
        self._due = clock.monotonic() + SYNC_S

    def append(self, record: Told) -> None:
        """Write a record down; raise `RunError` if that cannot be done."""
        body = _ENCODER.encode(record)
        framed = _HEAD.pack(len(body), zlib.crc32(body)) + body
        with self._lock:
            if self._fd < 0:
                return  # an app that was given up has ended after its session
            self._write(framed)
            now = clock.monotonic()
            due = now >= self._due
            if due:
                self._due = now + SYNC_S
            descriptor = self._fd
        if due:
            _sync(descriptor)

    def _write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            with suppress(OSError):  # half a record would hide what comes after it
                os.ftruncate(self._fd, self._end)
                os.lseek(self._fd, self._end, os.SEEK_SET)
            raise RunError(f"{self.path} cannot be written: {error.strerror}") from error
        self._end += len(data)

    def sync(self) -> None:
        """Wait until all that was written is on the disk, where there is one."""
        _sync(self._fd)

    def close(self) -> None:
        """Write everything to the disk, and let others write; what comes later is not written."""
        with self._lock:
            descriptor, self._fd = self._fd, -1
        _sync(descriptor)
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    with suppress(OSError):  # a file system that has no disk, or one that is closed already
        os.fdatasync(descriptor)


def _lock_file(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise JournalInUseError(
            f"the session is being run at this moment by another process: {path.parent.parent}"
        ) from None


def read_journal(path: Path) -> list[Told]:
    """Return what the journal at `path` tells, also while somebody writes to it."""
    return records_in(path.read_bytes(), path)[0]


def records_in(data: bytes, path: Path) -> tuple[list[Told], int]:
    """Return the records of a journal, and where the last whole one ends."""
    if not data.startswith(MAGIC):
        if MAGIC.startswith(data):  # it was killed before there was anything to tell
            return [], 0
        raise UsageError(f"{path} is no journal of a session")
    found, end = [], len(MAGIC)
    for record, here in _whole(data):
        found.append(record)
        end = here
    return found, end


def is_only_torn(data: bytes, end: int) -> bool:
    """Return whether what stands in a journal after `end` is one record that was broken off.

    Otherwise something that had been whole was changed.
    """
    if end + _HEAD.size > len(data):
        return True
    size, _ = _HEAD.unpack_from(data, end)
    return bool(end + _HEAD.size + size > len(data))


def _whole(data: bytes) -> Iterator[tuple[Told, int]]:
    start, view = len(MAGIC), memoryview(data)
    while start + _HEAD.size <= len(data):
        size, checksum = _HEAD.unpack_from(data, start)
        end = start + _HEAD.size + size
        body = view[start + _HEAD.size : end]
        if size > _MOST or end > len(data) or zlib.crc32(body) != checksum:
            return
        try:
            record = _DECODER.decode(body)
        except msgspec.MsgspecError:
            return
        yield record, end
        start = end
