"""Where data go: the files of a cache, or standard output."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sys
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from dlg.beat import cache_files
from dlg.beat.arrays import BIG
from dlg.beat.baseformat import baseformat, pieces, plain
from dlg.beat.cache_files import Manifest, Part
from dlg.beat.packing import CastError
from dlg.exceptions import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

logger = logging.getLogger(__name__)

BATCH = 1 << 20
"""Units are collected until they have this many bytes, and then written in one go."""
ENCODINGS = ("binary", "json")


Piece: TypeAlias = bytes | memoryview


class ClosedSinkError(UsageError, RuntimeError):
    """Data were written to a sink that has no file: it was not set up, or was closed."""


class CacheWriteError(RunError, OSError):
    """The files of a cache cannot be written."""


class Format(Protocol):
    """What a sink has to know of a data format."""

    @property
    def name(self) -> Any:
        """Its name."""

    @property
    def type(self) -> type[baseformat]:
        """The class of its values."""


class DataSink:
    """The base of all sinks."""

    dataformat: Format

    def write(self, data: baseformat, start_data_index: int, end_data_index: int) -> None:
        """Take a unit of data, which covers the indices from start to end."""
        raise NotImplementedError

    def isConnected(self) -> bool:
        """Tell whether what is written goes anywhere."""
        raise NotImplementedError

    def close(self) -> None:
        """Take no more data."""

    def statistics(self) -> tuple[int, float]:
        """Return how many bytes were written, and for how long that took (seconds)."""
        return 0, 0.0


class StdoutDataSink(DataSink):
    """Prints data, a line for each unit."""

    def __init__(self) -> None:
        self.prefix = ""
        self.display_data = True

    def setup(
        self, dataformat: Format, prefix: str | None = None, display_data: bool = True
    ) -> bool:
        """Say what is printed: `prefix` first, and the data themselves only if they are wanted."""
        self.dataformat, self.prefix, self.display_data = dataformat, prefix or "", display_data
        return True

    def write(self, data: baseformat, start_data_index: int, end_data_index: int) -> None:
        """Print a unit."""
        shown = plain(data) if self.display_data else "<data>"
        sys.stdout.write(f"{self.prefix}({start_data_index} -> {end_data_index}): {shown}\n")

    def isConnected(self) -> bool:
        """Tell that it is."""
        return True


class CachedDataSink(DataSink):
    """Writes a part of an output; the files are there once it is closed and all was written.

    `whole` and `signature` may be set before closing: what the manifest says of all parts, and of
    what the data were made of. Without all units up to the last index nothing is left behind.
    """

    def __init__(self) -> None:
        self.part: Part | None = None
        self._filename = ""
        self.encoding = ENCODINGS[0]
        self.start_index = self.end_index = self.last_written_data_index = -1
        self.whole: tuple[int, int] | None = None
        self.signature: str | None = None
        self.units = 0
        self.nb_bytes_written = 0
        self.write_duration = 0.0
        self._files: dict[str, _File] = {}
        self._header = 0
        self._pid = -1
        self._kind: type[baseformat] | None = None

    def setup(
        self,
        filename: str,
        dataformat: Format,
        start_index: int,
        end_index: int,
        encoding: str = "binary",
    ) -> bool:
        """Open the files for the data indices from start to end; tell whether that worked."""
        if encoding not in ENCODINGS:
            raise UsageError(f"an encoding is one of {', '.join(ENCODINGS)}, not {encoding!r}")
        if not 0 <= start_index <= end_index:
            raise UsageError(f"{filename}: there is no range from {start_index} to {end_index}")
        self.abort()
        self.part, self._filename = cache_files.part_of(filename, start_index, end_index), filename
        self.dataformat, self.encoding = dataformat, encoding
        self.start_index, self.end_index = start_index, end_index
        self.last_written_data_index, self.units = start_index - 1, 0
        try:
            self._files["data"] = _File(self.part.file("data"), b"")
            self._files["index"] = _File(self.part.file("index"), b"\n")
        except OSError as error:
            logger.error("%s: %s", self.part.stem, error)  # noqa: TRY400  (the text says it all)
            self.abort()
            return False
        header = f"{encoding}\n{dataformat.name}\n".encode()
        self._files["data"].waiting.append(header)
        self._header, self._kind, self._pid = len(header), dataformat.type, os.getpid()
        return True

    def write(self, data: baseformat, start_data_index: int, end_data_index: int) -> None:
        """Append a unit; raise `CastError` if it is of another format."""
        if type(data) is not self._kind and self._files:
            self._check(data)
        content = pieces(data) if self.encoding == ENCODINGS[0] else _json(data)
        self._append(content, start_data_index, end_data_index)

    def _check(self, data: Any) -> None:
        expected: type[baseformat] = self.dataformat.type
        known = isinstance(data, baseformat)
        name = data.__record__.name if known else type(data).__name__
        same_fields = known and data.__record__.fields.keys() == expected.__record__.fields.keys()
        if name != expected.__record__.name or not same_fields:
            raise CastError(
                f"data of the format `{name}' cannot be written where "
                f"`{expected.__record__.name}' is expected"
            )
        self._kind = type(data)

    def write_packed(self, data: Buffer, start_data_index: int, end_data_index: int) -> None:
        """Append a unit that is packed already, without looking into it."""
        if self.encoding != ENCODINGS[0]:
            raise UsageError(f"packed data cannot be written as {self.encoding}")
        view = memoryview(data).cast("B")
        content = [view] if len(view) > BIG else bytes(view)
        self._append(content, start_data_index, end_data_index)

    def _append(self, content: bytes | Sequence[Piece], start: int, end: int) -> None:
        if not self._files:
            raise ClosedSinkError("this sink has no file: set it up, and write before closing it")
        if not self.last_written_data_index < start <= end:
            raise UsageError(
                f"a unit from {start} to {end} cannot follow index {self.last_written_data_index}"
            )
        data, index = self._files["data"], self._files["index"]
        interval = b"%d %d" % (start, end)
        index.waiting.append(interval)
        if isinstance(content, bytes):
            unit = b"%b %d\n%b\n" % (interval, len(content) + 1, content)
            data.waiting.append(unit)
            data.size += len(unit)
        else:
            size = sum(map(len, content)) + 1
            head = b"%b %d\n" % (interval, size)
            data.waiting += [head, *content, b"\n"]
            # What is no bytes belongs to someone who may change it as soon as this returns.
            data.size += BATCH
        self.last_written_data_index = end
        self.units += 1
        if data.size >= BATCH:
            self._flush()

    def _flush(self) -> None:
        begun = perf_counter()
        try:
            for file in self._files.values():
                file.flush()
        except OSError as error:
            self.abort()
            raise CacheWriteError(f"{self._stem} cannot be written: {error}") from error
        finally:
            self.write_duration += perf_counter() - begun

    @property
    def _stem(self) -> str:
        return self.part.stem if self.part else "nothing"

    def isConnected(self) -> bool:
        """Tell that it is."""
        return True

    def statistics(self) -> tuple[int, float]:
        """Return how many bytes the units took, and for how long they were written (seconds)."""
        if self._files:
            self._flush()
            self.nb_bytes_written = sum(file.total for file in self._files.values()) - self._header
        return self.nb_bytes_written, self.write_duration

    def close(self) -> None:
        """Publish the files if everything was written, or leave nothing behind."""
        if not self._files or self.part is None:
            return
        if self.last_written_data_index < self.end_index:
            logger.warning(
                "%s is not kept: data were written up to index %d of %d",
                *(self.part.stem, self.last_written_data_index, self.end_index),
            )
            self.abort()
            return
        begun = perf_counter()
        try:
            self._publish(self.part)
        except OSError as error:
            raise CacheWriteError(f"{self.part.stem} cannot be written: {error}") from error
        finally:
            self.write_duration += perf_counter() - begun
            self.abort()

    def _publish(self, part: Part) -> None:
        """Make the files visible, so that at no time old checksums stand beside new data."""
        facts = {ending: file.finish() for ending, file in self._files.items()}
        self.nb_bytes_written = sum(fact["bytes"] for fact in facts.values()) - self._header
        cache_files.withdraw(part)
        for file in self._files.values():
            file.publish()
        self._files = {}
        manifest = Manifest(
            format=str(self.dataformat.name),
            encoding=self.encoding,
            start=self.start_index,
            end=self.end_index,
            units=self.units,
            files=facts,
            whole=list(self.whole) if self.whole else None,
            signature=self.signature,
        )
        cache_files.seal(part, manifest)
        cache_files.supersede(self._filename, part)

    def abort(self) -> None:
        """Leave nothing behind of what was not published; to be called when the block failed."""
        for file in self._files.values():
            file.discard()
        self._files = {}

    def __del__(self) -> None:
        # Whoever forgets to close wrote his data all the same; what is not whole goes away. But
        # a process that the writer forked has only a copy, and the files are not its own.
        if getattr(self, "_files", None) and self._pid == os.getpid():
            self.close()


class _File:
    """A file under its hidden name, written in batches; `end` stands behind what is collected."""

    def __init__(self, target: str, end: bytes) -> None:
        self.target, self.end = target, end
        self.hidden = cache_files.hidden_name(target)
        self._file: IO[bytes] = cache_files.open_new(self.hidden)
        self._hash = hashlib.sha256(usedforsecurity=False)
        self.waiting: list[Piece] = []
        """What is written next."""
        self.size = 0
        """How many bytes wait, if anybody counts them."""
        self.total = 0
        """How many bytes were written."""

    def flush(self) -> None:
        """Write what waits."""
        if not self.waiting:
            return
        waiting, self.waiting, self.size = self.waiting, [], 0
        small: list[bytes] = []
        for piece in waiting:
            if isinstance(piece, bytes):
                small.append(piece)
                continue
            self._put(self.end.join(small))
            self._put(piece)  # big, so that it is not copied just to stand beside others
            small = []
        if small:
            self._put(self.end.join(small) + self.end)

    def _put(self, content: Piece) -> None:
        rest = memoryview(content)
        self._hash.update(rest)
        self.total += len(rest)
        while rest:
            rest = rest[self._file.write(rest) :]

    def finish(self) -> dict[str, Any]:
        """Write the rest; return how big the file is, and its checksum."""
        self.flush()
        self._file.close()
        return {"bytes": self.total, "sha256": self._hash.hexdigest()}

    def publish(self) -> None:
        """Give the file its name."""
        os.replace(self.hidden, self.target)  # noqa: PTH105  (small blocks consist of such calls)

    def discard(self) -> None:
        """Remove the file if it has not got its name."""
        self._file.close()
        self.waiting = []
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.hidden)  # noqa: PTH108  (likewise)


def _json(data: baseformat) -> bytes:
    return json.dumps(plain(data), default=_number, ensure_ascii=False).encode()


def _number(value: Any) -> Any:
    if isinstance(value, np.generic) and not isinstance(value, np.complexfloating):
        return value.item()
    raise UsageError(f"{value!r} cannot be written as JSON: use the encoding {ENCODINGS[0]}")
