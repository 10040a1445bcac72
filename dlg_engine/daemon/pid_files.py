"""Files with the numbers of processes that run in the background.

Whoever runs holds a lock on his file; the system lets go of it when he ends, however that comes.
So a file that was left behind is never taken for a process that happens to have its number.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from pathlib import Path
from typing import IO

from dlg.exceptions import UsageError


class PidFile:
    """The file of this process, for as long as it is open."""

    def __init__(self, path: Path) -> None:
        """Write it; raise UsageError if another process has it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file: IO[str] = path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise UsageError(f"it runs already, as process {read_pid(path)}: see {path}") from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def close(self) -> None:
        """Remove it."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        self._file.close()


def kept(path: Path | None) -> AbstractContextManager[object]:
    """Return a block in which this process has the file; for None one in which nothing is done."""
    return nullcontext() if path is None else closing(PidFile(path))


def read_pid(path: Path) -> int | None:
    """Return the number of the process that has a file; None if it has ended, or never was."""
    try:
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read().strip()
                return int(text) if text.isdecimal() else None
    except FileNotFoundError:
        return None
    return None
