"""Data in memory: objects by reference between apps of one process, bytes when somebody asks.

A value that an app stores is kept as it is and handed to consumers as the same object. It becomes
bytes only when bytes are asked for, and keeps both only as long as the bytes are being read.
"""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Mapping
from typing import Any, ClassVar

from dlg.data.pydata import read_pydata
from dlg.ddap_protocol import DROPStates
from dlg.drops.data_base import DataDROP
from dlg.drops.io import DataIO, OpenMode
from dlg.drops.parameters import dlg_any_param, dlg_bool_param
from dlg.support import parcels, serialize
from dlg.support.parcels import Parcel

_NOTHING = object()
_GIVEN = ""
"""The encoding of a value that stands in the graph: whichever its reader asks for."""


class MemoryIO(DataIO):
    """Bytes in a buffer that belongs to the drop; reading makes no copy of the whole."""

    def __init__(self, buffer: io.BytesIO) -> None:
        self._buffer = buffer
        self._view: memoryview | None = None
        self._place = 0

    def open(self, mode: OpenMode) -> None:
        """Get ready at the start for reading, at the end for writing."""
        if mode is OpenMode.OPEN_READ:
            self._view, self._place = self._buffer.getbuffer(), 0
        else:
            self._buffer.seek(0, io.SEEK_END)

    def read(self, count: int = 65536) -> memoryview:
        """Return a view of up to `count` bytes."""
        if self._view is None:
            self.open(OpenMode.OPEN_READ)
        assert self._view is not None  # noqa: S101  opened just before
        end = len(self._view) if count < 0 else self._place + count
        piece = self._view[self._place : end]
        self._place += len(piece)
        return piece

    def write(self, data: Any) -> int:
        """Append `data`."""
        return self._buffer.write(data)

    def close(self) -> None:
        """Let go of the buffer."""
        self._view = None

    def size(self) -> int:
        """Return how many bytes there are."""
        return self._buffer.getbuffer().nbytes

    def exists(self) -> bool:
        """Return that the buffer is there."""
        return True

    def delete(self) -> None:
        """Nothing: the drop lets go of its buffer itself."""


