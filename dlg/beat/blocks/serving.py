"""The data of databases, made in a process of their own and served in batches.

`serve` is what a warden calls in that process; `ServedDatabases` is the side of the block. They
share memory: each batch lies in a file of memory, of which only the descriptor goes over the
socket between them, and arrays of the block are views of it. While the block works on one batch
the next one is made.

Messages are those of `dlg.beat.processes.frames`. `{"open": request}` is answered by the number of
units and, in memory, their intervals; `{"get": source, "from": unit}` by the number of units in
the batch and, in memory, where they begin and the units. Either may be answered by an error.
"""

from __future__ import annotations

import mmap
import os
import socket
import time
from dataclasses import asdict
from typing import Any

import numpy as np

from dlg.beat.blocks.assembly import Request
from dlg.beat.blocks.databases import ViewsHere
from dlg.beat.blocks.loops import RemoteError
from dlg.beat.formats import Formats, type_named
from dlg.beat.processes import frames
from dlg.beat.sources import DataSource
from dlg.beat.tracebacks import is_of_user, of_user
from dlg.exceptions import RunError

BATCH_B = 1 << 20
"""A batch ends with the unit by which it has this many bytes,"""
BATCH_UNITS = 4096
"""or with this many units (the first batch of a source is smaller),"""
BATCH_S = 0.02
"""or with the unit that was made after so many seconds."""
_FIRST_UNITS = 16
_WORD = 8


class LostProviderError(RunError, RuntimeError):
    """The process that made the data of databases has ended."""


# --- the side that makes the data -------------------------------------------------------------


class _Served:
    """A source, and the batch of it that was made ahead."""

    def __init__(self, source: DataSource) -> None:
        self.source = source
        self._units = _FIRST_UNITS
        self._ahead: tuple[int, dict[str, Any], int] | None = None

    def batch(self, first: int) -> tuple[dict[str, Any], int]:
        """Return the answer for the batch that begins with a unit, and its descriptor."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            if ahead[0] == first:
                return ahead[1], ahead[2]
            os.close(ahead[2])
        return self._make(first)

    def make_ahead(self, first: int) -> None:
        """Make the batch that begins with a unit, if there is one; errors wait until it counts."""
        if self._ahead is None and first < len(self.source):
            try:
                answer, descriptor = self._make(first)
            except Exception:  # noqa: BLE001  it is made again, and fails, when it is asked for
                return
            self._ahead = first, answer, descriptor

    def _make(self, first: int) -> tuple[dict[str, Any], int]:
        until, size = time.monotonic() + BATCH_S, 0
        pieces: list[Any] = []
        edges = [0]
        for unit in range(first, min(first + self._units, len(self.source))):
            piece: Any = self.source.packed(unit)[0]
            size += memoryview(piece).nbytes
            pieces.append(piece)
            edges.append(size)
            if size >= BATCH_B or time.monotonic() >= until:
                break
        self._units = min(BATCH_UNITS, 4 * self._units)
        table = np.array(edges, np.int64)
        return {"units": len(pieces)}, _memory([table.data, *pieces])


def serve(payload: dict[str, Any], links: list[socket.socket]) -> dict[str, Any]:
    """Serve sources of databases over a socket until the other side closes it."""
    formats: Formats = {}
    views = ViewsHere(payload["prefix"], payload["cache"], payload["roots"], formats)
    served: list[_Served] = []
    link = links[0]
    while True:
        try:
            message, _ = frames.receive(link)
        except (EOFError, ConnectionError):
            return {"served": len(served)}
        ahead = -1
        try:
            if "open" in message:
                answer, descriptor = _open(message["open"], views, served)
            else:
                one = served[message["get"]]
                answer, descriptor = one.batch(message["from"])
                ahead = message["from"] + answer["units"]
        except Exception as error:  # noqa: BLE001  whatever the code of a view raises
            answer, descriptor = {"error": _judged(error, payload["prefix"])}, -1
        try:
            frames.send(link, answer, [descriptor] if descriptor >= 0 else [])
        except ConnectionError:
            return {"served": len(served)}
        if descriptor >= 0:
            os.close(descriptor)
        if ahead >= 0:
            one.make_ahead(ahead)


def _open(
    asked: dict[str, Any], views: ViewsHere, served: list[_Served]
) -> tuple[dict[str, Any], int]:
    limits = asked["range"]
    request = Request(**{**asked, "range": tuple(limits) if limits else None})
    source = views.source(request)
    served.append(_Served(source))
    table = np.array(source.data_indices(), np.int64).reshape(-1, 2)
    answer = {"source": len(served) - 1, "units": len(table), "format": views.format_of(request)}
    return answer, _memory([table.data])


def _judged(error: Exception, prefix: str) -> list[str]:
    return ["usr" if is_of_user(error) else "sys", of_user(error, prefix)]


def _memory(pieces: list[Any]) -> int:
    """Return the descriptor of memory with these bytes."""
    descriptor = os.memfd_create("batch")
    with open(descriptor, "wb", closefd=False) as file:
        file.writelines(pieces)
    return descriptor


# --- the side that uses them ------------------------------------------------------------------


class ServedDatabases:
    """Gives sources whose data are made by `serve` at the other end of a socket."""

    def __init__(self, link: socket.socket, prefix: str, formats: Formats) -> None:
        self._link, self._prefix, self._formats = link, prefix, formats

    def source(self, request: Request) -> DataSource:
        """Return the source of an input."""
        answer, view = self.ask({"open": asdict(request)})
        intervals = np.frombuffer(view, np.int64).reshape(-1, 2)
        return _ServedSource(self, answer, intervals, self._prefix, self._formats)

    def ask(self, message: dict[str, Any]) -> tuple[dict[str, Any], memoryview]:
        """Return an answer with the memory that came with it.

        Raises `RemoteError` for an error there, `LostProviderError` if nobody is there.
        """
        try:
            frames.send(self._link, message)
            answer, descriptors = frames.receive(self._link)
        except (EOFError, ConnectionError) as error:
            raise LostProviderError("the process that runs the views has ended") from error
        if "error" in answer:
            raise RemoteError(*answer["error"])
        try:
            size = os.fstat(descriptors[0]).st_size
            if not size:
                return answer, memoryview(b"")
            mapped = mmap.mmap(descriptors[0], size, prot=mmap.PROT_READ)
        finally:
            os.close(descriptors[0])
        return answer, memoryview(mapped)


class _ServedSource(DataSource):
    """The units of an output of a view that runs elsewhere."""

    def __init__(
        self,
        databases: ServedDatabases,
        answer: dict[str, Any],
        intervals: np.ndarray[Any, np.dtype[np.int64]],
        prefix: str,
        formats: Formats,
    ) -> None:
        super().__init__()
        self._databases, self._number = databases, answer["source"]
        self.kind = type_named(prefix, answer["format"], formats)
        self._starts, self._ends = intervals[:, 0].tolist(), intervals[:, 1].tolist()
        self.ready = True
        self._first = self._behind = 0
        self._edges: list[int] = [0]
        self._units = memoryview(b"")

    def _packed(self, index: int) -> memoryview:
        if not self._first <= index < self._behind:
            self._fetch(index)
        place = index - self._first
        return self._units[self._edges[place] : self._edges[place + 1]]

    def _fetch(self, index: int) -> None:
        answer, view = self._databases.ask({"get": self._number, "from": index})
        count = answer["units"]
        table = (count + 1) * _WORD
        self._edges = np.frombuffer(view[:table], np.int64).tolist()
        self._units = view[table:]
        self._first, self._behind = index, index + count
