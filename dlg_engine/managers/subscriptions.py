"""Parts of a graph that somebody else has cut: what one node needs to know of the links to others.

A data island of the existing system takes the links between nodes out of its parts and tells each
node of them apart: `[lhs, type, rhs]` says that drop `lhs` is, say, a consumer of drop `rhs`. The
parts become what `split` makes: replicas, fetches, and who is to be told of what. Pure.

What the triples do not say cannot be made good: the names of ports, and other nodes that write the
same data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dlg.ddap_protocol import DROPLinkType
from dlg.exceptions import InvalidRelationshipException, UsageError
from dlg.graph.spec_links import KEYS as LINK_KEYS
from dlg_engine.managers.split import Spec, fetch, replica

Relation = tuple[str, int, str]
Specs = Callable[[str, Sequence[str]], Mapping[str, Spec]]
"""Returns the dropspecs that a node has of some of its drops."""


class Kind(NamedTuple):
    """What a type of link says."""

    app_first: bool
    reads: bool
    local: DROPLinkType
    """What the data becomes to an app that is here."""


KINDS: Mapping[int, Kind] = {
    DROPLinkType.CONSUMER: Kind(True, True, DROPLinkType.INPUT),
    DROPLinkType.STREAMING_CONSUMER: Kind(True, True, DROPLinkType.STREAMING_INPUT),
    DROPLinkType.PRODUCER: Kind(True, False, DROPLinkType.OUTPUT),
    DROPLinkType.INPUT: Kind(False, True, DROPLinkType.INPUT),
    DROPLinkType.STREAMING_INPUT: Kind(False, True, DROPLinkType.STREAMING_INPUT),
    DROPLinkType.OUTPUT: Kind(False, False, DROPLinkType.OUTPUT),
}


_LINKS = frozenset(LINK_KEYS.values())


@dataclass(slots=True)
class Subscriptions:
    """What the links to other nodes mean for one of them."""

    links: list[tuple[str, DROPLinkType, str]] = field(default_factory=list)
    """Data, what it is, and the app here of which it is that."""
    stand_ins: list[Spec] = field(default_factory=list)
    exports: dict[str, list[str]] = field(default_factory=dict)


def read_relations(document: Any) -> dict[str, list[Relation]]:
    """Return the links by the other node; raise UsageError for what has another form."""
    if not isinstance(document, dict):
        raise UsageError("an object is expected: {node: [[lhs, link type, rhs], ...]}")
    return {
        node: [_relation(node, one) for one in _list(found)] for node, found in document.items()
    }


def arrange(
    here: str, own: Mapping[str, Spec], relations: Mapping[str, Iterable[Relation]], specs: Specs
) -> Subscriptions:
    """Return what node `here` with the drops `own` has to do; ask `specs` for data of others.

    Raises InvalidRelationshipException for a link that joins no drop here with one elsewhere, or
    is of a type that joins none.
    """
    found = Subscriptions()
    for node, listed in relations.items():
        read: dict[str, None] = {}
        written: dict[str, None] = {}
        for app, data, kind, relation in map(_sides, dict.fromkeys(listed)):
            if (app in own) is (data in own):
                where = "both drops are" if app in own else "neither drop is"
                raise InvalidRelationshipException(relation, f"{where} of this node")
            if app in own:
                (read if kind.reads else written)[data] = None
                found.links.append((data, kind.local, app))
            if (app in own) is not kind.reads:
                told = found.exports.setdefault(data, [])
                told += [] if node in told else [node]
            elif data in own:
                found.stand_ins.append(fetch(data, node))
        away = [*written, *(oid for oid in read if oid not in written)]
        known = specs(node, away) if away else {}
        for oid in away:
            found.stand_ins.append(replica(_alone(known[oid]), here))
            if oid not in written:
                found.stand_ins.append(fetch(oid, node))
    found.links = list(dict.fromkeys(found.links))
    found.stand_ins = list({spec["oid"]: spec for spec in found.stand_ins}.values())
    return found


def _alone(spec: Spec) -> Spec:
    """Return a dropspec without its links, which are with drops of its own node."""
    return {key: value for key, value in spec.items() if key not in _LINKS}


def _sides(relation: Relation) -> tuple[str, str, Kind, Relation]:
    """Return the app and the data of a link, and what it says."""
    left, number, right = relation
    kind = KINDS.get(number)
    if kind is None:
        raise InvalidRelationshipException(relation, "no such link joins drops of two nodes")
    return (left, right, kind, relation) if kind.app_first else (right, left, kind, relation)


def _list(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise UsageError(f"a list of links is expected, not {found!r:.40}")
    return found


def _relation(node: str, one: Any) -> Relation:
    match one:
        case [str(left), int(number), str(right)] if not isinstance(number, bool):
            return left, number, right
    raise UsageError(f"{node}: a link is [lhs, link type, rhs], not {one!r:.60}")
