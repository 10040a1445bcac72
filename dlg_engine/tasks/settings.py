"""Settings of the task system: where files are, and how to get into database and queues.

They are lines `key: value` in files, `configuration/*.conf` and then
`data/datadir_local/local_settings*.conf`, of which a later one wins, below the directory
`tasks` in the root of the project's settings (`DLG_ROOT`). `#` begins a comment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlg import settings as project
from dlg.exceptions import UsageError

VERSION = "1"
DEFAULTS: Mapping[str, Any] = {
    "db_engine": "sqlite3",
    "db_user": "root",
    "db_passwd": "",
    "db_host": "127.0.0.1",
    "db_database": "eas",
    "queue_implementation": "sql",
    "mq_user": "guest",
    "mq_passwd": "guest",
    "mq_host": "127.0.0.1",
    "mq_port": 5672,
    "max_heartbeat_age": 300,
    "max_log_message_length": 4096,
}


class TaskSettingsError(UsageError):
    """A settings file has a line that is none."""


class Settings:
    """What holds for this installation.

    `settings` has paths (`pythonPath`, `dataPath`, `inDataPath`, `lcPath`, `localDataPath`) with
    `debug` and `softwareVersion`; `installation_info` what the files say, over the defaults.
    """

    def __init__(self, root_path: str | Path | None = None) -> None:
        root = Path(root_path) if root_path else project.current().root / "tasks"
        self.settings: dict[str, Any] = self.fetch_environment_settings(str(root))
        self.installation_info: dict[str, Any] = self.fetch_local_settings(str(root))

    def fetch_environment_settings(self, root_path: str) -> dict[str, Any]:
        """Return the paths of an installation."""
        data = Path(root_path) / "data"
        return {
            "pythonPath": str(root_path),
            "dataPath": str(data / "datadir_output"),
            "inDataPath": str(data / "datadir_input"),
            "lcPath": str(data / "datadir_input" / "lightcurves_v2"),
            "localDataPath": str(data / "datadir_local"),
            "debug": False,
            "softwareVersion": VERSION,
        }

    @staticmethod
    def fetch_local_settings(root_path: str) -> dict[str, Any]:
        """Return what the files of an installation say, over the defaults."""
        root, found = Path(root_path), dict(DEFAULTS)
        local = root / "data" / "datadir_local"
        for folder, pattern in (
            (root / "configuration", "*.conf"),
            (local, "local_settings*.conf"),
        ):
            for file in sorted(folder.glob(pattern)):
                found |= read_settings_file(file)
        return found


def read_settings_file(file: Path) -> dict[str, Any]:
    """Return the values in a file; raise TaskSettingsError for a line that has none."""
    found: dict[str, Any] = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        words = line.split("#", 1)[0].strip()
        if not words:
            continue
        key, colon, value = words.partition(":")
        if not colon or not key.strip():
            raise TaskSettingsError(f"{file}:{number}: 'key: value' is expected, not {line!r}")
        found[key.strip()] = value_of(value.strip())
    return found


def value_of(text: str) -> Any:
    """Return a text as a number if it is one; text in double quotes stays text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]  # a password of digits, or with a `#`, is text
    return text


def write_settings_file(file: Path, values: Mapping[str, Any]) -> None:
    """Write values to a file that only the user may read, all or nothing."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{key}: {_text(key, value)}\n" for key, value in values.items())
    hidden = file.with_name(f".{file.name}.{os.getpid()}")
    hidden.unlink(missing_ok=True)
    with os.fdopen(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(lines)
    hidden.replace(file)


def _text(key: str, value: Any) -> str:
    text = str(value)
    if "\n" in text or "#" in text:
        raise TaskSettingsError(f"{key}: a line break or '#' cannot be written to a settings file")
    return f'"{text}"' if isinstance(value, str) and value_of(text) != text else text
