"""One dropspec as a typed record, read from any generation of the format, written in the newest.

Three generations are in use (`type`/`app`, then `type` with `dataclass`, then `categoryType` with
`dropclass`), three ways to write a link, and loose types everywhere. `modernise` turns a spec into
the newest form without touching what it does not know; `DropSpec` is the record on top of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlg.graph.categories import app_class, canonical, storage_class
from dlg.graph.physical import DropKind

LINK_KEYS = (
    "consumers", "streamingConsumers", "producers", "inputs", "streamingInputs", "outputs",
    "children",
)  # fmt: skip
CLASS_KEYS = ("dropclass", "dataclass", "appclass", "app", "container")

_KINDS: Mapping[str, DropKind] = {
    "data": DropKind.DATA,
    "dataclass": DropKind.DATA,
    "plain": DropKind.DATA,
    "app": DropKind.APP,
    "application": DropKind.APP,
    "appclass": DropKind.APP,
    "serviceapp": DropKind.APP,
    "socket": DropKind.APP,
    "container": DropKind.CONTAINER,
}
TYPE_NAMES: Mapping[DropKind, str] = {
    DropKind.DATA: "Data",
    DropKind.APP: "Application",
    DropKind.CONTAINER: "Container",
}
CONTAINER_CLASS = "dlg.data.container.ContainerDROP"
SOCKET_CLASS = "dlg.apps.socket_listener.SocketListenerApp"
RENAMED = {"precious": "persist"}
DROPPED = frozenset({"type", "dataclass", "appclass", "app", "container"})


def kind_of(spec: Mapping[str, Any]) -> DropKind | None:
    """Return what a spec of any generation stands for; None if it does not say so."""
    word = spec.get("categoryType", spec.get("type"))
    return _KINDS.get(word.lower()) if isinstance(word, str) else None


def class_of(spec: Mapping[str, Any], kind: DropKind | None) -> str:
    """Return the full dotted name of the class of a spec of any generation; empty if unknown."""
    word = str(spec.get("categoryType", spec.get("type", "")))
    if word.lower() == "socket":
        return SOCKET_CLASS
    if kind is DropKind.DATA:
        return _data_class(spec, word)
    if kind is DropKind.CONTAINER:
        named = spec.get("dropclass") or spec.get("container")
        return canonical(named) if isinstance(named, str) else CONTAINER_CLASS
    named = next((spec[key] for key in CLASS_KEYS if isinstance(spec.get(key), str)), "")
    return canonical(named) if named else app_class(str(spec.get("category", "")))


def _data_class(spec: Mapping[str, Any], word: str) -> str:
    named = spec.get("dropclass") or spec.get("dataclass")
    storage = spec.get("storage") or spec.get("category")
    # Only the spelling "Data" takes the class from `dropclass` in the existing system; older files
    # spell it otherwise and mean their `storage`.
    if isinstance(named, str) and (word == "Data" or not spec.get("storage")):
        return canonical(named)
    if isinstance(storage, str) and (found := storage_class(storage)):
        return found
    if isinstance(storage, str) and storage:
        return storage if "." in storage else ""
    return canonical("dlg.drop.FileDROP") if word != "Data" else ""


def modernise(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return `spec` in the newest form: the same keys but for those that were renamed since.

    What the spec stands for and its class are written where they are known; everything else is
    kept as it is, links included.
    """
    kind = kind_of(spec)
    modern = {RENAMED.get(k, k): v for k, v in spec.items() if k not in DROPPED}
    if kind is not None:
        modern["categoryType"] = TYPE_NAMES[kind]
    if name := class_of(spec, kind):
        modern["dropclass"] = name
    return modern


def entries(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (oid, port) for each entry of a link list, however it is written.

    An entry is an oid, an `{oid: port}` object, or a list of entries; anything else is yielded as
    an empty oid, for the checks to complain about.
    """
    for entry in value if isinstance(value, list | tuple) else [value]:
        if isinstance(entry, str):
            yield entry, ""
        elif isinstance(entry, Mapping):
            for oid, port in entry.items():
                yield str(oid), "" if port is None else str(port)
        elif isinstance(entry, list | tuple):
            yield from entries(entry)
        else:
            yield "", ""


def is_reprodata(spec: Any) -> bool:
    """Return whether the last object of a graph holds data of the graph instead of a drop."""
    return isinstance(spec, Mapping) and "oid" not in spec and ("rmode" in spec or not spec)


@dataclass(slots=True)
class DropSpec:
    """A dropspec of any generation as a record."""

    oid: str
    kind: DropKind
    dropclass: str
    uid: str = ""
    links: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """For each link key the (oid, port) pairs in their order; an empty port was not named."""
    parent: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Everything else, unknown keys included."""

    @classmethod
    def from_dict(cls, spec: Mapping[str, Any]) -> DropSpec:
        """Return the record of `spec`; raise `KeyError` or `ValueError` if it says too little."""
        modern = modernise(spec)
        kind = kind_of(modern)
        if kind is None:
            raise ValueError(f"categoryType {modern.get('categoryType')!r} is not known")
        oid, dropclass = str(modern.pop("oid")), str(modern.pop("dropclass"))
        modern.pop("categoryType")
        links = {key: list(entries(modern.pop(key))) for key in LINK_KEYS if key in modern}
        parent = str(modern.pop("parent", "") or "")
        uid = str(modern.pop("uid", "") or "")
        return cls(oid, kind, dropclass, uid, links, parent, modern)

    def to_dict(self) -> dict[str, Any]:
        """Return the newest form."""
        spec: dict[str, Any] = {"oid": self.oid}
        if self.uid:
            spec["uid"] = self.uid
        spec |= {"categoryType": TYPE_NAMES[self.kind], "dropclass": self.dropclass}
        for key, pairs in self.links.items():
            spec[key] = [{oid: port} if port else oid for oid, port in pairs]
        if self.parent:
            spec["parent"] = self.parent
        return spec | self.parameters
