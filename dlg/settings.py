"""What the user may set, typed: defaults, then the settings file, then the environment.

The file is `config.toml` in the user's configuration directory (`DLG_CONFIG_DIR` names another
directory); its keys are the names of the fields below. The environment has `DLG_` before the name
in capitals: `DLG_ROOT`, `DLG_WORKERS`. This is the only module that reads the environment of the
process; everybody else is handed what he needs.
"""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlg.exceptions import UsageError

PREFIX = "DLG_"
DISABLE_CHECKSUM = (
    "DLG_DISABLE_CHECKSUM"  # the name of the existing system for `checksums = false`
)


class SettingsError(UsageError):
    """The settings file or the environment holds something that is not a setting."""


def _absolute(value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("a path is expected")
    return Path(value).expanduser().absolute()


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    known = {"1": True, "true": True, "yes": True, "on": True}
    known |= {"0": False, "false": False, "no": False, "off": False}
    try:
        return known[str(value).lower()]
    except KeyError:
        raise ValueError("true or false is expected") from None


def _count(value: object) -> int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("a number from 0 is expected")
    return value


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError("one word is expected")
    return value.strip()


def _place(value: object) -> str:
    if not isinstance(value, str) or any(c.isspace() or c in "/@" for c in value):
        raise ValueError("host:port is expected")
    return value


def _level(value: object) -> str:
    levels = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    if str(value).upper() not in levels:
        raise ValueError(f"one of {', '.join(levels)} is expected")
    return str(value).upper()


def _default_root() -> Path:
    return Path.home() / "dlg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set; see the module for how."""

    root: Path = field(default_factory=_default_root)
    """Where the working files of sessions, logs and process numbers are kept."""
    path: Path | None = None
    """Where users keep code of their own; `code` in the root if it is not set."""
    checksums: bool = True
    """Whether data is summed while it is written."""
    workers: int = 0
    """How many apps of a node may run at once; 0 lets the runner choose."""
    log_level: str = "WARNING"
    """From which level on the command line shows messages."""
    manager: str = ""
    """The manager that commands talk to, as `host:port`; "" for one of this host."""
    cluster: Path | None = None
    """The file of the cluster that this host belongs to; see `dlg.support.cluster_file`."""
    token: str = field(default="", repr=False)
    """What managers have to be shown, where there is no file of a cluster."""
    prefix: Path | None = None
    """The prefix of BEAT's assets that commands work on; None for the current directory."""


SECRETS = frozenset({"DLG_TOKEN"})
"""What the programs that apps start, and the parameters of drops, never see."""
READERS: Mapping[str, Callable[[object], Any]] = {
    "root": _absolute,
    "path": _absolute,
    "checksums": _flag,
    "workers": _count,
    "log_level": _level,
    "manager": _place,
    "cluster": _absolute,
    "token": _word,
    "prefix": _absolute,
}
"""How each field is read from a file or the environment."""


def load(environ: Mapping[str, str], file: Path | None = None) -> Settings:
    """Return the settings that `file`, if it exists, and `environ` make; refuse unknown ones."""
    values: dict[str, Any] = {}
    if file is not None and file.exists():
        values |= _read_file(file)
    for name in READERS:
        text = environ.get(PREFIX + name.upper())
        if text:
            values[name] = _read(name, text, f"environment variable {PREFIX}{name.upper()}")
    if environ.get(DISABLE_CHECKSUM):
        values["checksums"] = False
    return Settings(**values)


def current() -> Settings:
    """Return the settings of this process as they are now."""
    return load(os.environ, _settings_file(os.environ.get("DLG_CONFIG_DIR")))


def config_dir() -> Path:
    """Return the directory of the user's configuration."""
    return _settings_file(os.environ.get("DLG_CONFIG_DIR")).parent


def no_color() -> bool:
    """Return whether the user wants no colours of any program: NO_COLOR is not empty."""
    return bool(os.environ.get("NO_COLOR"))


def environment() -> dict[str, str]:
    """Return the environment of this process without secrets, for programs that apps start."""
    return {name: text for name, text in os.environ.items() if name not in SECRETS}


def variables() -> dict[str, str]:
    """Return the variables that parameters of drops may refer to: those that begin with DLG_.

    `DLG_ROOT` is among them also where only its default is known.
    """
    known = {name: text for name, text in environment().items() if name.startswith(PREFIX)}
    return known | {"DLG_ROOT": str(current().root)}


def _read(name: str, value: object, where: str) -> Any:
    try:
        return READERS[name](value)
    except ValueError as error:
        found = "this" if PREFIX + name.upper() in SECRETS else repr(value)
        raise SettingsError(f"{where}: {error}, not {found}") from None


def _read_file(file: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415  takes as long as the rest of this module; few have a file

    try:
        table = tomllib.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: {error}") from error
    for name in table:
        if name not in READERS:
            near = difflib.get_close_matches(name, READERS, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(READERS)}"
            raise SettingsError(f"{file}: there is no setting {name!r}; {cure}")
    return {name: _read(name, value, f"{file}: {name}") for name, value in table.items()}


@functools.cache
def _settings_file(directory: str | None) -> Path:
    if directory:
        return Path(directory) / "config.toml"
    import platformdirs  # noqa: PLC0415  only here, and only where nobody named a directory

    return platformdirs.user_config_path("dlg") / "config.toml"
