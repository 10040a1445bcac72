"""Where managers that run in the background have their logs and the numbers of their processes."""

from __future__ import annotations

import platform
from pathlib import Path

from dlg.support.paths import getDlgLogsDir, getDlgPidDir

TITLES = {
    "nm": "dlgNM", "dim": "dlgDIM", "mm": "dlgMM", "tm": "dlgTM", "daemon": "dlgDaemon",
    "beat-scheduler": "dlgBeatScheduler",
}  # fmt: skip
"""What the files of each command are called."""


def pid_path(command: str, suffix: str = "") -> Path:
    """Return the file with the number of a process; `suffix` tells several on a host apart."""
    return Path(getDlgPidDir()) / f"{TITLES[command]}{suffix}.pid"


def log_name(command: str, suffix: str = "") -> str:
    """Return the name of the file to which a process logs."""
    return f"{TITLES[command]}{suffix}.{platform.node() or 'localhost'}.log"


def logs_dir(named: Path | None = None) -> Path:
    """Return the directory of logs."""
    return (named or Path(getDlgLogsDir())).absolute()


def put_aside(log: Path) -> None:
    """Keep the log of a process that has ended, beside the one that is to come."""
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
