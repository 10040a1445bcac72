"""What there is in a prefix: the names of all assets of a kind, in both layouts of folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dlg.beat import hash as hashes

__all__ = ["FOLDERS", "name_of", "names_in"]

FOLDERS: Mapping[str, str] = {
    "dataformat": "dataformats",
    "library": "libraries",
    "algorithm": "algorithms",
    "protocoltemplate": "protocoltemplates",
    "database": "databases",
    "toolchain": "toolchains",
    "experiment": "experiments",
    "plotter": "plotters",
    "plotterparameter": "plotterparameters",
}
"""The folder of each kind of asset, in the order in which one builds on another."""

SHARDS = 2
"""How many levels of folders come before the user's in a sharded prefix."""


def names_in(prefix: str | Path, kind: str) -> list[str]:
    """Return the names of all assets of `kind` in `prefix`, sorted; none if it has no such folder.

    These are those of files; whether their names and contents are right is another matter.
    """
    root = Path(prefix, FOLDERS[kind])
    return sorted({name_of(file.relative_to(root)) for file in root.rglob("*.json")})


def name_of(path: Path) -> str:
    """Return the name of the asset whose declaration is at `path` below the folder of its kind."""
    parts = path.with_suffix("").parts
    if len(parts) > SHARDS and hashes.toUserPath(parts[SHARDS]) == "/".join(parts[: SHARDS + 1]):
        parts = parts[SHARDS:]
    return "/".join(parts)
