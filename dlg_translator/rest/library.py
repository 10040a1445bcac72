"""A folder of graphs: listing, reading and writing, and nothing outside of it, ever.

Names come from outside. They are checked word by word, and then once more where they lead: a link
to somewhere outside the folder is as if it were not there.
"""

from __future__ import annotations

import gzip
import os
import re
import tempfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

from dlg.http.errors import BadRequestError, NotFoundError, TooLargeError

ENDINGS = (".graph", ".json", ".graph.gz", ".json.gz")
MOST_LISTED = 5000
DEEPEST = 6
_WORD = re.compile(r"[\w+=@()\-][\w+=@()\-. ]{0,198}", re.ASCII)
_GZIP = b"\x1f\x8b"


class Library:
    """The graphs in one folder, or in none."""

    def __init__(self, root: Path | None, most_bytes: int) -> None:
        self._root = None if root is None else root.resolve()
        self._most = most_bytes
        self._writing = threading.Lock()

    @property
    def is_there(self) -> bool:
        """Whether there is a folder at all."""
        return self._root is not None

    def names(self) -> list[str]:
        """Return the names of all graphs, with `/` between folders, sorted."""
        if self._root is None:
            return []
        found: list[str] = []
        for name in self._walk(self._root, "", 0):
            found.append(name)
            if len(found) == MOST_LISTED:
                break
        return sorted(found)

    def _walk(self, folder: Path, before: str, depth: int) -> Iterator[str]:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                if not _WORD.fullmatch(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if depth < DEEPEST:
                        yield from self._walk(
                            Path(entry.path), f"{before}{entry.name}/", depth + 1
                        )
                elif entry.name.endswith(ENDINGS) and self._inside(Path(entry.path)):
                    yield before + entry.name

    def read(self, name: str) -> bytes:
        """Return what is in a graph, unpacked; raise `NotFoundError` if there is none."""
        path = self._path(name)
        try:
            if path.stat().st_size > self._most:
                raise TooLargeError(f"{name} has more than {self._most:,} bytes")
            return unpacked(path.read_bytes(), self._most)
        except OSError as error:
            raise NotFoundError(f"{name} cannot be read: {error.strerror}") from error

    def write(self, name: str, content: bytes, *, new: bool) -> None:
        """Write a graph, all of it or nothing; only a `new` one may be one that is not there yet.

        Raises `NotFoundError` or `BadRequestError` for a name that cannot be written to.
        """
        path = self._path(name, must_exist=not new)
        if name.endswith(".gz"):
            content = gzip.compress(content, mtime=0)
        with self._writing:
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                Path(temporary).chmod(0o644)
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise

    def _path(self, name: str, *, must_exist: bool = True) -> Path:
        if self._root is None:
            raise NotFoundError("the service was started without a folder for this")
        words = name.split("/")
        sound = all(_WORD.fullmatch(word) for word in words) and name.endswith(ENDINGS)
        if not sound or len(words) > DEEPEST + 1:
            kinds = ", ".join(ENDINGS)
            raise BadRequestError(
                f"{name[:200]!r} is no name for a graph: letters, digits and . - _ + = @ ( ) are, "
                f"with / between folders and one of {kinds} at the end"
            )
        path = self._root.joinpath(*words)
        if must_exist and not (self._inside(path) and path.is_file()):
            raise NotFoundError(f"there is no graph {name!r}")
        if not must_exist and not (self._inside(path) and path.parent.is_dir()):
            raise NotFoundError(f"there is no folder for {name!r}")
        return path.resolve()

    def _inside(self, path: Path) -> bool:
        """Return whether `path` stays in the folder once all links on the way are followed."""
        try:
            return self._root is not None and path.resolve().is_relative_to(self._root)
        except (OSError, RuntimeError):  # links that go round in a circle
            return False


def unpacked(content: bytes, most: int) -> bytes:
    """Return `content`, unpacked if it is gzip; refuse what grows beyond `most` bytes."""
    if not content.startswith(_GZIP):
        return content
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = unpacker.decompress(content, most)
    except zlib.error as error:
        raise BadRequestError(f"this is no sound gzip: {error}") from error
    if unpacker.unconsumed_tail:
        raise TooLargeError(f"it unpacks to more than {most:,} bytes")
    if not unpacker.eof:
        raise BadRequestError("the gzip is cut short")
    return found
