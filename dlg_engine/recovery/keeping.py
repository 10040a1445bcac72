"""What an app has made, from drops to the journal of its session and back.

What is in memory is written down, small things in the journal itself and larger ones in a store
beside it. Files stay where they are: it is noted what the system knows of them, and that must
still be so when they are needed. Nobody may have read the data yet: who reads a value may change
it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from dlg.data.directory import DirectoryDROP
from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.data.null import NullDROP
from dlg.ddap_protocol import DROPStates
from dlg.drops.data_base import DataDROP
from dlg.drops.live import LiveGraph
from dlg.exceptions import DaliugeException
from dlg_engine.recovery.journal import Kept
from dlg_engine.recovery.made import stamp_of
from dlg_engine.reuse import contents
from dlg_engine.reuse.entries import DamagedEntryError, Entry
from dlg_engine.reuse.store import Facts, Store

HELD = 1 << 14
"""Up to so many bytes a content is written into the journal itself."""

_COMPLETED, _SKIPPED = int(DROPStates.COMPLETED), int(DROPStates.SKIPPED)
_ON_DISK = (FileDROP, DirectoryDROP)


class CannotKeepError(DaliugeException):
    """What an app has made is nowhere from where another process could take it."""


def can_be_kept(cls: type) -> bool:
    """Return whether data of a class can be had again after the end of the process."""
    if issubclass(cls, (InMemoryDROP, NullDROP)):
        return True
    return issubclass(cls, DataDROP) and cls.holds_data and not cls.volatile


class Keeper:
    """Keeps what the apps of one session make."""

    def __init__(self, directory: Path, place: Path) -> None:
        """`directory` is that of the session; larger contents go into a store at `place`."""
        self._directory, self._place = directory, place
        self._opened: Store | None = None

    @property
    def _store(self) -> Store:
        """The store, made when it is first needed."""
        if self._opened is None:
            self._opened = Store(self._place)
        return self._opened

    # -- keeping --------------------------------------------------------------------------

    def keep(self, live: LiveGraph, row: int) -> Kept:
        """Keep what has just been written to data `row`; raise `CannotKeepError` or any other.

        An output that the app itself has completed may be another one by now if it is in memory.
        """
        status = live.flow.status[row]
        if status == _SKIPPED:
            return Kept(row, _SKIPPED)
        cls = live.classes[live.class_ids[row]]
        if status > _COMPLETED or (status == _COMPLETED and issubclass(cls, InMemoryDROP)):
            raise CannotKeepError(f"{live.uids[row]} was {DROPStates(status).name} by the app")
        if issubclass(cls, NullDROP) or (
            live.objects[row] is None and issubclass(cls, InMemoryDROP)
        ):
            return Kept(row, _COMPLETED)
        drop = live.drop(row)
        if isinstance(drop, InMemoryDROP):
            return self._keep_memory(row, drop)
        if status != _COMPLETED:
            drop.seal()
        crc = drop.known_checksum or 0
        if isinstance(drop, _ON_DISK):
            path = Path(drop.path)
            return Kept(
                row, _COMPLETED, "path", drop.size, crc, path=self._shortened(path),
                stamp=_times(path),
            )  # fmt: skip
        return Kept(row, _COMPLETED, "place", drop.size, crc)

    def _keep_memory(self, row: int, drop: InMemoryDROP) -> Kept:
        form, encoding, content = contents.of_memory(drop)
        crc = drop.known_checksum or 0
        if len(content) <= HELD:
            return Kept(row, _COMPLETED, form, len(content), crc, content, encoding)
        key = hashlib.sha256(b"%d" % row).hexdigest()
        self._store.put(key, content, Facts(form=form, encoding=encoding, crc=crc))
        return Kept(row, _COMPLETED, form, len(content), crc, None, encoding, key)

    def _shortened(self, path: Path) -> str:
        """Return a path so that it stays right if the directory of the session is moved."""
        inside = path.is_relative_to(self._directory)
        return str(path.relative_to(self._directory) if inside else path)

    # -- back -----------------------------------------------------------------------------

    def is_lost(self, live: LiveGraph, kept: Kept, *, whole: bool = True) -> bool:
        """Return whether what is kept cannot be had any more.

        If `whole` is False it need not be as it was: apps may change it in place.
        """
        if kept.form == "path":
            path = self._directory / kept.path
            return _times(path) != kept.stamp if whole else not path.exists()
        if kept.form == "place":
            try:
                return not live.drop(kept.row).exists()
            except (DaliugeException, OSError):
                return True
        if not kept.key:
            return False
        return not self._place.is_dir() or self._store.find(kept.key) is None

    def give_back(self, live: LiveGraph, kept: Kept) -> None:
        """Let data be as it was when its app had made it.

        Raises `DamagedEntryError` if that cannot be done.
        """
        if kept.status == _SKIPPED:
            live.drop(kept.row).skip()
        elif kept.form in {"path", "place"}:
            drop = live.drop(kept.row)
            drop.receive(None, kept.size, kept.crc)
            if kept.form == "path":
                drop.unpack(str(self._directory / kept.path))
        elif kept.form:
            drop = live.drop(kept.row)
            if not isinstance(drop, InMemoryDROP):
                raise DamagedEntryError(f"{drop.uid} is not in memory, as it was")
            contents.fill_memory(drop, self._entry(kept), self._content(kept))

    def _entry(self, kept: Kept) -> Entry:
        return Entry(
            key=kept.key, content="", size=kept.size or 0, form=kept.form, made=0.0,
            encoding=kept.encoding, crc=kept.crc,
        )  # fmt: skip

    def _content(self, kept: Kept) -> bytes:
        if kept.held is not None:
            return kept.held
        entry = self._store.find(kept.key)
        if entry is None:
            raise DamagedEntryError(f"what was kept of row {kept.row} is gone")
        return self._store.read(entry)


def remove(drop: Any) -> None:
    """Remove what an app has left half-made at the place of `drop`."""
    drop.getIO().delete()
    if getattr(drop, "create_if_missing", False):
        Path(drop.path).mkdir(parents=True, exist_ok=True)


def _times(path: Path) -> tuple[int, ...]:
    """Return sizes and times of a file, or of all in a directory, which moving does not change."""
    found: list[int] = []
    for _, _, size, modified, _ in stamp_of(path):
        found += (size, modified)
    return tuple(found)
