"""Front door: from a list of dropspecs to linked drops that belong to no session.

Reading and checking is the business of `dlg.graph`. The drops made here run as soon as their
roots are completed, in threads that are started when apps are ready; a graph that needs a
directory, a report or more workers is for `dlg_engine.embedded.run_graph`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any

from dlg.drops.building import live_graph
from dlg.graph.categories import resolve_class
from dlg.graph.documents import decode
from dlg.graph.dropspec import LINK_KEYS
from dlg.graph.physical import PhysicalGraph
from dlg.graph.reading import from_document
from dlg.graph.spec_links import addLink, removeUnmetRelationships

Spec = Mapping[str, Any]


def loadDropSpecs(dropSpecList: Iterable[Spec]) -> dict[str, dict[str, Any]]:
    """Return the dropspecs of a list, in the newest form, by oid; no drop is made.

    A trailing object with the graph's own reproducibility data is left out. What is returned may
    be changed (by `addLink`) without changing the list. Raises `InvalidGraphException`, which
    lists everything that is wrong with the graph.
    """
    graph = _checked(dropSpecList)
    return {oid: _copy(spec) for oid, spec in zip(graph.oids, graph.specs, strict=True)}


def createGraphFromDropSpecList(dropSpecList: Iterable[Spec]) -> list[Any]:
    """Make and link the drops of a list of dropspecs; return the roots, which come before all.

    Raises `InvalidGraphException` for a graph that is wrong and `UsageError` for a drop that
    cannot be made.
    """
    return _drops(_checked(dropSpecList))


def readObjectGraph(fileObj: IO[bytes] | IO[str]) -> list[Any]:
    """Make and link the drops that an open JSON file lists, and return the roots."""
    return readObjectGraphS(fileObj.read())


def readObjectGraphS(s: str | bytes) -> list[Any]:
    """Make and link the drops that a JSON text lists, and return the roots."""
    content = s.encode() if isinstance(s, str) else s
    return _drops(from_document(decode(content, "<text>"), "<text>"))


def _checked(specs: Iterable[Spec]) -> PhysicalGraph:
    return from_document(list(specs), "<list>")


def _copy(spec: Spec) -> dict[str, Any]:
    """Return a copy of `spec` whose links can be changed."""
    copy = dict(spec)
    for key in LINK_KEYS:
        if isinstance(copy.get(key), list):
            copy[key] = list(copy[key])
    return copy


def _drops(graph: PhysicalGraph) -> list[Any]:
    """Return the root drops of `graph` after all drops have been made.

    A session makes an object when somebody needs it; here all are made at once, so that one that
    cannot be made is found out before anything runs.
    """
    live = live_graph(graph, resolve_class)
    drops = [live.drop(row) for row in range(len(graph))]
    _after, before = graph.neighbours
    return [drop for drop, rows in zip(drops, before, strict=True) if not rows]


__all__ = [
    "addLink",
    "createGraphFromDropSpecList",
    "loadDropSpecs",
    "readObjectGraph",
    "readObjectGraphS",
    "removeUnmetRelationships",
]
