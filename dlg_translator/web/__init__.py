"""The page of the translator: plain files, which talk to its REST interface and nothing else."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from xml.sax.saxutils import quoteattr

from dlg.http.assets import FileAsset, read_assets


@functools.cache
def assets() -> Mapping[str, FileAsset]:
    """Return all files the page may load, by name; read once."""
    return read_assets("dlg_translator.web")


@functools.cache
def _template() -> str:
    return files("dlg_translator.web").joinpath("static", "index.html").read_text("utf-8")


def page(start: Mapping[str, object]) -> str:
    """Return the page; `start` says what it opens, and stands in an attribute, not in a script."""
    return _template().replace("{{start}}", quoteattr(json.dumps(start)))
