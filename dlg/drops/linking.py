"""Linking drops: what may follow what, and how two graphs of free-standing drops become one."""

from __future__ import annotations

from typing import Any

from dlg.ddap_protocol import DROPLinkType, DROPRel, DROPStates
from dlg.drops.live import LiveGraph
from dlg.drops.runners import ON_DEMAND
from dlg.exceptions import InvalidRelationshipException
from dlg.states.flow import Flow
from dlg.states.steps import APP, MANUAL


def stand_alone(drop: Any, oid: str, uid: str, traits: int) -> tuple[LiveGraph, int]:
    """Return a new graph in which `drop` is the only row."""
    graph = LiveGraph(Flow(bytearray([traits]), [[]], [[]]), [oid], [uid], ON_DEMAND)
    graph.objects[0] = drop
    if traits & MANUAL:
        graph.manual.append(0)
    return graph, 0


def consume(data: Any, app: Any, *, streaming: bool = False) -> None:
    """Let `app` consume `data`; asking for the same link twice changes nothing.

    Raises `InvalidRelationshipException` if the two kinds of drop cannot be linked so, or if `app`
    would be both a normal and a streaming consumer of `data`.
    """
    kind = DROPLinkType.STREAMING_CONSUMER if streaming else DROPLinkType.CONSUMER
    _check(data, app, DROPRel(app.uid, kind, data.uid))
    if streaming and not _is_manual(app):
        reason = "an app that waits for its inputs to end cannot consume one as a stream"
        raise InvalidRelationshipException(DROPRel(app.uid, kind, data.uid), reason)
    graph = _one_graph(data, app)
    src, dst = data._row, app._row
    streams = graph.streams.get(src, [])
    if _linked(graph, src, dst):
        if (dst in streams) != streaming:
            reason = "a drop cannot be a normal and a streaming consumer of the same data"
            raise InvalidRelationshipException(DROPRel(app.uid, kind, data.uid), reason)
        return
    if streaming:
        graph.streams.setdefault(src, []).append(dst)
    _link(graph, src, dst)


def produce(app: Any, data: Any) -> None:
    """Let `app` produce `data`; asking for the same link twice changes nothing."""
    _check(data, app, DROPRel(app.uid, DROPLinkType.PRODUCER, data.uid))
    graph = _one_graph(app, data)
    if not _linked(graph, app._row, data._row):
        _link(graph, app._row, data._row)


def contain(container: Any, child: Any) -> None:
    """Let `container` hold `child`; a circle of parents or a second parent is refused."""
    rel = DROPRel(container.uid, DROPLinkType.PARENT, child.uid)
    graph = _one_graph(container, child)
    parent, row = container._row, child._row
    if graph.parents.get(row, parent) != parent:
        raise InvalidRelationshipException(rel, "a drop has one parent at most")
    ancestor: int | None = parent
    while ancestor is not None:
        if ancestor == row:
            raise InvalidRelationshipException(rel, "a drop cannot be its own ancestor")
        ancestor = graph.parents.get(ancestor)
    if row not in graph.parents:
        graph.parents[row] = parent
        graph.children.setdefault(parent, []).append(row)
        _link(graph, row, parent)


def _check(data: Any, app: Any, rel: DROPRel) -> None:
    if data.traits & APP:
        raise InvalidRelationshipException(rel, "an app is linked to an app; data must be between")
    if not app.traits & APP:
        raise InvalidRelationshipException(rel, "data is linked to data; an app must be between")


def _is_manual(app: Any) -> bool:
    return bool(app.traits & MANUAL)


def _linked(graph: LiveGraph, src: int, dst: int) -> bool:
    """Return whether the link is there; looked up where the list is shorter, for wide fans."""
    after, before = graph.flow.after[src], graph.flow.before[dst]
    return dst in after if len(after) <= len(before) else src in before


def _link(graph: LiveGraph, src: int, dst: int) -> None:
    with graph.lock:
        ended = graph.flow.status[src] > DROPStates.WRITING
        graph.flow.link(src, dst, ended=ended)


def _one_graph(a: Any, b: Any) -> LiveGraph:
    """Return the graph in which both drops are, after merging one into the other.

    The smaller goes into the larger, and drops made by hand to those that have dropspecs.
    """
    graph: LiveGraph = a._graph
    other: LiveGraph = b._graph
    if graph is other:
        return graph
    known, more = bool(graph.specs), bool(other.specs)
    if more > known or (more == known and len(graph.objects) < len(other.objects)):
        graph, other = other, graph  # rows with dropspecs stay in front: see `LiveObjects.spec`
    # In a fixed order, so that two merges cannot lock each other out.
    first, second = sorted((graph, other), key=id)
    with first.lock, second.lock:
        _absorb(graph, other)
    return graph


def _absorb(graph: LiveGraph, other: LiveGraph) -> None:
    if other.specs:  # then both have some: two sessions, or two graphs from files
        raise InvalidRelationshipException("link", "drops of two graphs cannot be linked")
    offset = graph.flow.absorb(other.flow)
    graph.oids.extend(other.oids)
    graph.uids.extend(other.uids)
    graph.objects.extend(other.objects)
    for row, drop in enumerate(other.objects):
        drop._graph, drop._row = graph, row + offset
    for mine, theirs in ((graph.streams, other.streams), (graph.children, other.children)):
        mine.update({r + offset: [x + offset for x in rows] for r, rows in theirs.items()})
    graph.parents.update({r + offset: p + offset for r, p in other.parents.items()})
    graph.manual.extend(row + offset for row in other.manual)