class InMemoryDROP(DataDROP):
    """Data in the memory of the process that runs the drop.

    `pydata` gives it a value from the beginning: as it is, or as `{"value": ..., "type": ...}`
    with a type among raw, json, eval (a literal), int, float, bool, str, list, dict and object
    (base64 of a pickle or dill: code, by design, like any app of the graph). Outside a session
    data stays; in one it is released after its last consumer unless `persist` says otherwise.
    """

    __slots__ = ("_buffer", "_encoding", "_value")

    volatile: ClassVar[bool] = True
    tells_content: ClassVar[bool] = True

    expireAfterUse = dlg_bool_param("whether the data is released after its last consumer", True)
    pydata = dlg_any_param("a value the drop has from the beginning")
    buftype = dlg_any_param("kept for old graphs; the kind of buffer follows from the data")

    _buffer: io.BytesIO | None
    _value: Any
    _encoding: str

    def _configure(self, values: Mapping[str, Any], *, strict: bool) -> None:
        self._buffer, self._value, self._encoding = None, _NOTHING, serialize.DEFAULT
        super()._configure(values, strict=strict)
        given = self._given
        if given is not None and given.get("pydata") is not None:
            self._value = read_pydata(given["pydata"], self)
            self._encoding = "raw" if isinstance(self._value, bytes) else _GIVEN

    def _check_given(self) -> None:
        # A lifespan and release after use exclude each other only where both were asked for.
        given = self._given or {}
        if given.get("lifespan") is not None and "expireAfterUse" not in given:
            given["expireAfterUse"] = False
        super()._check_given()

    def getIO(self) -> DataIO:
        """Return access to the bytes; an object is written out first."""
        if self._value is not _NOTHING:
            return MemoryIO(io.BytesIO(self._as_bytes()))
        if self._buffer is None:
            self._buffer = io.BytesIO()
        return MemoryIO(self._buffer)

    @property
    def dataURL(self) -> str:
        """A URL that only means something within the process."""
        return f"mem://{socket.gethostname()}/{os.getpid()}/{self.uid}"

    def write(self, data: Any) -> int:
        """Append bytes; an object that was stored before is written out first.

        A value that the drop had from the beginning is forgotten, as an app writes another.
        """
        status = self.status
        if self._value is not _NOTHING and status <= DROPStates.WRITING:
            stored = self._as_bytes() if status is DROPStates.WRITING else b""
            self._value = _NOTHING
            if stored:
                super().write(stored)
        return super().write(data)

    def store(self, value: Any, encoding: str = serialize.DEFAULT) -> None:
        """Keep `value` itself; where bytes are expected or came before, its bytes are appended."""
        if self._writer or self._row in self._graph.streams or self.expectedSize > 0:
            super().store(value, encoding)
            return
        self._begin_writing()
        self._value = serialize.normalise(value, encoding)
        self._encoding = serialize.encoding_name(encoding)
        self._buffer = None

    def load(self, encoding: str = serialize.DEFAULT) -> Any:
        """Return the stored object itself where `encoding` allows, or what its bytes are."""
        self._check_readable()
        if self._value is _NOTHING:
            return serialize.decode(self.contents(), encoding)
        if self._encoding == _GIVEN:
            return serialize.normalise(self._opened(), encoding)
        if serialize.compatible(self._encoding, encoding):
            return self._opened()
        return serialize.decode(self._as_bytes(), encoding)

    @property
    def is_parcel(self) -> bool:
        """Whether the value came from another process and has not been opened here."""
        return isinstance(self._value, Parcel)

    def pack(self, prefix: str) -> tuple[str, Any]:
        """Return the data as a parcel; one that has come from another process goes on unopened.

        Without a prefix the data is for another host, and is given as it is: bytes or an object.
        """
        if not prefix:
            self._check_readable()
            bare = self._value is _NOTHING
            return ("raw", self._as_bytes()) if bare else (self._encoding, self._opened())
        if self._value is _NOTHING:
            return "raw", parcels.wrap(self._as_bytes(), prefix)
        if not isinstance(self._value, Parcel):
            return self._encoding, parcels.wrap(self._value, prefix)
        return self._encoding, self._value

    def receive(self, cargo: Any, size: int | None, crc: int) -> None:
        """Take over an output that was written in another process, with its block of memory."""
        encoding, value = cargo or ("", None)
        if cargo is None or isinstance(value, Parcel):
            super().receive(cargo, size, crc)
            if isinstance(self._value, Parcel):
                self._value.own()
        elif self._row in self._graph.streams or self.expectedSize > 0:
            self.store(value, serialize.DEFAULT if encoding == _GIVEN else encoding)
        else:
            super().receive(cargo, size, crc)

    def unpack(self, cargo: tuple[str, Any]) -> None:
        """Keep the parcel until somebody asks for the value."""
        self._encoding, self._value = cargo
        self._buffer = None

    def _opened(self) -> Any:
        """Return the stored object, opening the parcel it came in."""
        if isinstance(self._value, Parcel):
            self._value = self._value.open()
        return self._value

    def value(self) -> Any:
        """Return the stored object, or the bytes that were written."""
        self._check_readable()
        return self.contents() if self._value is _NOTHING else self._opened()

    def hand_over(self, target: InMemoryDROP) -> bool:
        """Give the stored object to `target` as well; return False if there are only bytes."""
        self._check_readable()
        if self._value is _NOTHING:
            return False
        target.store(self._opened(), self._encoding)
        if target._value is not _NOTHING:
            target._encoding = self._encoding
        return True

    def contents(self) -> bytes:
        """Return all bytes."""
        self._check_readable()
        return self._as_bytes()

    def _as_bytes(self) -> bytes:
        """Return the bytes as they are, also of a drop that is still being written."""
        if self._value is not _NOTHING:
            return bytes(serialize.encode(self._opened(), self._encoding))
        return b"" if self._buffer is None else self._buffer.getvalue()

    @property
    def size(self) -> int | None:
        """Bytes of data; of an array or bytes as they are, of another object when written out."""
        if self._size is not None:
            return self._size
        if self._value is _NOTHING:
            return 0 if self.status is DROPStates.COMPLETED else None
        nbytes = getattr(self._opened(), "nbytes", None)
        if isinstance(nbytes, int):
            return nbytes
        return len(self._as_bytes())

    @size.setter
    def size(self, size: int) -> None:
        self._size = size

    def exists(self) -> bool:
        """Return whether the data has not been deleted."""
        return self.status is not DROPStates.DELETED

    def _delete_data(self) -> None:
        self._buffer, self._value = None, _NOTHING


def pack_small(drop: InMemoryDROP, most: int) -> tuple[str, Any] | None:
    """Return the data of `drop` as it is, unless its bytes are more than `most`.

    The size of an object is not known without writing it out, so all are returned, but those
    that came in a parcel: these are large.
    """
    bare = drop._value is _NOTHING  # noqa: SLF001  a part of the class, which is big enough
    if drop.is_parcel or (bare and (drop.size or 0) > most):
        return None
    return drop.pack("")


PythonObjectDROP = InMemoryDROP
