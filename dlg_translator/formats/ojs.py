"""Today's files: lists of nodes with `id` and `parentId`, ports among the fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlg_translator.checks.kinds import Place, Report
from dlg_translator.formats.assemble import Found, FoundLink, assemble, text
from dlg_translator.formats.fields import read_fields
from dlg_translator.model.logical import LogicalGraph
from dlg_translator.model.values import truth

NODES, LINKS = "nodeDataArray", "linkDataArray"


def read(document: Mapping[str, Any], report: Report) -> LogicalGraph:
    """Return the graph of a document of today's generation."""
    return assemble(_nodes(document, report), _links(document, report), report)


def _nodes(document: Mapping[str, Any], report: Report) -> Iterator[Found]:
    for pointer, raw in objects(document, NODES, "node", report):
        yield node(text(raw.get("id")), pointer, raw, report)


def node(node_id: str, pointer: str, keys: Mapping[str, Any], report: Report) -> Found:
    """Return the node whose keys are in today's words."""
    found = Found(node_id, pointer, keys)
    place = found.place
    found.fields = read_fields(keys.get("fields"), f"{pointer}/fields", place, report)
    found.input_fields = read_fields(
        keys.get("inputAppFields"), f"{pointer}/inputAppFields", place, report
    )
    found.output_fields = read_fields(
        keys.get("outputAppFields"), f"{pointer}/outputAppFields", place, report
    )
    return found


def _links(document: Mapping[str, Any], report: Report) -> Iterator[FoundLink]:
    for pointer, raw in objects(document, LINKS, "link", report):
        yield link(pointer, raw)


def link(pointer: str, raw: Mapping[str, Any]) -> FoundLink:
    """Return the link that `raw` describes."""
    return FoundLink(
        src=text(raw.get("from")),
        dst=text(raw.get("to")),
        src_port=text(raw.get("fromPort")),
        dst_port=text(raw.get("toPort")),
        pointer=pointer,
        keys=raw,
        loop_aware=truth(raw.get("loop_aware")),
        closes_loop=truth(raw.get("closesLoop")),
        streaming=truth(raw.get("streaming")),
    )


def objects(
    document: Mapping[str, Any], key: str, what: str, report: Report
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the objects of a list of the document, each with its pointer; null is empty."""
    found = document.get(key)
    if found is None:
        return
    if not isinstance(found, list):
        report.add("wrong-structure", f"{key} must be a list", Place(f"/{key}"))
        return
    for i, raw in enumerate(found):
        if isinstance(raw, dict):
            yield f"/{key}/{i}", raw
        else:
            report.add("wrong-structure", f"a {what} must be an object", Place(f"/{key}/{i}"))
