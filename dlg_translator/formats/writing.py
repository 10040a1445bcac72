"""Writing a logical graph as one of today's files, whatever generation it was read from.

What the records have attributes for is written from them, everything else from `raw`: reading the
file again gives the same graph.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlg_translator.formats.ojs import LINKS, NODES
from dlg_translator.model.logical import EmbeddedApp, Field, Link, LogicalGraph, Node

_FIELD_BLANKS: Mapping[str, Any] = {
    "description": "",
    "readonly": False,
    "precious": False,
    "options": [],
    "positional": False,
}
"""What today's files have in every field, for fields of files that had it not."""

_OLD_FIELD_KEYS = frozenset({"text", "Id", "IdText"})


def to_document(graph: LogicalGraph) -> dict[str, Any]:
    """Return `graph` as a document of today's generation."""
    model_data = {
        "fileType": "Graph",
        "filePath": f"{graph.name}.graph" if graph.name else "",
        **graph.model_data,
        "schemaVersion": "OJS",
        "numLGNodes": len(graph.nodes),
    }
    return {
        **graph.raw,
        "modelData": model_data,
        "activeGraphConfigId": graph.active_config,
        "graphConfigurations": graph.configurations,
        NODES: [write_node(node) for node in graph.nodes.values()],
        LINKS: [write_link(link) for link in graph.links],
    }


def save(graph: LogicalGraph, path: str | Path) -> None:
    """Write `graph` to a file of today's generation, compressed if its name ends in .gz."""
    write_json(to_document(graph), path)


def write_json(document: Mapping[str, Any], path: str | Path) -> None:
    """Write a document as a JSON file, compressed if its name ends in .gz."""
    path = Path(path)
    content = (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)  # the same graph, the same bytes
    path.write_bytes(content)


def write_node(node: Node) -> dict[str, Any]:
    """Return a node as today's files have it."""
    written: dict[str, Any] = {
        **node.raw,
        "id": node.id,
        "name": node.name,
        "category": node.category,
        "categoryType": node.category_type,
        "isGroup": node.is_group,
    }
    if node.parent is not None:
        written["parentId"] = node.parent
    written["fields"] = [write_field(f) for f in node.fields]
    written.update(_write_app("input", node.input_app))
    written.update(_write_app("output", node.output_app))
    for side, app in (("input", node.input_app), ("output", node.output_app)):
        if app is not None and app.raw.get("description"):
            written.setdefault(f"{side}ApplicationDescription", app.raw["description"])
    return written


def _write_app(side: str, app: EmbeddedApp | None) -> dict[str, Any]:
    """Return the keys of a construct for one of its applications."""
    return {
        f"{side}ApplicationName": "" if app is None else app.name,
        f"{side}ApplicationType": "None" if app is None else app.category,
        f"{side}ApplicationId": None if app is None else app.id,
        f"{side}AppFields": [] if app is None else [write_field(f) for f in app.fields],
    }


def write_field(field: Field) -> dict[str, Any]:
    """Return a field as today's files have it."""
    kept = {k: v for k, v in field.raw.items() if k not in _OLD_FIELD_KEYS}
    return {
        **_FIELD_BLANKS,
        **kept,
        "id": field.id,
        "name": field.name,
        "value": field.value,
        "defaultValue": field.default,
        "type": field.type,
        "parameterType": field.parameter_type,
        "usage": field.usage,
        "encoding": field.encoding,
    }


def write_link(link: Link) -> dict[str, Any]:
    """Return a link as today's files have it."""
    return {
        **link.raw,
        "from": link.src,
        "fromPort": link.src_port,
        "to": link.dst,
        "toPort": link.dst_port,
        "loop_aware": "1" if link.loop_aware else "0",
        "closesLoop": link.closes_loop,
    }
