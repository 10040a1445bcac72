"""The directories of an installation: a root, and what hangs on it.

The root is `DLG_ROOT`, or `dlg` in the home directory. The names are those of the published
interface; paths are plain strings, as it has them.
"""

from __future__ import annotations

import os
from pathlib import Path

from dlg import settings


def createDirIfMissing(path: str | os.PathLike[str]) -> None:
    """Make directory `path`, and those above it, unless it exists."""
    Path(path).mkdir(parents=True, exist_ok=True)


def isabs(path: str | os.PathLike[str] | None) -> bool:
    """Return whether `path` is absolute; None is not."""
    return path is not None and os.path.isabs(path)  # noqa: PTH117  no need to make a Path of it


def getDlgDir() -> str:
    """Return the root of everything written at run time."""
    return str(settings.current().root)


def getDlgLogsDir(createIfMissing: bool = False) -> str:
    """Return where logs are written."""
    return _below("logs", createIfMissing)


def getDlgPidDir(createIfMissing: bool = False) -> str:
    """Return where managers leave their process numbers."""
    return _below("pid", createIfMissing)


def getDlgWorkDir(createIfMissing: bool = False) -> str:
    """Return where sessions keep their files and results."""
    return _below("workspace", createIfMissing)


def default_store() -> Path:
    """Return where results are kept to be used again, unless somebody names another place."""
    return settings.current().root / "store"


def getDlgPath(createIfMissing: bool = False) -> str:
    """Return where to look for additional code: `DLG_PATH`, or `code` in the root."""
    path = settings.current().path
    return _below("code", createIfMissing) if path is None else _made(path, createIfMissing)


def getDlgVariable(key: str) -> str:
    """Return the value of the variable `key`, written `DLG_NAME` or `$DLG_NAME`.

    `DLG_ROOT` always has one. Any other that is not set is returned as it was given.
    """
    return settings.variables().get(key.removeprefix("$"), key)


def _below(name: str, create: bool) -> str:
    return _made(settings.current().root / name, create)


def _made(path: Path, create: bool) -> str:
    if create:
        createDirIfMissing(path)
    return str(path)
