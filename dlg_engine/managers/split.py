"""A physical graph cut into the parts that nodes run, so that the parts together do what it does.

Pure. A link always joins an app and data. Where the two are on different nodes the data has a
*replica* on the app's node, under the same oid, so that no link and no name of a port changes:

    home of the data              node of the app
    d ....................fetch -> d' --> app          an input: fetched when d has ended
    d <-- fetch.................. d' <-- app           an output: fetched when d' has ended

A *fetch* is an app on the receiving side: it waits until the node it fetches from says how the
data there has ended, and then brings it, or fails or is skipped as that was. `exports` says whom a
node has to tell what. A part is thus a whole graph that any engine runs; only who starts a fetch
is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from dlg.graph.dropspec import entries

Spec = Mapping[str, Any]

FETCH = "dlg_engine.managers.fetching.Fetch"
INPUTS = ("inputs", "streamingInputs")
OUTPUTS = "outputs"

_OWN_TO_A_DROP = frozenset(
    {
        "oid", "uid", "node", "island", "persist", "lifespan", "expireAfterUse", "pydata",
        "fields", "parent", "filepath", "filename", "dirname", "expectedSize", "reprodata",
    }
)  # fmt: skip
"""Keys of a dropspec that a replica must not have: places, contents and the life of the data."""
_PATHS = {
    "FileDROP": "filepath",
    "JsonDROP": "filepath",
    "ParameterSetDROP": "filepath",
    "DirectoryDROP": "dirname",
}
"""Classes whose drops have a place also if they are not told which."""


@dataclass(slots=True)
class Part:
    """What one node runs of a graph."""

    specs: list[Spec] = field(default_factory=list)
    """Its own drops, as they are in the graph."""
    stand_ins: list[Spec] = field(default_factory=list)
    """Replicas of other nodes' data, and the apps that fetch data."""
    exports: dict[str, list[str]] = field(default_factory=dict)
    """For each drop whose end other nodes wait for: those nodes, in order."""

    @property
    def all_specs(self) -> list[Spec]:
        """Return the whole part, to be run."""
        return [*self.specs, *self.stand_ins]


def stands_in(spec: Spec) -> bool:
    """Return whether a drop stands in for one of another node."""
    return spec.get("dropclass") == FETCH or bool(spec.get("replica"))


def fetch_oid(oid: str, source: str) -> str:
    """Return the oid of the app that fetches `oid` from node `source`."""
    return f"{oid}@{source}"


def split(specs: Iterable[Spec], node_of: Callable[[Spec], str]) -> dict[str, Part]:
    """Return the part of each node, in the order in which nodes appear.

    `specs` are lean, as `dlg.graph.writing.lean_specs` gives them: each link stands on the side of
    the app, or of the container.
    """
    listed = list(specs)
    home = {spec["oid"]: node_of(spec) for spec in listed}
    by_oid = {spec["oid"]: spec for spec in listed}
    cut = _Cut(home, by_oid)
    for spec in listed:
        cut.add(spec)
    cut.join_written()
    cut.join_read()
    return cut.parts


