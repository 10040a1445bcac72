"""Data of BEAT: what a block puts out, or the index of a set, as files of a cache."""

from __future__ import annotations

import io
import re
import socket
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from dlg.beat.cache_files import Part, parts, write_whole
from dlg.drops.data_base import DataDROP
from dlg.drops.io import DataIO, OpenMode
from dlg.drops.parameters import dlg_bool_param, dlg_string_param
from dlg.exceptions import InvalidDropException, RunError

ENDINGS = ("data", "index", "data.checksum", "index.checksum", "manifest")
"""Of the files of a part, in the order in which they may appear: see `dlg.beat.cache_files`."""
INDEX = ".db"
IN_MEMORY = 1 << 24
_MEMBER = re.compile(r"\.\d{1,18}\.\d{1,18}\.(data|index|data\.checksum|index\.checksum|manifest)")
_HASH_PATH = re.compile(r"(?:[0-9a-f]{2}/){3}[0-9a-f]{58}(?:\.db)?")


class CacheIO(DataIO):
    """The files of an output as one stream of bytes, a tar archive without times and owners."""

    def __init__(self, place: Path, ranges: Sequence[Part] | None = None) -> None:
        self.place, self._chosen = place, ranges
        self._file: IO[bytes] | None = None
        self._writing = False

    @property
    def files(self) -> list[Path]:
        """The files that are there, those that say that others are whole after these."""
        if self.place.suffix == INDEX:
            return [self.place] if self.place.exists() else []
        chosen = parts(str(self.place)) if self._chosen is None else self._chosen
        places = (Path(part.file(ending)) for ending in ENDINGS for part in chosen)
        return [place for place in places if place.exists()]

    def open(self, mode: OpenMode) -> None:
        """Make the archive, or get ready to take one."""
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  until `close`
        self._writing = mode is OpenMode.OPEN_WRITE
        if self._writing:
            return
        with tarfile.open(fileobj=self._file, mode="w") as archive:
            for file in self.files:
                info = tarfile.TarInfo(file.name)
                info.size = file.stat().st_size
                with file.open("rb") as content:
                    archive.addfile(info, content)
        self._file.seek(0)

    def read(self, count: int = 65536) -> bytes:
        """Return up to `count` bytes."""
        if self._file is None:
            self.open(OpenMode.OPEN_READ)
        assert self._file is not None  # noqa: S101  opened just before
        return self._file.read(count)

    def write(self, data: Any) -> int:
        """Take a piece of the archive."""
        if self._file is None:
            self.open(OpenMode.OPEN_WRITE)
        assert self._file is not None  # noqa: S101  opened just before
        return self._file.write(data)

    def close(self) -> None:
        """Put what was written where it belongs, each file whole."""
        file, self._file = self._file, None
        if file is None:
            return
        with file:
            if self._writing and file.tell():
                file.seek(0)
                self._unpack(file)

    def _unpack(self, file: IO[bytes]) -> None:
        try:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                for member in archive:
                    self._put(member, archive.extractfile(member))
        except tarfile.TarError as error:
            message = f"{self.place}: what came is no archive of its files: {error}"
            raise RunError(message) from None

    def _put(self, member: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        own = member.name.startswith(self.place.name)
        rest = member.name.removeprefix(self.place.name)
        allowed = not rest if self.place.suffix == INDEX else bool(_MEMBER.fullmatch(rest))
        if content is None or not own or not allowed:
            raise RunError(f"{self.place}: {member.name!r} is none of its files")
        self.place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(str(self.place.with_name(member.name)), content.read())

    def size(self) -> int:
        """Return how many bytes the files have."""
        return sum(file.stat().st_size for file in self.files)

    def exists(self) -> bool:
        """Return whether there are files."""
        return bool(self.files)

    def delete(self) -> None:
        """Delete the files, those first that say that others are whole."""
        for file in reversed(self.files):
            file.unlink(missing_ok=True)

    def buffer(self) -> bytes:
        """Return the whole archive."""
        whole = io.BytesIO()
        self.open(OpenMode.OPEN_READ)
        try:
            while piece := self.read(1 << 20):
                whole.write(piece)
        finally:
            self.close()
        return whole.getvalue()


class BeatOutputDROP(DataDROP):
    """What a block of an experiment puts out, or the index of a set: files of a cache.

    `cache` is the folder of the cache, by default `beat-cache` in the session's directory, and
    `hash_path` says where in it the files are. Read, the drop is a tar archive of them; an archive
    that is written to it, as one that comes from another node, is unpacked there.
    """

    __slots__ = ("_chosen",)

    persist = dlg_bool_param("whether the files are kept after their last consumer", True)
    cache = dlg_string_param("folder of the cache; empty: in the session's directory", "")
    hash_path = dlg_string_param("where in the cache the files are, without their endings", "")

    _chosen: Sequence[Part] | None

    def _check_given(self) -> None:
        super()._check_given()
        self._chosen = None
        if not _HASH_PATH.fullmatch(self.hash_path):
            reason = f"hash_path must be the path of a hash, as in a cache: {self.hash_path!r}"
            raise InvalidDropException(self, reason)

    @property
    def place(self) -> Path:
        """Where the files are, without their endings."""
        return cache_folder(self, self.cache) / str(self.hash_path)

    def consists_of(self, chosen: Sequence[Part]) -> None:
        """Say which parts this drop stands for: those that its app has made."""
        self._chosen = chosen

    @property
    def dataURL(self) -> str:
        """The files as a URL with this host's name."""
        return f"file://{socket.gethostname()}{self.place}"

    def getIO(self) -> DataIO:
        """Return access to the files, as an archive."""
        return CacheIO(self.place, self._chosen)

    def seal(self) -> None:
        """Measure what is there."""
        self._size = self.getIO().size()

    def _discard(self) -> None:
        """Leave what is there: files of a cache are whole, and others may be reading them."""


def cache_folder(drop: Any, given: str) -> Path:
    """Return the cache that a drop works on: the one given, or that of its session."""
    if given:
        return Path(given).expanduser().absolute()
    session: Path | None = drop._graph.surroundings.directory  # noqa: SLF001  as its bases do
    return (session or Path(tempfile.gettempdir()) / "dlg_files").absolute() / "beat-cache"
