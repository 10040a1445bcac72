"""Data in a block of shared memory, which other processes of the machine can map.

The block is made when the size is known, that is, when the drop completes; until then the data
is gathered in the memory of the process. Its name says nothing about the drop, so two drops never
share one, and it is unlinked when the drop is deleted or its process ends.
"""

from __future__ import annotations

import os
import pickle
import secrets
from collections.abc import Mapping
from multiprocessing import shared_memory
from typing import Any, ClassVar

from dlg.data.pydata import read_pydata
from dlg.drops.data_base import DataDROP
from dlg.drops.io import DataIO, OpenMode
from dlg.drops.parameters import dlg_any_param, dlg_bool_param
from dlg.exceptions import RunError
from dlg.support import parcels, serialize
from dlg.support.parcels import Parcel


class SharedMemoryIO(DataIO):
    """The bytes of a drop: gathered while they come, then a block that others can map."""

    def __init__(self, drop: SharedMemoryDROP) -> None:
        self._drop = drop
        self._place = 0

    def open(self, mode: OpenMode) -> None:
        """Get ready at the start for reading."""
        self._place = 0

    def read(self, count: int = 65536) -> bytes:
        """Return up to `count` bytes."""
        view = self._drop.view()
        end = len(view) if count < 0 else min(len(view), self._place + count)
        piece = bytes(view[self._place : end])
        view.release()
        self._place += len(piece)
        return piece

    def write(self, data: Any) -> int:
        """Append `data`."""
        return self._drop.gather(data)

    def close(self) -> None:
        """Nothing stays open between reads."""

    def size(self) -> int:
        """Return how many bytes there are."""
        with self._drop.view() as view:
            return len(view)

    def exists(self) -> bool:
        """Return whether there is a block."""
        return self._drop.block_name != ""

    def delete(self) -> None:
        """Unlink the block."""
        self._drop.unlink()


class SharedMemoryDROP(DataDROP):
    """Data in shared memory; `block_name` is what another process maps it by.

    `pydata` is what it holds if no app writes it, pickled unless it is bytes.
    """

    __slots__ = ("_block", "_gathered", "_length")

    volatile: ClassVar[bool] = True

    expireAfterUse = dlg_bool_param("whether the data is released after its last consumer", True)
    pydata = dlg_any_param("a value the drop has from the beginning, as in a memory drop")

    _block: shared_memory.SharedMemory | None
    _gathered: bytearray
    _length: int

    def _configure(self, values: Mapping[str, Any], *, strict: bool) -> None:
        self._block, self._gathered, self._length = None, bytearray(), 0
        super()._configure(values, strict=strict)

    @property
    def block_name(self) -> str:
        """The name of the block; empty before the drop completes and after it is deleted."""
        return "" if self._block is None else self._block.name

    @property
    def dataURL(self) -> str:
        """A URL with the name of the block."""
        return f"shm://{self.block_name}"

    def getIO(self) -> DataIO:
        """Return access to the bytes."""
        return SharedMemoryIO(self)

    def gather(self, data: Any) -> int:
        """Append `data` before the block is made."""
        self._gathered += data
        return memoryview(data).nbytes

    def _discard(self) -> None:
        self._gathered = bytearray()

    def seal(self) -> None:
        """Make the block and move the data into it."""
        if not self._gathered and self.pydata is not None:
            value = read_pydata(self.pydata, self)
            self.store(value, "raw" if isinstance(value, bytes) else serialize.DEFAULT)
        self._length = len(self._gathered)
        name = f"dlg_{os.getpid()}_{secrets.token_hex(8)}"
        # A block of no bytes cannot be made.
        self._block = shared_memory.SharedMemory(name, create=True, size=max(1, self._length))
        self._buffer()[: self._length] = self._gathered
        self._size, self._gathered = self._length, bytearray()

    def _buffer(self) -> memoryview:
        if self._block is None or self._block.buf is None:
            raise RunError(f"drop {self.uid} has no block of shared memory")
        return self._block.buf

    def view(self) -> memoryview:
        """Return the data as it is now, without a copy."""
        if self._block is None:
            return memoryview(self._gathered)
        return self._buffer()[: self._length]

    def pack(self, prefix: str) -> tuple[Parcel]:
        """Return the data as a parcel: a worker process outlives no block that it made."""
        return (parcels.wrap(pickle.PickleBuffer(bytes(self.view())), prefix),)

    def unpack(self, cargo: tuple[Parcel]) -> None:
        """Gather the data of a parcel."""
        self._gathered = bytearray(cargo[0].open())

    def unlink(self) -> None:
        """Give the block back to the system."""
        if self._block is not None:
            block, self._block = self._block, None
            block.close()
            block.unlink()

    def __del__(self) -> None:
        """Leave no block behind when the drop goes without having been deleted."""
        if getattr(self, "_block", None) is not None:
            self.unlink()
