"""The files of a page, which are shipped in a package beside the code that serves them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

KINDS = MappingProxyType(
    {
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
    }
)
"""What a page may load, by the ending of the file; the page itself is filled in by its service."""


@dataclass(frozen=True, slots=True)
class FileAsset:
    """A file that a page loads."""

    content: bytes
    kind: str
    etag: str


def read_assets(package: str, folder: str = "static") -> Mapping[str, FileAsset]:
    """Return all files in a folder of `package` that a page may load, by name."""
    found: dict[str, FileAsset] = {}
    for file in files(package).joinpath(folder).iterdir():
        kind = KINDS.get(file.name[file.name.rfind(".") :])
        if kind is not None:
            content = file.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
            found[file.name] = FileAsset(content, kind, etag)
    return found
