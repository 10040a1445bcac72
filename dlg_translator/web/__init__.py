"""The page of the translator: plain files, which talk to its REST interface and nothing else."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from xml.sax.saxutils import quoteattr

KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the page loads."""

    content: bytes
    kind: str
    etag: str


@functools.cache
def assets() -> Mapping[str, Asset]:
    """Return all files the page may load, by name; read once."""
    found: dict[str, Asset] = {}
    for file in files("dlg_translator.web").joinpath("static").iterdir():
        kind = KINDS.get(file.name[file.name.rfind(".") :])
        if kind is not None:
            content = file.read_bytes()
            found[file.name] = Asset(
                content, kind, f'"{hashlib.sha256(content).hexdigest()[:20]}"'
            )
    return found


@functools.cache
def _template() -> str:
    return files("dlg_translator.web").joinpath("static", "index.html").read_text("utf-8")


def page(start: Mapping[str, object]) -> str:
    """Return the page; `start` says what it opens, and stands in an attribute, not in a script."""
    return _template().replace("{{start}}", quoteattr(json.dumps(start)))
