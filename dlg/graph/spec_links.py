"""Links in dropspecs that are still plain dictionaries: adding one, and cutting a graph apart.

A relation `DROPRel(lhs, rel, rhs)` says that `lhs` is the `rel` of `rhs`, so the spec of `rhs`
holds it: `addLink(relation.rel, specs[relation.rhs], relation.lhs)` puts back what
`removeUnmetRelationships` took out.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from dlg.ddap_protocol import DROPLinkType, DROPRel
from dlg.exceptions import InvalidRelationshipException
from dlg.graph.dropspec import entries

Spec = MutableMapping[str, Any]

KEYS: Mapping[DROPLinkType, str] = {
    DROPLinkType.CONSUMER: "consumers",
    DROPLinkType.STREAMING_CONSUMER: "streamingConsumers",
    DROPLinkType.PRODUCER: "producers",
    DROPLinkType.INPUT: "inputs",
    DROPLinkType.STREAMING_INPUT: "streamingInputs",
    DROPLinkType.OUTPUT: "outputs",
    DROPLinkType.CHILD: "children",
}
"""The key of a dropspec that lists the drops linked in this way; a parent is no list."""


def addLink(linkType: DROPLinkType, lhDropSpec: Spec, rhOID: str, force: bool = False) -> None:
    """Let drop `rhOID` be the `linkType` (say, a consumer) of the drop with spec `lhDropSpec`.

    A link that is there already stays as it is. Raises `InvalidRelationshipException` for a number
    that is no link type, and for a second parent, which replaces the first only with `force`.
    """
    oid = lhDropSpec.get("oid", "")
    try:
        kind = DROPLinkType(linkType)
    except ValueError:
        known = ", ".join(f"{k.value} {k.name}" for k in DROPLinkType)
        reason = f"there is no such type of link; there are {known}"
        raise InvalidRelationshipException((rhOID, linkType, oid), reason) from None
    if kind is DROPLinkType.PARENT:
        parent = lhDropSpec.get("parent") or rhOID
        if parent != rhOID and not force:
            reason = f"the drop has the parent {parent!r} already"
            raise InvalidRelationshipException(DROPRel(rhOID, kind, oid), reason)
        lhDropSpec["parent"] = rhOID
        return
    links = lhDropSpec.setdefault(KEYS[kind], [])
    if all(known != rhOID for known, _ in entries(links)):
        links.append(rhOID)


def removeUnmetRelationships(dropSpecList: Sequence[Spec]) -> list[DROPRel]:
    """Take the links to drops that are not in `dropSpecList` out of its specs, and return them.

    The specs are changed in place. A link list that becomes empty goes with its key.
    """
    inside = {spec["oid"] for spec in dropSpecList if "oid" in spec}
    unmet: list[DROPRel] = []
    for spec in dropSpecList:
        for kind, key in KEYS.items():
            if key in spec:
                unmet += _cut(spec, key, kind, inside)
        parent = spec.get("parent")
        if parent and parent not in inside:
            unmet.append(DROPRel(parent, DROPLinkType.PARENT, spec["oid"]))
            del spec["parent"]
    return unmet


def _cut(spec: Spec, key: str, kind: DROPLinkType, inside: set[str]) -> list[DROPRel]:
    """Take out of one link list what leads to drops that are not `inside`."""
    pairs = list(entries(spec[key]))
    outside = dict.fromkeys(oid for oid, _ in pairs if oid not in inside)
    if outside:
        kept = [{oid: port} if port else oid for oid, port in pairs if oid in inside]
        if kept:
            spec[key] = kept
        else:
            del spec[key]
    return [DROPRel(oid, kind, spec["oid"]) for oid in outside]
