"""Data drops: what can be written, read, measured, expired and deleted.

A storage says where the bytes are by `getIO`, and may keep Python values without turning them
into bytes by overriding `store` and `load`. What has to happen before a drop is complete (an
empty file made, a size measured) goes into `seal`.
"""

from __future__ import annotations

import itertools
import logging
from contextlib import suppress
from typing import Any, ClassVar

from dlg.ddap_protocol import ChecksumTypes, DROPPhases, DROPStates
from dlg.drops import lifetime
from dlg.drops.base import AbstractDROP
from dlg.drops.io import DataIO, ErrorIO, OpenMode
from dlg.drops.live import RUNNING
from dlg.drops.mailboxes import hand_over
from dlg.exceptions import InvalidDropException, UnexpectedEventError
from dlg.states.steps import LOOKED_AFTER, SEALED
from dlg.support import checksums, clock, serialize

logger = logging.getLogger(__name__)

READ_SIZE = 65536
_descriptors = itertools.count(1)


class DataDROP(AbstractDROP):
    """A piece of data.

    Data written through `write` is measured and summed on the way. `open`, `read` and `close`
    give the bytes of a completed drop; `store` and `load` move Python values.
    """

    __slots__ = (
        "_checksum", "_crc", "_created", "_phase", "_readers", "_released", "_size", "_writer",
    )  # fmt: skip

    traits: ClassVar[int] = 0
    volatile: ClassVar[bool] = False
    """Whether the data ends with the process that holds it."""
    holds_data: ClassVar[bool] = True
    """Whether there is anything that could be kept, copied or lost."""

    _readers: dict[int, DataIO] | None
    _writer: DataIO | None
    _size: int | None
    _checksum: int | None
    _crc: int
    _phase: DROPPhases | None
    _released: bool
    """Whether nobody needs the data any more, though perhaps somebody still reads it."""

    def _configure(self, values: Any, *, strict: bool) -> None:
        self._writer = self._readers = self._size = self._checksum = None
        self._crc, self._phase, self._released = 0, None, False
        created = self._graph.surroundings.created
        self._created = clock.monotonic() if created is None else created
        super()._configure(values, strict=strict)
        if self.expireAfterUse and not self.persist:
            with self._graph.lock:  # consumers may be ending at this moment
                self._graph.flow.release_after_use(self._row)

    # -- storage: what a subclass supplies ------------------------------------------------

    def getIO(self) -> DataIO:
        """Return a new `DataIO` for the storage; the base has none."""
        return ErrorIO()

    @property
    def dataURL(self) -> str:
        """A URL that points to the data."""
        raise InvalidDropException(self, f"{type(self).__name__} has no URL")

    def exists(self) -> bool:
        """Return whether the data is where it should be."""
        return bool(self.getIO().exists())

    def delete(self) -> None:
        """Delete the data and move the drop to DELETED; a drop being written refuses."""
        self._graph.apply(self._graph.flow.delete, self._row)
        self._close_writer()
        self._delete_data()

    def _delete_data(self) -> None:
        self.getIO().delete()

    # -- writing --------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview | str) -> int:
        """Append `data` and return how many bytes that were; text is written as UTF-8.

        Streaming consumers get the data at once, and the drop completes when `expectedSize`
        bytes have arrived. Raises `UnexpectedEventError` when the drop is over and
        `InvalidDropException` for anything that is no data.
        """
        if isinstance(data, str):
            data = data.encode()
        elif not isinstance(data, bytes | bytearray | memoryview):
            raise InvalidDropException(self, f"takes bytes or text, not {type(data).__name__}")
        writer = self._open_writer()
        size = writer.write(data)
        self._size = (self._size or 0) + size
        if self._graph.surroundings.checksums:
            self._crc = checksums.crc32c(data, self._crc)
        if self._row in self._graph.streams:
            self._stream(data)
        if 0 < self.expectedSize <= self._size:
            self.setCompleted()
        return size

    def _begin_writing(self) -> None:
        """Move to WRITING; raise `UnexpectedEventError` if the drop takes no data any more."""
        graph = self._graph
        if graph.flow.status[self._row] != DROPStates.WRITING:
            try:
                graph.apply(graph.flow.write, self._row)
            except UnexpectedEventError as error:
                raise UnexpectedEventError(error.state, error.event, self.uid) from None

    def _open_writer(self) -> DataIO:
        self._begin_writing()
        if self._writer is None:
            writer = self.getIO()
            writer.open(OpenMode.OPEN_WRITE)
            hashes = self._graph.hashes
            self._writer = writer if hashes is None else hashes.watch(self._row, writer)
            flow = self._graph.flow
            flow.traits[self._row] |= SEALED
            if flow.status[self._row] > DROPStates.WRITING:  # it was cancelled in this moment
                self._close_writer()
                raise UnexpectedEventError(DROPStates(flow.status[self._row]), "write", self.uid)
        return self._writer

    def _stream(self, data: bytes | bytearray | memoryview) -> None:
        graph = self._graph
        for row in graph.streams[self._row]:
            graph.apply(graph.flow.claim, row)
            if graph.flow.exec_status[row] == RUNNING:  # not failed over an earlier piece
                hand_over(graph, row, "dataWritten", self.uid, bytes(data))

    def _close_writer(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    def take_back(self) -> bool:
        """Forget what the app that writes the drop has written, as it is to be tried again.

        Returns False if that cannot be done: the drop is over, streaming consumers have had the
        data, or other apps write to the drop, too.
        """
        graph, row = self._graph, self._row
        status = self.status
        if status is not DROPStates.WRITING:
            return status in {DROPStates.INITIALIZED, DROPStates.SKIPPED, DROPStates.CANCELLED}
        if row in graph.streams or len(graph.flow.before[row]) > 1:
            return False
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError):  # of what could not be written nothing is missed
                writer.close()
        if writer is not None or self.pack_place() is None:  # what is at a place may be others'
            self._discard()
        self._size, self._crc = None, 0
        if graph.hashes is not None:
            graph.hashes.forget(row)
        return True

    def _discard(self) -> None:
        """Forget what has been written through the drop."""
        self._delete_data()

    def setCompleted(self) -> None:
        """Close what is open, seal the data, move to COMPLETED and trigger the consumers."""
        graph, row = self._graph, self._row
        if graph.flow.status[row] > DROPStates.WRITING:
            logger.debug("drop %s is over already", self.uid)
            return
        try:
            self._close_writer()
            self.seal()
        except Exception as error:  # noqa: BLE001  any failure to finish the data is the drop's
            graph.apply(graph.flow.fail, row, error)
        else:
            graph.apply(graph.flow.sealed, row)

    # -- reading --------------------------------------------------------------------------

    def open(self) -> int:
        """Open the drop for reading and return a descriptor; only a COMPLETED drop can be read."""
        self._check_readable()
        io = self.getIO()
        io.open(OpenMode.OPEN_READ)
        if self._readers is None:
            self._readers = {}
        descriptor = next(_descriptors)
        self._readers[descriptor] = io
        self._fireEvent("open", oid=self.oid, uid=self.uid, session_id=self.session_id)
        return descriptor

    def read(self, descriptor: int, count: int = READ_SIZE) -> bytes:
        """Return up to `count` bytes; empty at the end."""
        return bytes(self._reader(descriptor).read(count))

    def close(self, descriptor: int) -> None:
        """Close a descriptor returned by `open`."""
        self._reader(descriptor).close()
        assert self._readers is not None  # noqa: S101  _reader has found the descriptor in it
        del self._readers[descriptor]
        if not self._readers:
            self._left_alone()

    def _left_alone(self) -> None:
        """Do what had to wait as long as somebody had the drop open."""
        graph, row = self._graph, self._row
        if self._released:
            self.release()
        if graph.flow.traits[row] & LOOKED_AFTER:
            graph.surroundings.left_alone(graph, row)

    def _reader(self, descriptor: int) -> DataIO:
        try:
            return (self._readers or {})[descriptor]
        except KeyError:
            raise InvalidDropException(self, f"descriptor {descriptor} is not open") from None

    def isBeingRead(self) -> bool:
        """Return whether somebody has the drop open."""
        return bool(self._readers)

    def _check_readable(self) -> None:
        lifetime.expire_if_due(self)
        if self.status is not DROPStates.COMPLETED:
            raise lifetime.refusal(self)
        self.look_for_data()

    def look_for_data(self) -> None:
        """Make sure that the data of a completed drop is still there, as somebody needs it now.

        If it has vanished it is brought back from a replica; if there is none the phase is LOST,
        the consumers that have not run fail, and `DataVanishedError` is raised. Data that has
        expired is refused with `UnexpectedEventError`.
        """
        if self.status in lifetime.OVER:
            raise lifetime.refusal(self)
        if self.status is not DROPStates.COMPLETED:
            return
        if self.has_vanished():
            lifetime.recover(self)
        elif self._phase is DROPPhases.LOST:  # somebody has put it back
            self._phase = None

    def has_vanished(self) -> bool:
        """Return whether completed data is not where it was; memory cannot vanish."""
        return False

    # -- in another process ---------------------------------------------------------------

    @property
    def is_parcel(self) -> bool:
        """Whether the data is kept as it came from another process, and may go on to a third."""
        return False

    def pack(self, prefix: str) -> Any:
        """Return the data for another process; None if it is reached from there by itself.

        `prefix` is for the names of blocks in shared memory (`dlg.support.parcels`).
        """
        return self.pack_place()

    def unpack(self, cargo: Any) -> None:
        """Take over what `pack` or `pack_place` gave in another process."""

    def receive(self, cargo: Any, size: int | None, crc: int) -> None:
        """Take over an output that was written in another process."""
        self._begin_writing()
        if cargo is not None:
            self.unpack(cargo)
        self._size, self._crc = size, crc

    # -- Python values --------------------------------------------------------------------

    def store(self, value: Any, encoding: str = serialize.DEFAULT) -> None:
        """Write `value` in `encoding`; `dlg.support.serialize` lists the encodings."""
        self.write(serialize.encode(value, encoding))

    def load(self, encoding: str = serialize.DEFAULT) -> Any:
        """Return the value that the data is in `encoding`."""
        return serialize.decode(self.contents(), encoding)

    def value(self) -> Any:
        """Return what an app put here: the object, where the storage keeps one, or the bytes."""
        return self.contents()

    def contents(self) -> bytes:
        """Return all bytes of the completed drop."""
        self._check_readable()
        io = self.getIO()
        io.open(OpenMode.OPEN_READ)
        try:
            return bytes(io.read(-1))
        finally:
            io.close()

    # -- what is known about the data -----------------------------------------------------

    @property
    def size(self) -> int | None:
        """Bytes of data: counted while written, or told after completion; None if unknown."""
        return self._size

    @size.setter
    def size(self, size: int) -> None:
        self._size = size

    @property
    def checksum(self) -> int | None:
        """The CRC-32C of the data: summed while it was written, or now by reading it all."""
        if self._checksum is None and self.status is DROPStates.COMPLETED:
            written = self._crc or not self.size
            self._checksum = self._crc if written else checksums.crc32c(self.contents())
        return self._checksum

    @checksum.setter
    def checksum(self, checksum: int) -> None:
        self._checksum = checksum

    @property
    def known_checksum(self) -> int | None:
        """The checksum if it is known without reading the data."""
        return self._checksum if self._checksum is not None else self._crc or None

    @property
    def known_hash(self) -> str | None:
        """The hash of a file (`dlg.support.content`) if it was taken while it was written.

        It is known only where somebody wants it, and unless the file was changed since.
        """
        hashes, path = self._graph.hashes, getattr(self, "path", None)
        return None if hashes is None or path is None else hashes.known(self._row, str(path))

    @property
    def checksumType(self) -> ChecksumTypes:
        """The method of `checksum`."""
        return ChecksumTypes.CRC_32C

    # -- the end --------------------------------------------------------------------------

    @property
    def phase(self) -> DROPPhases:
        """How safe the data is."""
        if self._phase is not None:
            return self._phase
        return DROPPhases.PLASMA if self.volatile else DROPPhases.GAS

    @phase.setter
    def phase(self, phase: DROPPhases) -> None:
        self._phase = phase

    @property
    def expirationDate(self) -> float:
        """When the lifespan is over, in seconds since 1970; -1 if the data has none."""
        left = lifetime.date_of(self) - clock.monotonic()
        return clock.now() + left if left < float("inf") else -1.0

    def release(self) -> None:
        """Expire and delete the data, which nobody needs any more, unless it is to be kept.

        Data that somebody has open waits until he closes it.
        """
        if self.expireAfterUse and not self.persist and self.status is DROPStates.COMPLETED:
            self._released = True
            if not self.isBeingRead():
                self.expire()

    def let_go(self) -> None:
        """Free what the data takes, whatever the state of the drop: its session is deleted."""
        with suppress(UnexpectedEventError):  # it may still be being written
            self._graph.apply(self._graph.flow.delete, self._row)
        self._delete_data()

    def expire(self) -> None:
        """Expire the data, then delete it; it stays EXPIRED if it cannot be deleted."""
        self._graph.apply(self._graph.flow.expire, self._row)
        self._delete_data()  # before the drop is DELETED: if it fails, the data is still there
        self.delete()
