"""Data in a file of the local file system."""

from __future__ import annotations

import datetime
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dlg import settings
from dlg.data import file_names
from dlg.ddap_protocol import DROPStates
from dlg.drops.data_base import DataDROP
from dlg.drops.io import DataIO, OpenMode
from dlg.drops.parameters import dlg_bool_param, dlg_string_param
from dlg.exceptions import InvalidPath
from dlg.reproducibility.summaries import content_summary
from dlg.support import serialize

_BUFFER = 1 << 16  # pieces that are larger go past it, uncopied


class FileIO(DataIO):
    """The bytes of a file, unbuffered: callers read and write in pieces that are large enough."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def open(self, mode: OpenMode) -> None:
        """Open the file for reading, or make it (and its directory) for writing."""
        path = Path(self.path)
        if mode is OpenMode.OPEN_READ:
            self._file = path.open("rb", buffering=0)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb", buffering=_BUFFER)

    def _opened(self, mode: OpenMode) -> IO[bytes]:
        if self._file is None:
            self.open(mode)
        assert self._file is not None  # noqa: S101  opened just before
        return self._file

    def read(self, count: int = 65536) -> bytes:
        """Return up to `count` bytes."""
        return self._opened(OpenMode.OPEN_READ).read(count)

    def write(self, data: Any) -> int:
        """Append `data`, whole."""
        with self._named():
            return self._opened(OpenMode.OPEN_WRITE).write(data)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            file, self._file = self._file, None
            with self._named():
                file.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say of which file an error is: a full disk does not by itself."""
        try:
            yield
        except OSError as error:
            if error.filename is not None:
                raise
            raise OSError(error.errno, error.strerror, self.path) from error

    def size(self) -> int:
        """Return how large the file is."""
        return Path(self.path).stat().st_size

    def exists(self) -> bool:
        """Return whether the file is there."""
        return Path(self.path).exists()

    def delete(self) -> None:
        """Delete the file, or the directory that an app made in its place."""
        path = Path(self.path)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


class FileDROP(DataDROP):
    """Data in a file.

    `filepath` is absolute, or relative to the session's directory, which it may not leave. A
    trailing slash names a directory in which the drop makes up a name, and so does an empty path.
    `{uid}`, `{humanKey}`, `{datetime}`, `{auto}` and `{dlg}` are filled in, `$NAME` is looked up
    in the environment.
    """

    __slots__ = ("_path",)

    persist = dlg_bool_param("whether the file is kept after its last consumer", True)
    filepath = dlg_string_param("path of the file; empty for a made-up name", "")
    check_filepath_exists = dlg_bool_param("whether the file must exist from the beginning", False)
    delete_parent_directory = dlg_bool_param("whether deleting takes the directory with it", False)

    _path: str

    def _check_given(self) -> None:
        super()._check_given()
        if self._must_exist() and not Path(self.path).exists():
            raise InvalidPath(f"drop {self.uid}: the file {self.path} does not exist")

    def _must_exist(self) -> bool:
        """Return whether the file is looked for: only absolute ones are, as nobody makes them."""
        return bool(self.check_filepath_exists) and str(self.filepath or "").startswith("/")

    @property
    def path(self) -> str:
        """The absolute path of the file."""
        if not hasattr(self, "_path"):
            self._path = self._find_path()
        return self._path

    def _find_path(self) -> str:
        given = self._given_path()
        now = datetime.datetime.now(datetime.UTC).astimezone()
        variables = {**settings.environment(), **self._graph.surroundings.variables}
        label = file_names.safe_name(self.humanReadableKey or self.uid)
        facts = {
            "uid": file_names.safe_name(self.uid),
            "humanKey": label,
            "datetime": now.strftime("%Y-%m-%dT%H-%M-%S.%f"),
            "auto": f"{now.strftime('%Y%m%dT%H%M%S%f')}_{label}",
            "dlg": variables.get("DLG_ROOT", ""),
        }
        default = file_names.safe_name(self.uid)
        return file_names.resolve(given, str(self.directory), default, facts, variables)

    def _given_path(self) -> str:
        given = str(self.filepath or "")
        if given.startswith("$") and self._given:
            self.autofill_environment_variables()
            given = str(self.filepath or "")
        return given

    @property
    def directory(self) -> Path:
        """Where relative paths start."""
        session = self._graph.surroundings.directory
        return session if session is not None else Path(tempfile.gettempdir()) / "dlg_files"

    @property
    def dataURL(self) -> str:
        """The file as a URL with this host's name."""
        return f"file://{socket.gethostname()}{self.path}"

    def getIO(self) -> DataIO:
        """Return access to the file."""
        return FileIO(self.path)

    def has_vanished(self) -> bool:
        """Return whether the file is not there, though it has been written."""
        return not os.path.exists(self.path)  # noqa: PTH110  before each time the file is read

    def seal(self) -> None:
        """Make an empty file if nobody wrote one, and measure what is there."""
        path = Path(self.path)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        if path.is_file():
            self._size = path.stat().st_size

    def _discard(self) -> None:
        """Empty the file; a device or a pipe has nothing that could be taken back."""
        if Path(self.path).is_file():
            os.truncate(self.path, 0)

    def pack_place(self) -> str:
        """Return the path, which another process might work out differently."""
        return self.path

    def unpack(self, cargo: str) -> None:
        """Be at the path that was worked out in the process of the graph."""
        self._path = cargo

    def generate_reproduce_data(self) -> Mapping[str, Any]:
        """Return the hash of the data, if they are complete and a file."""
        place = Path(self.path)
        if self.status is not DROPStates.COMPLETED or not place.is_file():
            return {}
        with place.open("rb") as file:
            return content_summary(hashlib.file_digest(file, hashlib.sha3_256).hexdigest())

    def load(self, encoding: str = serialize.DEFAULT) -> Any:
        """Return the value the file holds in `encoding`; `path` and `dataurl` say where it is."""
        name = serialize.encoding_name(encoding)
        if name in {"path", "dataurl"}:
            self.look_for_data()
            return self.path if name == "path" else self.dataURL
        return super().load(name)

    def delete(self) -> None:
        """Delete the file, and with `delete_parent_directory` the directory it is in."""
        super().delete()
        if self.delete_parent_directory:
            parent = Path(os.path.dirname(self.path))  # noqa: PTH120  the path is a text
            shutil.rmtree(parent, ignore_errors=True)
