"""A physical graph as dropspecs of the newest form, with nothing in them twice.

A link is written once: on the side of the app, whose order has a meaning, or of the container.
Names of ports that only the data's side gives move there with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from dlg.exceptions import InvalidGraphException
from dlg.graph.documents import open_for_writing
from dlg.graph.dropspec import DROPPED, LINK_KEYS, RENAMED, TYPE_NAMES, entries
from dlg.graph.physical import DropKind, LinkTable, PhysicalGraph, rows_by

Rows = list[Sequence[int]]

_WRITTEN_ANEW = frozenset(LINK_KEYS) | DROPPED | {"oid", "parent", "categoryType", "dropclass"}
_PIECE = 1 << 20


def lean_specs(graph: PhysicalGraph) -> Iterator[dict[str, Any]]:
    """Yield the dropspec of each drop of `graph`; reading them gives the same graph."""
    n = len(graph)
    links = graph.links
    sides = (
        _Side("inputs", "consumers", _heads(links.consumers, n)),
        _Side("streamingInputs", "streamingConsumers", _heads(links.streaming_consumers, n)),
        _Side("outputs", "producers", rows_by(links.outputs.src, links.outputs.dst, n)),
        _Side("children", "parent", rows_by(links.children.src, links.children.dst, n)),
    )
    used = [side for side in sides if any(side.rows)]
    for row, spec in enumerate(graph.specs):
        for side in used:
            side.look_at(row, spec)
    for row, oid in enumerate(graph.oids):
        given = graph.specs[row]
        lean: dict[str, Any] = {
            "oid": oid,
            "categoryType": TYPE_NAMES[DropKind(graph.kinds[row])],
            "dropclass": graph.class_names[graph.class_ids[row]],
        }
        for key, value in given.items():
            if key in RENAMED:
                lean.setdefault(RENAMED[key], value)
            elif key not in _WRITTEN_ANEW and not (key == "uid" and value == oid):
                lean[key] = value
        for side in used:
            if side.rows[row]:
                lean[side.key] = side.links(graph, row)
        yield lean


def write_physical_graph(graph: PhysicalGraph, path: str | os.PathLike[str]) -> None:
    """Write `graph` to a JSON file: compressed if it ends in `.gz`, standard output for `-`.

    A file is there whole or not at all. Raises `InvalidGraphException` for a drop with a parameter
    that JSON cannot hold, as graphs made in Python may have, and `OSError` if writing fails.
    """
    if path == "-":
        file = open_for_writing("-")
        for piece in _pieces(graph):
            file.write(piece)
        file.flush()
        return
    target = Path(path)
    part = target.with_name(f".part-{target.name}")
    try:
        with open_for_writing(part) as file:
            for piece in _pieces(graph):
                file.write(piece)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _pieces(graph: PhysicalGraph) -> Iterator[bytes]:
    """Yield the text of the file in pieces of about a megabyte."""
    encoder = msgspec.json.Encoder()
    buffer = bytearray(b"[\n")
    separator = b""
    for spec in lean_specs(graph):
        buffer += separator
        try:
            encoder.encode_into(spec, buffer, -1)
        except (TypeError, ValueError) as error:
            text = f"drop {spec['oid']!r} cannot be written as JSON: {error}"
            raise InvalidGraphException(text, source=graph.source) from error
        separator = b",\n"
        if len(buffer) > _PIECE:
            yield bytes(buffer)
            buffer.clear()
    if graph.reprodata:
        buffer += separator + encoder.encode(graph.reprodata)
    buffer += b"\n]\n"
    yield bytes(buffer)


def _heads(table: LinkTable, n: int) -> Rows:
    """Return for each row the rows from which a link of `table` comes to it."""
    return rows_by(table.dst, table.src, n)


class _Side:
    """The links of one kind as the rows that are to list them see them."""

    def __init__(self, key: str, other_key: str, rows: Rows) -> None:
        self.key, self.other_key, self.rows = key, other_key, rows
        self._theirs: dict[int, Mapping[str, list[str]]] = {}

    def look_at(self, row: int, spec: Mapping[str, Any]) -> None:
        """Take note of the names of ports that `row` gives on the other side.

        All rows are looked at once beforehand: looked up link by link, a list of many consumers
        would be read by each of them.
        """
        if self.other_key in spec and (ports := _ports(spec, self.other_key)):
            self._theirs[row] = ports

    def links(self, graph: PhysicalGraph, row: int) -> list[Any]:
        """Return the link list of `row`, ports included."""
        own = _ports(graph.specs[row], self.key)
        found: list[Any] = []
        for other in self.rows[row]:
            oid = graph.oids[other]
            ports = own.get(oid)
            if ports is None and other in self._theirs:
                ports = self._theirs[other].get(graph.oids[row])
            found += [{oid: port} for port in ports] if ports else [oid]
        return found


def _ports(spec: Mapping[str, Any], key: str) -> dict[str, list[str]]:
    """Return the names of ports in a link list, by oid; of most lists there are none."""
    links = spec.get(key) or ()
    if isinstance(links, list) and all(type(entry) is str for entry in links):
        return {}
    found: dict[str, dict[str, None]] = {}
    for oid, port in entries(links):
        if port:
            found.setdefault(oid, {})[port] = None
    return {oid: list(ports) for oid, ports in found.items()}
