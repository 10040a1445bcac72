"""Which generation a file is of, told by what is in it rather than by what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from dlg_translator.checks.kinds import Report
from dlg_translator.formats import ojs, ojs_key, v4
from dlg_translator.model.logical import LogicalGraph


class Generation(StrEnum):
    """The generations of logical graph files."""

    OJS_KEY = "OJS, by key"
    """2017 to 2024, the first go.js models included."""
    OJS_ID = "OJS, by id"
    """Since August 2024; what the graph editor posts today."""
    V4 = "V4"


READERS: Mapping[Generation, Callable[[Mapping[str, Any], Report], LogicalGraph]] = {
    Generation.OJS_KEY: ojs_key.read,
    Generation.OJS_ID: ojs.read,
    Generation.V4: v4.read,
}


def generation_of(document: object) -> Generation | None:
    """Return the generation of a logical graph or palette, None for anything else.

    Lists of dropspecs are none, nor are drawings of physical graphs, whose nodes have an `oid`.
    """
    if not isinstance(document, Mapping):
        return None
    if isinstance(document.get("nodes"), Mapping) and "nodeDataArray" not in document:
        is_v4 = "edges" in document or _schema(document) == "V4"
        return Generation.V4 if is_v4 else None
    if "nodeDataArray" not in document:
        return None
    nodes = document["nodeDataArray"] or []
    first = [n for n in nodes[:6] if isinstance(n, Mapping)] if isinstance(nodes, list) else []
    if any("oid" in n for n in first):
        return None
    by_key = any("key" in n and "id" not in n for n in first)
    return Generation.OJS_KEY if by_key else Generation.OJS_ID


def is_palette(document: object) -> bool:
    """Whether `document` is a palette: components to draw graphs with, not a graph."""
    if generation_of(document) is None or not isinstance(document, Mapping):
        return False
    data = document.get("modelData")
    if not isinstance(data, Mapping):
        return False
    stated = data.get("fileType") or data.get("type")
    return isinstance(stated, str) and stated.lower() == "palette"


def _schema(document: Mapping[str, Any]) -> str:
    data = document.get("modelData")
    return str(data.get("schemaVersion", "")) if isinstance(data, Mapping) else ""