class _Cut:
    """The parts as they grow."""

    def __init__(self, home: Mapping[str, str], by_oid: Mapping[str, Spec]) -> None:
        self.home, self.by_oid = home, by_oid
        self.parts: dict[str, Part] = {}
        self.writers: dict[str, dict[str, None]] = {}
        """For each data: the nodes of the apps that write it."""
        self.read_on: dict[tuple[str, str], None] = {}
        """Pairs of data and a node, not its own, where an app reads it or a container holds it."""
        self.written_on: dict[tuple[str, str], None] = {}

    def add(self, spec: Spec) -> None:
        """Add a drop to the part of its node, and note its links to other nodes."""
        node = self.home[spec["oid"]]
        self._part(node).specs.append(spec)
        for key in (*INPUTS, "children"):
            for oid, _ in entries(spec.get(key, ())):
                if self.home[oid] != node:
                    self.read_on[oid, node] = None
        for oid, _ in entries(spec.get(OUTPUTS, ())):
            self.writers.setdefault(oid, {})[node] = None
            if self.home[oid] != node:
                self.written_on[oid, node] = None

    def join_written(self) -> None:
        """Let the home of each data fetch what apps elsewhere write."""
        for oid, node in self.written_on:
            home = self.home[oid]
            self._part(node).stand_ins.append(replica(self.by_oid[oid], node))
            self._part(home).stand_ins.append(fetch(oid, node))
            self._export(node, oid, home)

    def join_read(self) -> None:
        """Let nodes fetch what their apps read, unless it is all written there."""
        for oid, node in self.read_on:
            if (oid, node) in self.written_on:
                if len(self.writers[oid]) > 1:
                    self._read_apart(oid, node)
                continue
            found = replica(self.by_oid[oid], node)
            self._part(node).stand_ins += (found, fetch(oid, self.home[oid]))
            self._export(self.home[oid], oid, node)

    def _read_apart(self, oid: str, node: str) -> None:
        """Let apps on `node` read what is whole only at home, though others there write it too."""
        apart = f"{oid}@{self.home[oid]}@whole"
        part = self._part(node)
        part.specs = [_renamed(spec, oid, apart) for spec in part.specs]
        part.stand_ins += (
            {**replica(self.by_oid[oid], node, apart), "oid": apart},
            fetch(oid, self.home[oid], into=apart),
        )
        self._export(self.home[oid], oid, node)

    def _part(self, node: str) -> Part:
        return self.parts.setdefault(node, Part())

    def _export(self, node: str, oid: str, to: str) -> None:
        told = self._part(node).exports.setdefault(oid, [])
        if to not in told:
            told.append(to)


def replica(spec: Spec, node: str, name: str = "") -> dict[str, Any]:
    """Return the dropspec of a replica of data on `node`: the same class, another place.

    The place is the node's own, as nodes may share a directory, and the data there goes when the
    node needs it no more.
    """
    kept = {key: value for key, value in spec.items() if key not in _OWN_TO_A_DROP}
    oid = str(spec["oid"])
    key = _path_key(spec)
    if key:
        last = PurePosixPath(str(spec.get(key) or "")).name or "data"
        kept[key] = f"replicas/{_safe(node)}/{_safe(name or oid)}/{last}"
        kept["expireAfterUse"] = True
    return {**kept, "oid": oid, "persist": False, "replica": True}


def _path_key(spec: Spec) -> str:
    """Return the key of a dropspec that says where the data is; "" if it is not in a file."""
    for key in ("filepath", "dirname"):
        if spec.get(key):
            return key
    return _PATHS.get(str(spec.get("dropclass", "")).rpartition(".")[2], "")


def fetch(oid: str, source: str, into: str = "") -> dict[str, Any]:
    """Return the dropspec of an app that brings data from another node."""
    target = into or oid
    return {
        "oid": fetch_oid(target, source),
        "categoryType": "Application",
        "dropclass": FETCH,
        "executionMode": 1,
        "outputs": [target],
        "source": source,
        "wanted": oid,
    }


def _renamed(spec: Spec, old: str, new: str) -> Spec:
    """Return `spec` reading `new` where it read `old`."""
    changes: dict[str, Any] = {}
    for key in INPUTS:
        links = list(entries(spec.get(key, ())))
        if any(oid == old for oid, _ in links):
            changes[key] = [_entry(new if oid == old else oid, port) for oid, port in links]
    return {**spec, **changes} if changes else spec


def as_it_was(specs: Iterable[Spec], nodes: Iterable[str]) -> list[Spec]:
    """Return the specs of parts as those of the whole graph: what was renamed has its own name."""
    ends = [f"@{node}@whole" for node in nodes]
    found: list[Spec] = []
    for spec in specs:
        for key in INPUTS:
            for oid, _ in entries(spec.get(key, ())):
                end = next((one for one in ends if oid.endswith(one)), "")
                spec = _renamed(spec, oid, oid.removesuffix(end)) if end else spec  # noqa: PLW2901
        found.append(spec)
    return found


def _entry(oid: str, port: str) -> str | dict[str, str]:
    return {oid: port} if port else oid


def _safe(oid: str) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in oid)
