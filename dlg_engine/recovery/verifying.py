"""Whether what a session has left beside it, and in a store, is still what it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from dlg.exceptions import DaliugeException
from dlg.graph.physical import PhysicalGraph
from dlg.reproducibility.verify import Checked, Wrong, what_is_wrong
from dlg_engine.recovery.about import About
from dlg_engine.recovery.journal import Done, is_only_torn, records_in
from dlg_engine.reuse import upkeep
from dlg_engine.reuse.store import Store


def verify_session(about: About, checked: Checked) -> Iterator[Wrong]:
    """Yield what is wrong with the files of a session, and with what it has put into a store."""
    try:
        how, graph, _ = about.how(), about.graph(runs_here=False), about.made()
    except DaliugeException as error:
        yield Wrong("", "session", str(about.place), str(error))
        return
    if how.resumable:
        yield from _journal(about, graph, checked)
    if how.store and Path(how.store).is_dir():
        yield from _stored(Store(Path(how.store)), how.session_id, checked)


def _journal(about: About, graph: PhysicalGraph, checked: Checked) -> Iterator[Wrong]:
    path = about.journal
    try:
        data = path.read_bytes()
        records, end = records_in(data, path)
    except (OSError, DaliugeException) as error:
        yield Wrong("", "journal", str(path), f"it cannot be read: {error}")
        return
    checked.hashes += len(records)
    if end < len(data) and (about.outcome() is not None or not is_only_torn(data, end)):
        text = f"from byte {end} on it is not what was written"
        yield Wrong("", "journal", str(path), text)
    large = {
        kept.key: kept for record in records if isinstance(record, Done)
        for kept in record.outputs if kept.key
    }  # fmt: skip
    if not large:
        return
    checked.hashes += len(large)
    damaged = {damage.key: damage for damage in upkeep.verify(Store(about.data))}
    for key, kept in large.items():
        if key in damaged:
            found = damaged[key]
            yield Wrong(graph.oids[kept.row], "content", str(found.path), found.reason)
    for key, found in damaged.items():
        if key not in large:
            yield Wrong(_drop_of(key, graph), "content", str(found.path), found.reason)


def _drop_of(key: str, graph: PhysicalGraph) -> str:
    """Return the drop whose content is kept under `key`; empty for none."""
    for row, oid in enumerate(graph.oids):
        if hashlib.sha256(b"%d" % row).hexdigest() == key:
            return str(oid)
    return ""


def _stored(store: Store, session_id: str, checked: Checked) -> Iterator[Wrong]:
    for one in upkeep.listed(store):
        entry = one.entry
        if entry.session == session_id:
            checked.hashes += 1
            if entry.held is None:
                path = store.content_path(entry.content)
                reason = what_is_wrong(path, entry.content)
                if reason:
                    yield Wrong(entry.app, "stored result", str(path), reason)
