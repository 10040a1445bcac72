"""Data that is a whole directory."""

from __future__ import annotations

import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from dlg import settings
from dlg.data import file_names
from dlg.drops.data_base import DataDROP
from dlg.drops.io import DataIO, OpenMode
from dlg.drops.parameters import dlg_bool_param, dlg_string_param
from dlg.exceptions import InvalidPath, RunError
from dlg.support import serialize


class DirectoryIO(DataIO):
    """A directory: exists, has a size, can be deleted, but is not read or written as bytes."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def open(self, mode: OpenMode) -> None:
        """Raise `RunError`: a directory has no bytes of its own."""
        raise RunError(f"{self.path} is a directory; use the files in it")

    def read(self, count: int = 65536) -> bytes:
        """Raise `RunError`."""
        raise RunError(f"{self.path} is a directory; use the files in it")

    def write(self, data: Any) -> int:
        """Raise `RunError`."""
        raise RunError(f"{self.path} is a directory; use the files in it")

    def close(self) -> None:
        """Nothing is open."""

    def size(self) -> int:
        """Return the size of all files in the directory and below."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def exists(self) -> bool:
        """Return whether the directory is there."""
        return self.path.is_dir()

    def delete(self) -> None:
        """Delete the directory and all that is in it."""
        if self.path.exists():
            shutil.rmtree(self.path)


class DirectoryDROP(DataDROP):
    """A directory, whose files are the apps' business.

    `dirname` is absolute, or relative to the session's directory.
    """

    __slots__ = ("_path",)

    persist = dlg_bool_param("whether the directory is kept after its last consumer", True)
    dirname = dlg_string_param("path of the directory; empty for a made-up name", "")
    check_exists = dlg_bool_param("whether it must exist from the beginning", False)
    create_if_missing = dlg_bool_param("whether it is made from the beginning", False)

    _path: str

    def _check_given(self) -> None:
        super()._check_given()
        if self.check_exists and not Path(self.path).is_dir():
            raise InvalidPath(f"drop {self.uid}: the directory {self.path} does not exist")
        if self.create_if_missing:
            Path(self.path).mkdir(parents=True, exist_ok=True)

    @property
    def path(self) -> str:
        """The absolute path of the directory."""
        if not hasattr(self, "_path"):
            around = self._graph.surroundings
            root = around.directory or Path(tempfile.gettempdir()) / "dlg_files"
            given = str(self.dirname or "").rstrip("/") or ("/" if self.dirname == "/" else "")
            facts = {
                "uid": file_names.safe_name(self.uid),
                "dlg": str(around.variables.get("DLG_ROOT", "")),
            }
            variables = {**settings.environment(), **around.variables}
            default = file_names.safe_name(self.uid)
            self._path = file_names.resolve(given, str(root), default, facts, variables)
        return self._path

    @property
    def dataURL(self) -> str:
        """The directory as a URL with this host's name."""
        return f"file://{socket.gethostname()}{self.path}"

    def getIO(self) -> DataIO:
        """Return access to the directory."""
        return DirectoryIO(self.path)

    def pack_place(self) -> str:
        """Return the path, for another process."""
        return self.path

    def unpack(self, cargo: str) -> None:
        """Be at the path that was worked out in the process of the graph."""
        self._path = cargo

    def has_vanished(self) -> bool:
        """Return whether the directory is not there, though it has been made."""
        return not Path(self.path).is_dir()

    def seal(self) -> None:
        """Make an empty directory if nobody made one."""
        Path(self.path).mkdir(parents=True, exist_ok=True)

    @property
    def size(self) -> int | None:
        """Bytes in all files of the directory."""
        return self.getIO().size() if self._size is None else self._size

    @size.setter
    def size(self, size: int) -> None:
        self._size = size

    def load(self, encoding: str = serialize.DEFAULT) -> Any:
        """Return the path; a directory is nothing else to an app."""
        self._check_readable()
        return self.dataURL if serialize.encoding_name(encoding) == "dataurl" else self.path

    def value(self) -> Any:
        """Return the path."""
        return self.path
