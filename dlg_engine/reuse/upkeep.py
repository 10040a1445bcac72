"""What is in a store, whether it is what was put there, and what may go.

Who runs at the same time is not disturbed: an entry that has gone is no hit, an open content can
be read to its end, and what has just been put there is left alone, whether or not anything refers
to it yet.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dlg.support import clock
from dlg.support.content import hash_of_file
from dlg_engine.reuse.entries import DamagedEntryError, Entry, unpacked
from dlg_engine.reuse.store import Store

GRACE_S = 3600.0
"""How long a content may be there before something refers to it."""
ABANDONED_S = 86400.0
"""When what another host has under way is taken for left behind."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry with what it takes and when it was last used."""

    entry: Entry
    used: float
    file_size: int
    """Bytes of the entry itself, with what it holds."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a store that is not what was put there."""

    key: str
    """Of the entry; empty for a content that no entry refers to."""
    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Cleared:
    """What has been cleared away, or would be."""

    entries: tuple[Listed, ...]
    contents: int
    leftovers: int
    freed: int
    """Bytes."""
    kept: int
    """Bytes that stay."""


def listed(store: Store) -> list[Listed]:
    """Return the entries of a store, the last used first; damaged ones are left out."""
    found = [one for one in map(_listed, _files(store.entries)) if isinstance(one, Listed)]
    return sorted(found, key=lambda one: (-one.used, one.entry.key))


def verify(store: Store) -> Iterator[Damage]:
    """Read everything that is in a store; yield what is not as it was put there."""
    wrong: dict[str, str] = {}
    needed: set[str] = set()
    for path in _files(store.contents):
        reason = _what_is_wrong_with(path)
        if reason:
            wrong[path.name] = reason
    for path in _files(store.entries):
        one = _listed(path)
        if isinstance(one, DamagedEntryError):
            yield Damage(path.name, path, str(one))
        elif one is not None and one.entry.held is None:
            content = store.content_path(one.entry.content)
            needed.add(content.name)
            if content.name in wrong:
                yield Damage(path.name, content, wrong[content.name])
            elif not content.exists() and path.exists():  # else it has just been evicted
                yield Damage(path.name, content, "the content is gone")
    for name in sorted(wrong.keys() - needed):
        yield Damage("", store.contents / name[:2] / name, wrong[name])


def gc(
    store: Store,
    max_size: int | None = None,
    max_age_s: float | None = None,
    *,
    dry_run: bool = False,
) -> Cleared:
    """Clear away what was not used for long, until the rest is small enough, and leftovers.

    Without limits only leftovers go. `dry_run` tells what would go.
    """
    entries = listed(store)
    sizes = {path.name: _size(path) for path in _files(store.contents)}
    going = _too_old(entries, max_age_s)
    total = _size_of(entries[: len(entries) - len(going)], sizes)
    if max_size is not None:
        going, total = _too_much(entries, len(going), sizes, max_size)
    staying = entries[: len(entries) - len(going)]
    contents = list(_unneeded(store, staying, going))
    leftovers = list(_left_behind(store))
    damaged = [p for p in _files(store.entries) if isinstance(_listed(p), DamagedEntryError)]
    freed = sum(one.file_size for one in going)
    freed += sum(_size(path) for path in (*contents, *leftovers, *damaged))
    if not dry_run:
        for path in (*(store.entry_path(one.entry.key) for one in going), *damaged):
            path.unlink(missing_ok=True)
        for path in (*contents, *leftovers):
            path.unlink(missing_ok=True)
    return Cleared(tuple(going), len(contents), len(leftovers) + len(damaged), freed, total)


# -- what may go -----------------------------------------------------------------------------


def _too_old(entries: list[Listed], max_age_s: float | None) -> list[Listed]:
    """Return those at the end of `entries` that were not used for too long."""
    if max_age_s is None:
        return []
    oldest = clock.now() - max_age_s
    return [one for one in entries if one.used < oldest]


def _too_much(
    entries: list[Listed], old: int, sizes: dict[str, int], max_size: int
) -> tuple[list[Listed], int]:
    """Return which of the last used entries have to go as well, and what the rest takes."""
    total, known = 0, set[str]()
    staying = len(entries) - old
    for place, one in enumerate(entries[:staying]):
        name = _content_of(one)
        more = one.file_size + (0 if name in known else sizes.get(name, 0))
        if total + more > max_size:
            return entries[place:], total
        total += more
        known.add(name)
    return entries[staying:], total


def _size_of(entries: list[Listed], sizes: dict[str, int]) -> int:
    names = {_content_of(one) for one in entries}
    return sum(one.file_size for one in entries) + sum(sizes.get(name, 0) for name in names)


def _content_of(one: Listed) -> str:
    return "" if one.entry.held is not None else one.entry.content.rpartition(":")[2]


def _unneeded(store: Store, staying: list[Listed], going: list[Listed]) -> Iterator[Path]:
    """Yield the contents that nothing needs; new ones only if an entry has been evicted."""
    needed = {_content_of(one) for one in staying}
    evicted = {_content_of(one) for one in going}
    new = clock.now() - GRACE_S
    for path in _files(store.contents):
        if path.name not in needed and (path.name in evicted or _used(path) < new):
            yield path


def _left_behind(store: Store) -> Iterator[Path]:
    """Yield what processes have under way that have ended."""
    for path in store.under_way.iterdir():
        host, _, rest = path.name.rpartition(".")[0].rpartition(".")
        if host == socket.gethostname() and rest.isdecimal():
            gone = not _is_alive(int(rest))
        else:
            gone = False
        if gone or _used(path) < clock.now() - ABANDONED_S:
            yield path


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


# -- reading ---------------------------------------------------------------------------------


def _files(directory: Path) -> Iterator[Path]:
    """Yield the files two levels below `directory`; others may be removing some."""
    for part in sorted(directory.iterdir()):
        if part.is_dir():
            yield from sorted(part.iterdir())


def _listed(path: Path) -> Listed | DamagedEntryError | None:
    """Return what a file of an entry says, or what is wrong with it; None if it has gone."""
    try:
        data, about = path.read_bytes(), path.stat()
        return Listed(unpacked(data, path.name), about.st_mtime, about.st_size)
    except FileNotFoundError:
        return None
    except DamagedEntryError as error:
        return error


def _what_is_wrong_with(path: Path) -> str:
    with suppress(FileNotFoundError):  # evicted meanwhile
        if hash_of_file(path).rpartition(":")[2] != path.name:
            return "the content is another one than was kept"
    return ""


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return clock.now()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
