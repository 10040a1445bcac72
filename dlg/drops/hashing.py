"""The hash of data, taken while it is written: who wants it need not read it all again.

A big stream is hashed by a thread of its own, a few pieces behind the writer: both the disk and
the hash let other threads run. Data that is small is hashed when it is closed. Nothing of this
happens unless somebody wants the hash: a session that leaves evidence, or keeps results.
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dlg.drops.io import DataIO, OpenMode
from dlg.support.content import ContentHasher, stamp_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

BATCH = 1 << 20
"""Bytes that are hashed at a time."""
LARGE = 1 << 17
"""Pieces of fewer bytes are joined first."""
BIG = 1 << 22
"""From so many bytes on a stream has a thread of its own."""
BEHIND = 8
"""How many batches the thread may be behind: the writer waits for it then."""

Batch = list[Any]


class Hashes:
    """The hashes of some data of a graph."""

    def __init__(self) -> None:
        self._wanted: set[int] = set()
        self._found: dict[int, tuple[str, object]] = {}

    def want(self, rows: Iterable[int]) -> None:
        """Take the hash of the data in these rows when it is written to a file."""
        self._wanted.update(rows)

    def watch(self, row: int, writer: DataIO) -> DataIO:
        """Return what `row` is written through: `writer`, or one that hashes on the way."""
        if row not in self._wanted or getattr(writer, "path", None) is None:
            return writer
        return HashingIO(writer, self, row)

    def note(self, row: int, digest: str, stamp: object) -> None:
        """Take note of the hash of a file that has been written, and of what the file is now."""
        self._found[row] = digest, stamp

    def forget(self, row: int) -> None:
        """Forget the hash of data that was taken back."""
        self._found.pop(row, None)

    def known(self, row: int, path: str) -> str | None:
        """Return the hash of what was written; None if the file has been changed since."""
        digest, stamp = self._found.get(row, (None, None))
        return digest if digest and stamp is not None and stamp == stamp_of(path) else None


def hash_written(live: Any, rows: Iterable[int]) -> None:
    """Take the hashes of files in `rows` of a live graph while they are written.

    Not of those that several apps write, perhaps at the same time.
    """
    if live.hashes is None:
        live.hashes = Hashes()
    live.hashes.want(row for row in rows if len(live.flow.before[row]) <= 1)


class HashingIO(DataIO):
    """Writes to a file by way of another `DataIO`, and hashes what is written."""

    def __init__(self, inner: DataIO, hashes: Hashes, row: int) -> None:
        self._inner, self._hashes, self._row = inner, hashes, row
        self._hasher = ContentHasher()
        self._batch: Batch = []
        self._size = 0
        """Bytes in the batch."""
        self._total = 0
        self._thread: _Thread | None = None
        self._open, self._broken = True, False

    def open(self, mode: OpenMode) -> None:
        """Open the file."""
        self._inner.open(mode)

    def read(self, count: int = 65536) -> bytes | memoryview:
        """Return up to `count` bytes."""
        return self._inner.read(count)

    def write(self, data: Buffer) -> int:
        """Append `data`, whole; what the caller may change afterwards is copied for the hash."""
        self._broken = True  # if this fails, nobody knows how much of it was written
        size = self._inner.write(data)
        self._broken = False
        self._batch.append(data if isinstance(data, bytes) else bytes(data))
        self._size += size
        if self._size >= BATCH:
            self._hand_over()
        return size

    def _hand_over(self) -> None:
        batch, self._batch = self._batch, []
        self._total += self._size
        self._size = 0
        if self._thread is None and self._total >= BIG:
            self._thread = _Thread(self._hasher)
        if self._thread is None:
            _hash(self._hasher, batch)
        else:
            self._thread.batches.put(batch)

    def close(self) -> None:
        """Close the file; its hash is known then, unless not all of it could be written."""
        if not self._open:
            return
        self._open = False
        try:
            self._hand_over()
        finally:
            if self._thread is not None:
                self._thread.end()
        self._inner.close()
        if self._broken:
            return
        path = str(getattr(self._inner, "path", ""))
        self._hashes.note(self._row, self._hasher.result(), stamp_of(path))

    def size(self) -> int:
        """Return how large the file is."""
        return self._inner.size()

    def exists(self) -> bool:
        """Return whether the file is there."""
        return self._inner.exists()

    def delete(self) -> None:
        """Delete the file."""
        self._inner.delete()


class _Thread:
    """Hashes batches in the order in which they come, until it is ended or forgotten."""

    def __init__(self, hasher: ContentHasher) -> None:
        self.batches: queue.Queue[Batch | None] = queue.Queue(BEHIND)
        self._thread = threading.Thread(
            target=_hash_all, args=(hasher, self.batches), name="dlg-hash", daemon=True
        )
        self._thread.start()
        # Of a drop that nobody closes, as its session was given up.
        self._finalizer = weakref.finalize(self, _give_up, self.batches)

    def end(self) -> None:
        """Wait until all is hashed."""
        self._finalizer.detach()
        self.batches.put(None)
        self._thread.join()


def _hash_all(hasher: ContentHasher, batches: queue.Queue[Batch | None]) -> None:
    while (batch := batches.get()) is not None:
        _hash(hasher, batch)


def _hash(hasher: ContentHasher, batch: Batch) -> None:
    if len(batch) * LARGE > BATCH:  # in one go: then the interpreter is asked for once only
        batch = [b"".join(batch)]
    for piece in batch:
        hasher.update(piece)


def _give_up(batches: queue.Queue[Batch | None]) -> None:
    """Let the thread end that nobody waits for, whatever it has not come to yet."""
    while True:
        with suppress(queue.Full):
            batches.put_nowait(None)
            return
        with suppress(queue.Empty):
            batches.get_nowait()
