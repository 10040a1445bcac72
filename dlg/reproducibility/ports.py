"""The names of ports in a graph, for signatures: a link through another port is another link.

Either end of a link may name the port. Where both do, the app's word counts: a graph that is
written anew has the names there, and is the same graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.graph.dropspec import entries
from dlg.graph.physical import DropKind, PhysicalGraph

_DOWN = ("consumers", "streamingConsumers", "outputs", "children")
_UP = ("producers", "inputs", "streamingInputs")


class Names:
    """For each row that names ports, the names by the oid at the other end of the link."""

    __slots__ = ("_down", "_up")

    def __init__(self) -> None:
        self._down: dict[int, dict[str, str]] = {}
        self._up: dict[int, dict[str, str]] = {}

    def add(self, row: int, spec: Mapping[str, Any]) -> None:
        """Take in what a dropspec says of the ports at its end."""
        for side, keys in ((self._down, _DOWN), (self._up, _UP)):
            for key in keys:
                links = spec.get(key)
                if links and not all(type(entry) is str for entry in links):
                    known = side.setdefault(row, {})
                    for oid, port in _ports(links).items():
                        known[oid] = f"{known[oid]}\0{port}" if oid in known else port

    def label(self, graph: PhysicalGraph, source: int, target: int) -> bytes:
        """Return the names that a link has, as one text."""
        here, there = self._down.get(source), self._up.get(target)
        first = here.get(graph.oids[target], "") if here else ""
        second = there.get(graph.oids[source], "") if there else ""
        if graph.kinds[source] == DropKind.APP:
            return (first or second).encode()
        return (second or first).encode()

    def __bool__(self) -> bool:
        return bool(self._down or self._up)


def _ports(links: Any) -> dict[str, str]:
    """Return the ports in a list of links, each once, by the oids at the other end."""
    found: dict[str, dict[str, None]] = {}
    for oid, port in entries(links):
        if port:
            found.setdefault(oid, {})[port] = None
    return {oid: "\0".join(ports) for oid, ports in found.items()}


def names_by_row(graph: PhysicalGraph) -> Names:
    """Return the names of ports of all rows that have any."""
    names = Names()
    for row, spec in enumerate(graph.specs):
        names.add(row, spec)
    return names
