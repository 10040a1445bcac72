"""A directory of completed data: signature to entry, and hash to content.

    entries/ab/<key>      what is known of the data; small contents are in here, too
    contents/cd/<hash>    larger contents, which equal data share
    under_way/            what is being written; whatever is left of a process that was killed

Any number of processes, also of several hosts, use it at once without locks. Everything is written
under a name of its own and then renamed, which is atomic also where locks are not to be trusted.
Whoever comes second replaces an entry by one that is as good. A content may vanish between two
steps of somebody else, at worst: then there is no hit, and the data is made again.

Contents are copied into the store and out of it, or share their blocks where the file system
can (a reflink). They are never hard links: an app that changes a file in place would change it for
all runs to come, and bits that forbid it do not hold for everybody.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from dlg.exceptions import RunError, UsageError
from dlg.support import clock
from dlg.support.content import hash_of, stamp_of
from dlg_engine.reuse import files
from dlg_engine.reuse.entries import DamagedEntryError, Entry, check_key, packed, unpacked

ENTRIES = "entries"
SMALL = 1 << 14
"""Up to so many bytes a content is kept in its entry: one file to read instead of two."""
FRESH_S = 3600.0
"""An entry counts as just used for so long: its time is not written at every hit."""
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

Verify = Literal["always", "size"]


class UnsafeStoreError(UsageError):
    """The directory of the store could be written to by others, and values in it are code."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is told of data that is put into the store."""

    form: str
    app: str = ""
    node: str = ""
    session: str = ""
    encoding: str = ""
    crc: int = 0
    executable: bool = False


def is_store(root: Path) -> bool:
    """Return whether a directory has been a store before; opening one would make it so."""
    return (root / ENTRIES).is_dir()


