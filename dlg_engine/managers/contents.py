"""The contents of data as bytes for those outside, from any place in them on.

Files are read where they are. What has no file, objects and directories, is written out once and
kept for as long as few others are asked for, so that it can be read piece by piece as well.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

from dlg.ddap_protocol import DROPStates
from dlg.exceptions import NoDropException, UnexpectedEventError
from dlg_engine.managers import cargo
from dlg_engine.managers.node_manager import NodeManager

PIECE = 1 << 22
"""Bytes in a piece."""
IN_MEMORY = 1 << 24
KEPT = 4
"""How many contents that were written out are kept."""


class Contents:
    """Reads data of the sessions of a node."""

    def __init__(self, manager: NodeManager) -> None:
        self._manager = manager
        self._kept: OrderedDict[tuple[str, str], IO[bytes]] = OrderedDict()
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._kept)

    def piece(self, session_id: str, oid: str, offset: int) -> bytes:
        """Return up to `PIECE` bytes from `offset` on; fewer mean that these are the last.

        Raises NoDropException if there is no such data, and UnexpectedEventError if it has not
        been completed, or has been deleted since.
        """
        drop = self._readable(session_id, oid)
        path = self._path_of(session_id, drop)
        if path is not None and path.is_file():
            with path.open("rb") as opened:
                opened.seek(offset)
                return opened.read(PIECE)
        with self._lock:
            file = self._written_out(session_id, oid, drop)
            file.seek(offset)
            found = file.read(PIECE)
            if len(found) < PIECE:
                self._kept.pop((session_id, oid)).close()
            return found

    def _readable(self, session_id: str, oid: str) -> Any:
        drop = self._manager.drop(session_id, oid)
        if not hasattr(drop, "getIO"):
            raise NoDropException(oid, "it is an app, and only data has contents")
        if drop.status is not DROPStates.COMPLETED:
            raise UnexpectedEventError(DROPStates(drop.status).name, "reading", oid)
        return drop

    def _path_of(self, session_id: str, drop: Any) -> Path | None:
        """Return where data lies; refuse what is not in the directory of the session."""
        given = getattr(drop, "path", None)
        if given is None:
            return None
        path, root = Path(given).resolve(), self._manager.session(session_id).directory.resolve()
        if not path.is_relative_to(root):
            raise NoDropException(drop.oid, "it is not in the directory of its session")
        return path

    def _written_out(self, session_id: str, oid: str, drop: Any) -> IO[bytes]:
        key = (session_id, oid)
        if key not in self._kept:
            while len(self._kept) >= KEPT:
                self._kept.popitem(last=False)[1].close()
            self._kept[key] = _write_out(drop)
        self._kept.move_to_end(key)
        return self._kept[key]


def _close_all(kept: OrderedDict[tuple[str, str], IO[bytes]]) -> None:
    while kept:
        kept.popitem()[1].close()


def _write_out(drop: Any) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  closed by who keeps it
    try:
        for piece in cargo.as_bytes(drop):
            file.write(piece)
    except BaseException:
        file.close()
        raise
    return file
