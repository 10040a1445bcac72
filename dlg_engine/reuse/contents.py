"""From drops to the store and back: values, bytes, files and directories."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlg.data import memory
from dlg.data.directory import DirectoryDROP
from dlg.data.file import FileDROP
from dlg.data.memory import InMemoryDROP
from dlg.support import serialize
from dlg_engine.reuse.entries import DamagedEntryError, Entry
from dlg_engine.reuse.store import Facts, Store

KEPT = (InMemoryDROP, FileDROP, DirectoryDROP)
"""The classes whose data can be kept. Data elsewhere may be changed by others at any time."""


def keep(store: Store, key: str, drop: Any, who: Facts) -> bool:
    """Keep the data of a drop that has been written; return False if it cannot be kept.

    Nobody may have read the data yet: who reads a value may change it.
    """
    facts = replace(who, crc=drop.known_checksum or 0)
    if isinstance(drop, InMemoryDROP):
        _keep_memory(store, key, drop, facts)
        return True
    drop.seal()
    path = Path(drop.path)
    if path.is_dir() and not path.is_symlink():
        store.put_directory(key, path, replace(facts, form="directory"))
        return True
    if not path.is_file() or path.is_symlink():
        return False
    executable = bool(path.stat().st_mode & 0o100)
    told = replace(facts, form="file", executable=executable)
    store.put_file(key, path, told, drop.known_hash or "")
    return True


def _keep_memory(store: Store, key: str, drop: InMemoryDROP, facts: Facts) -> None:
    form, encoding, content = of_memory(drop)
    store.put(key, content, replace(facts, form=form, encoding=encoding))


def of_memory(drop: InMemoryDROP) -> tuple[str, str, bytes]:
    """Return what has been written to a drop: the form, the encoding of a value, and its bytes."""
    # The inside of the class: what it gives to others has to be complete, and this is not yet.
    if drop._value is memory._NOTHING:  # noqa: SLF001
        return "bytes", "", drop._as_bytes()  # noqa: SLF001
    content = bytes(serialize.encode(drop._opened(), "pickle"))  # noqa: SLF001
    return "value", drop._encoding, content  # noqa: SLF001


def fill(store: Store, entry: Entry, drop: Any) -> None:
    """Write the data of an entry to a drop, as the app would have done.

    Raises `DamagedEntryError` if the entry is not what it was or not for such a drop.
    """
    in_memory = entry.form in {"bytes", "value"}
    if in_memory is not isinstance(drop, InMemoryDROP):
        raise DamagedEntryError(f"entry {entry.key}: {drop.uid} holds no {entry.form}")
    if in_memory:
        fill_memory(drop, entry, store.read(entry))
    else:
        _place(store, entry, drop)


def fill_memory(drop: InMemoryDROP, entry: Entry, content: bytes) -> None:
    """Write to a drop in memory what `of_memory` gave, of which `entry` says what it is."""
    if entry.form == "value":
        drop.receive((entry.encoding, _value(content, entry)), None, entry.crc)
    elif content:
        drop.write(content)


def _value(content: bytes, entry: Entry) -> Any:
    try:
        # Only what the owner of the store has put there; its hash has just been compared.
        return pickle.loads(content)  # noqa: S301
    except Exception as error:  # whatever the value's class raises: it has changed, or is gone
        raise DamagedEntryError(f"entry {entry.key}: it cannot be read: {error}") from error


def _place(store: Store, entry: Entry, drop: Any) -> None:
    path = Path(drop.path)
    in_the_way = path.is_symlink() or (path.exists() and not path.is_file())
    if entry.form == "directory":
        in_the_way = path.is_symlink() or (path.exists() and any(path.iterdir()))
    if in_the_way:
        raise DamagedEntryError(f"entry {entry.key}: something is at {path} already")
    drop.receive(None, entry.size, entry.crc)
    store.place(entry, path)