class Store:
    """The store in one directory, which is made when it is missing."""

    def __init__(self, root: Path, verify: Verify = "always") -> None:
        """Raise `UnsafeStoreError` if others may write to `root`.

        `verify` says what is checked before data is served: `always` its hash, `size` of large
        contents the size only.
        """
        if verify not in {"always", "size"}:
            raise UsageError(f"verify: always or size is expected, not {verify!r}")
        self.root, self.verify = root.expanduser().absolute(), verify
        self.entries = self.root / ENTRIES
        self.contents = self.root / "contents"
        self.under_way = self.root / "under_way"
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            _check_safe(self.root)
            for directory in (self.entries, self.contents, self.under_way):
                directory.mkdir(exist_ok=True, mode=0o700)
                _check_safe(directory)
        except OSError as error:
            text = f"cannot use the store: {error.strerror}"
            raise UsageError(f"{text}: {self.root}") from error
        self._entries = str(self.entries)

    # -- looking --------------------------------------------------------------------------

    def find(self, key: str) -> Entry | None:
        """Return the entry of `key`; None if there is none that could be served."""
        path = f"{self._entries}/{check_key(key)[:2]}/{key}"
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            about = os.fstat(descriptor)
            data = os.read(descriptor, about.st_size + 1)
        finally:
            os.close(descriptor)
        try:
            entry = unpacked(data, key)
        except DamagedEntryError:
            self.discard(key)
            return None
        if entry.held is None and not self._has_content(entry):
            self.discard(key)
            return None
        if clock.now() - about.st_mtime > FRESH_S:
            with suppress(OSError):  # somebody has evicted it
                os.utime(path)
        return entry

    def _has_content(self, entry: Entry) -> bool:
        try:
            return self.content_path(entry.content).stat().st_size == entry.size
        except FileNotFoundError:
            return False

    def read(self, entry: Entry) -> bytes:
        """Return the content of an entry; raise `DamagedEntryError` if it is another one now."""
        if entry.held is not None:
            return entry.held  # its hash has been compared, being a part of the entry
        with self._opened(entry) as source:
            data = source.read()
            if len(data) != entry.size or (
                self.verify == "always" and hash_of(data) != entry.content
            ):
                self._refuse(entry)
            return data

    def place(self, entry: Entry, path: Path) -> None:
        """Let `path` be a file with the content of `entry`, or a directory if it is one.

        Raises `DamagedEntryError` if the content is another one now; nothing is at `path` then.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.form == "directory":
            files.extract(io.BytesIO(self.read(entry)), path)
            return
        temporary = path.with_name(f".{files.temporary_name()}")
        mode = 0o777 if entry.executable else 0o666
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as target:
                self._copy_out(entry, target)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _copy_out(self, entry: Entry, target: IO[bytes]) -> None:
        if entry.held is not None:
            target.write(entry.held)
            return
        with self._opened(entry) as source:
            if self.verify == "always":
                same = files.copy_hashing(source, target).result() == entry.content
            else:
                same = files.copy_unread(source, target) == entry.size
            if not same:
                self._refuse(entry)

    @contextmanager
    def _opened(self, entry: Entry) -> Iterator[IO[bytes]]:
        path = self.content_path(entry.content)
        try:
            source = path.open("rb", buffering=0)
        except FileNotFoundError:
            self.discard(entry.key)
            raise DamagedEntryError(f"entry {entry.key}: its content is gone") from None
        with source:
            yield source

    def _refuse(self, entry: Entry) -> None:
        """Take a content out of the store that is not what it was."""
        self.discard(entry.key)
        self.content_path(entry.content).unlink(missing_ok=True)
        raise DamagedEntryError(f"entry {entry.key}: its content is another one than was kept")

    # -- keeping --------------------------------------------------------------------------

    def put(self, key: str, content: bytes, facts: Facts) -> Entry:
        """Keep bytes under `key`."""
        digest = hash_of(content)
        if len(content) <= SMALL:
            return self._add(key, digest, len(content), facts, content)
        self._keep(io.BytesIO(content), len(content), digest)
        return self._add(key, digest, len(content), facts)

    def put_file(self, key: str, path: Path, facts: Facts, digest: str = "") -> Entry:
        """Keep the content of a file under `key`; its hash need not be taken if it is known.

        Raises `RunError` if the file is changed meanwhile.
        """
        with path.open("rb", buffering=0) as source:
            stamp, size = stamp_of(path), os.fstat(source.fileno()).st_size
            if size <= SMALL:
                return self.put(key, source.read(), facts)
            digest, size = self._keep(source, size, digest)
        if stamp_of(path) != stamp:
            raise RunError(f"{path} was changed while it was copied")
        return self._add(key, digest, size, facts)

    def put_directory(self, key: str, path: Path, facts: Facts) -> Entry:
        """Keep a directory under `key`; raise `RunError` for links, pipes and devices in it."""
        temporary = self.under_way / files.temporary_name()
        try:
            with temporary.open("xb") as target:
                files.archive(path, target)
            return self.put_file(key, temporary, facts)
        finally:
            temporary.unlink(missing_ok=True)

    def _keep(self, source: IO[bytes], size: int = -1, digest: str = "") -> tuple[str, int]:
        """Keep what is left of `source`, unless it is there; return its hash and its size.

        A hash that is known is believed.
        """
        if digest and self._is_there(digest, size):
            return digest, size
        temporary = self.under_way / files.temporary_name()
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        try:
            with os.fdopen(descriptor, "wb") as target:
                if isinstance(source, io.BytesIO):
                    target.write(source.getbuffer())
                elif digest:
                    files.copy_unread(source, target)
                else:
                    hasher = files.copy_hashing(source, target)
                    size, digest = hasher.size, hasher.result()
                # Else a power failure might leave a file of the right size, full of nothing.
                files.sync(target)
            files.rename(temporary, self.content_path(digest))
        finally:
            temporary.unlink(missing_ok=True)
        return digest, size

    def _is_there(self, digest: str, size: int) -> bool:
        """Return whether a content is in the store, and say that somebody needs it."""
        path = self.content_path(digest)
        try:
            os.utime(path)
            return path.stat().st_size == size
        except OSError:
            return False

    def _add(
        self, key: str, digest: str, size: int, facts: Facts, held: bytes | None = None
    ) -> Entry:
        entry = Entry(
            key=check_key(key), content=digest, size=size, form=facts.form, made=clock.now(),
            app=facts.app, node=facts.node, session=facts.session, encoding=facts.encoding,
            crc=facts.crc, executable=facts.executable, held=held,
        )  # fmt: skip
        temporary = self.under_way / files.temporary_name()
        files.write_whole(self.entry_path(key), packed(entry), temporary)
        return entry

    # -- places ---------------------------------------------------------------------------

    def entry_path(self, key: str) -> Path:
        """Return where the entry of `key` is, or would be."""
        return self.entries / check_key(key)[:2] / key

    def content_path(self, digest: str) -> Path:
        """Return where a content is, or would be."""
        name = check_key(digest.rpartition(":")[2])
        return self.contents / name[:2] / name

    def discard(self, key: str) -> None:
        """Forget the entry of `key`; what it refers to is cleared away later."""
        self.entry_path(key).unlink(missing_ok=True)


def _check_safe(directory: Path) -> None:
    about = directory.stat()
    if about.st_uid != os.geteuid():
        raise UnsafeStoreError(f"the store is not yours: {directory} belongs to another user")
    if about.st_mode & _OTHERS_MAY_WRITE:
        raise UnsafeStoreError(
            f"others may write to the store, and values in it are code: chmod go-w {directory}"
        )
