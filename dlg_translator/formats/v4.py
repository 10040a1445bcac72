"""The newest files: objects of nodes and edges by id, embedded applications as nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlg.graph.problems import pointer as pointer_of
from dlg_translator.checks.kinds import Place, Report
from dlg_translator.formats.assemble import Found, FoundLink, assemble, text
from dlg_translator.formats.fields import read_fields
from dlg_translator.model.logical import LogicalGraph
from dlg_translator.model.values import truth

NODES, LINKS = "nodes", "edges"

LINK_KEYS: Mapping[str, str] = {
    "srcNodeId": "from",
    "srcPortId": "fromPort",
    "destNodeId": "to",
    "destPortId": "toPort",
    "loopAware": "loop_aware",
}
"""The keys of an edge, and what they are called in today's links."""


def read(document: Mapping[str, Any], report: Report) -> LogicalGraph:
    """Return the graph of a document of the newest generation."""
    return assemble(_nodes(document, report), _links(document, report), report)


def _nodes(document: Mapping[str, Any], report: Report) -> Iterator[Found]:
    for key, raw in _objects(document, NODES, report):
        pointer = pointer_of(NODES, key)
        stated = text(raw.get("id")) or key
        found = Found(key, pointer, raw)
        if stated != key:
            report.add("missing-id", f"it stands under {key!r} but says {stated!r}", found.place)
        found.fields = read_fields(raw.get("fields"), f"{pointer}/fields", found.place, report)
        yield found


def _links(document: Mapping[str, Any], report: Report) -> Iterator[FoundLink]:
    for key, raw in _objects(document, LINKS, report):
        keys = {LINK_KEYS.get(k, k): v for k, v in raw.items()}
        keys["loop_aware"] = "1" if truth(raw.get("loopAware")) else "0"
        yield FoundLink(
            src=text(raw.get("srcNodeId")),
            dst=text(raw.get("destNodeId")),
            src_port=text(raw.get("srcPortId")),
            dst_port=text(raw.get("destPortId")),
            pointer=pointer_of(LINKS, key),
            keys=keys,
            loop_aware=truth(raw.get("loopAware")),
            closes_loop=truth(raw.get("closesLoop")),
            streaming=truth(raw.get("streaming")),
        )


def _objects(
    document: Mapping[str, Any], key: str, report: Report
) -> Iterator[tuple[str, dict[str, Any]]]:
    found = document.get(key)
    if found is None:
        return
    if not isinstance(found, dict):
        report.add("wrong-structure", f"{key} must be an object", Place(f"/{key}"))
        return
    for name, raw in found.items():
        if isinstance(raw, dict):
            yield name, raw
        else:
            place = Place(pointer_of(key, name))
            report.add("wrong-structure", f"an entry of {key} must be an object", place)
