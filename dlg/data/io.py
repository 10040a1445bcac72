"""Alias: access to the bytes of drops, for all storages in one module.

Each storage has its own file; here they meet, and with them the choice between them by URL.
"""

from __future__ import annotations

import socket
import urllib.parse

from dlg.data.directory import DirectoryIO
from dlg.data.file import FileIO
from dlg.data.memory import MemoryIO
from dlg.data.shared_memory import SharedMemoryIO
from dlg.drops.io import DataIO, ErrorIO, NullIO, OpenMode


def IOForURL(url: str) -> DataIO | None:
    """Return access to what a drop's `dataURL` points to, or None if it is not within reach.

    Files of this host are, and the nothing of null drops.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "null":
        return NullIO()
    if parts.scheme == "file" and parts.netloc in {"", "localhost", socket.gethostname()}:
        return FileIO(url.removeprefix(f"file://{parts.netloc}"))
    return None


__all__ = [
    "DataIO",
    "DirectoryIO",
    "ErrorIO",
    "FileIO",
    "IOForURL",
    "MemoryIO",
    "NullIO",
    "OpenMode",
    "SharedMemoryIO",
]
