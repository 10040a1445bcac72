"""From dropspecs to a checked physical graph.

A graph of a million drops passes through one loop, so what that loop does per drop is kept to a
few dictionary look-ups: specs with the same keys share a *plan* that says which of the keys are
links and which need a closer look. Everything unusual (old generations, ports, mistakes) goes to
slower functions, drop by drop. Links are gathered as pairs of rows and sorted out by numpy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlg.exceptions import InvalidGraphException
from dlg.graph import checks
from dlg.graph.class_checks import check_uses
from dlg.graph.documents import decode, is_logical_graph, read_document
from dlg.graph.dropspec import LINK_KEYS, entries, is_reprodata, kind_of, modernise
from dlg.graph.physical import DropKind, IntArray, Links, LinkTable, PhysicalGraph
from dlg.graph.problems import Problem, Severity, errors, json_kind, pointer, summary
from dlg.support import garbage

Specs = Sequence[Mapping[str, Any]]

UNKNOWN_KIND = 255
"""Stands among the kinds for a drop that does not say what it is."""
ANY_CLASS = "dlg.drops.base.AbstractDROP"
SHOWN = 50
"""How many problems the text of an exception lists; the exception itself has all."""


def read_physical_graph(
    source: str | os.PathLike[str] | bytes | Specs | PhysicalGraph, name: str = "",
    *, runs_here: bool = True,
) -> PhysicalGraph:  # fmt: skip
    """Return the physical graph in a file (`-`: standard input), JSON bytes, or a list of specs.

    Raises `InvalidGraphException`, which lists everything that is wrong. The list given is neither
    copied nor changed. A graph that is only looked at, and not one that `runs_here`, may have
    classes that are not installed.
    """
    if isinstance(source, PhysicalGraph):
        return source
    with garbage.held_off():  # decoding a big file makes as many objects as reading it
        if isinstance(source, str | os.PathLike | bytes):
            document, found = read_document(source, name)
        else:
            document, found = source, "<list>"
        return from_document(document, name or found, runs_here=runs_here)


def from_document(document: Any, name: str, *, runs_here: bool = True) -> PhysicalGraph:
    """Return the checked graph in `document`, a JSON value; raise `InvalidGraphException`."""
    with garbage.held_off():
        graph, problems = inspect(document, name, runs_here=runs_here)
    if graph is None or errors(problems):
        worst_first = sorted(problems, key=lambda p: p.severity is not Severity.ERROR)
        raise invalid(worst_first, name)
    return graph


def invalid(problems: Sequence[Problem], name: str) -> InvalidGraphException:
    """Return the exception that lists `problems`; its text stops after the first fifty."""
    text = summary(problems[:SHOWN], name)
    if len(problems) > SHOWN:
        text = text.replace(f"{SHOWN} problems", f"{len(problems)} problems", 1)
        text += f"\n  and {len(problems) - SHOWN} more"
    return InvalidGraphException(text, problems, name)


def inspect(
    document: Any, name: str, *, runs_here: bool = True
) -> tuple[PhysicalGraph | None, list[Problem]]:
    """Return the graph in `document`, as far as it can be made out, and all problems."""
    if is_logical_graph(document):
        text = "this is a logical graph; it has to be unrolled first"
        return None, [Problem(code="logical-graph", message=text)]
    if not isinstance(document, list | tuple):
        text = f"expected a list of dropspecs, found {json_kind(document)}"
        return None, [Problem(code="not-a-list", message=text)]
    if len(document) == 2 and isinstance(document[0], str) and isinstance(document[1], list):  # noqa: PLR2004
        document = document[1]  # a graph file that was submitted to a batch system: name and graph
    specs: Specs = document
    reprodata: Mapping[str, Any] = {}
    if specs and is_reprodata(specs[-1]):
        specs, reprodata = specs[:-1], specs[-1]
    if not specs:
        return None, [Problem(code="empty-graph", message="the graph has no drops")]
    return _Reader(specs, name, reprodata, runs_here=runs_here).read()


_PLAIN = (str, int, float, bool, list, tuple, dict)


class _Reader:
    """Everything that is known while one list of specs is being read."""

    def __init__(
        self, specs: Specs, name: str, reprodata: Mapping[str, Any], *, runs_here: bool
    ) -> None:
        self.runs_here = runs_here
        self.given, self.name, self.reprodata = specs, name, reprodata
        self.problems: list[Problem] = []
        self.oids: list[str] = []
        self.kinds = bytearray(len(specs))
        self.class_names: list[str] = []
        self.class_ids: list[int] = []
        self.links: dict[str, tuple[list[int], list[int]]] = {k: ([], []) for k in LINK_KEYS}
        self.external: set[int] = set()
        self.keys: set[str] = set()
        """Every key that some spec has."""

    def read(self) -> tuple[PhysicalGraph | None, list[Problem]]:
        self.specs = self._modern()
        self.index = {oid: row for row, oid in enumerate(self.oids)}
        if len(self.index) < len(self.oids):
            self.problems += checks.duplicates(self.oids, self.specs)
        self._read_specs()
        graph = self._graph()
        self.problems += checks.structure(graph)
        if self.runs_here:
            self.problems += check_uses(graph)
        blocking = errors(self.problems)
        return (None if blocking else graph), self.problems

    def _modern(self) -> Specs:
        """Return the specs in the newest form, and note oid, kind and class of each."""
        known: dict[tuple[str, str], tuple[int, int]] = {}
        modern: list[Mapping[str, Any]] | None = None
        oids, kinds, class_ids = self.oids, self.kinds, self.class_ids
        for row, spec in enumerate(self.given):
            try:
                kind, class_id = known[spec["categoryType"], spec["dropclass"]]
                oid = spec["oid"]
            except (KeyError, TypeError, IndexError):
                spec, oid, kind, class_id = self._first_look(row, spec, known)  # noqa: PLW2901
                if spec is not self.given[row]:
                    modern = modern or list(self.given)
                    modern[row] = spec
            kinds[row] = kind
            class_ids.append(class_id)
            oids.append(oid)
        if not {*map(type, oids)} <= {str} or not all(oids):
            self._check_oids()
        return modern or self.given

    def _first_look(
        self, row: int, spec: Any, known: dict[tuple[str, str], tuple[int, int]]
    ) -> tuple[Mapping[str, Any], str, int, int]:
        """Read a spec with a class not met before, of an old generation, or with a mistake."""
        missing = checks.essentials(row, spec)
        if missing:
            self.problems += missing
            return self._unusable(row, spec)
        modern = modernise(spec)
        kind, name = kind_of(modern), str(modern["dropclass"])
        assert kind is not None  # noqa: S101  the essentials have been checked
        same = all(_alike(spec.get(k), v) for k, v in modern.items()) and len(spec) == len(modern)
        found = int(kind), self._class_id(name)
        given = spec.get("categoryType"), spec.get("dropclass")
        if modern.keys() == spec.keys() and "storage" not in spec and isinstance(given[1], str):
            known[given] = found
            if all(
                _alike(spec[k], v)
                for k, v in modern.items()
                if k not in {"categoryType", "dropclass"}
            ):
                same = True
        return (spec if same else modern), spec["oid"], *found

    def _unusable(self, row: int, spec: Any) -> tuple[Mapping[str, Any], str, int, int]:
        """Return what stands for a spec that says too little: its links can be checked still."""
        given = spec if isinstance(spec, Mapping) else {}
        oid = given.get("oid")
        kept = {key: given[key] for key in (*LINK_KEYS, "name", "parent") if key in given}
        known = oid if isinstance(oid, str) and oid else f"<drop {row} without an oid>"
        stand_in = {**kept, "oid": oid if known is oid else ""}
        return stand_in, known, UNKNOWN_KIND, self._class_id(ANY_CLASS)

    def _class_id(self, name: str) -> int:
        if name not in self.class_names:
            self.class_names.append(name)
        return self.class_names.index(name)

    def _check_oids(self) -> None:
        for row, oid in enumerate(self.oids):
            if type(oid) is not str or not oid:
                where = pointer(row, "oid")
                text = f"expected a text that is not empty, found {oid!r}"
                self.problems.append(Problem(code="bad-type", message=text, pointer=where))
                self.oids[row] = f"<drop {row} without an oid>"

    def _read_specs(self) -> None:
        """Gather the links and check what the class of each drop declares."""
        plans: dict[tuple[Any, ...], checks.Plan] = {}
        index, class_ids, links = self.index, self.class_ids, self.links
        for row, spec in enumerate(self.specs):
            shape = (class_ids[row], *spec)
            plan = plans.get(shape)
            if plan is None:
                plan = plans[shape] = checks.plan(self.class_names[class_ids[row]], spec)
                self.problems += checks.unknown_keys(row, spec, plan)
            for key in plan.links:
                rows, targets = links[key]
                given = spec[key]
                try:
                    for entry in given if type(given) is not str else (given,):
                        if type(entry) is dict:
                            (oid,) = entry  # more than one goes to the slower function
                        else:
                            oid = entry
                        targets.append(index[oid])
                        rows.append(row)
                except (KeyError, TypeError, ValueError):
                    del targets[len(rows) :]
                    self._read_entries(row, spec, key)
            if plan.values:
                self.problems += checks.values(row, spec, plan)
                if "executionMode" in spec and checks.is_external(spec):
                    self.external.add(row)
        self.keys = {key for shape in plans for key in shape[1:]}
        if self.runs_here:
            self.problems += checks.classes(self.class_names, class_ids, self.specs)

    def _read_entries(self, row: int, spec: Mapping[str, Any], key: str) -> None:
        """Read a link list that is not simply a list of known oids; parts of it may be read."""
        rows, targets = self.links[key]
        while rows and rows[-1] == row:
            rows.pop()
            targets.pop()
        for place, (oid, _port) in enumerate(entries(spec[key])):
            if oid in self.index:
                targets.append(self.index[oid])
                rows.append(row)
            else:
                where = pointer(row, key, place)
                self.problems.append(checks.unknown_target(where, spec, key, oid, self.index))

    def _graph(self) -> PhysicalGraph:
        sides = self.links
        inside, holders = self._parents()
        children = sides["children"]
        n = len(self.oids)
        uids = [s.get("uid") or s["oid"] for s in self.specs] if "uid" in self.keys else ()
        return PhysicalGraph(
            oids=self.oids,
            kinds=bytes(self.kinds),
            class_names=self.class_names,
            class_ids=self.class_ids,
            links=Links(
                consumers=_table(sides["inputs"][::-1], sides["consumers"], n),
                streaming_consumers=_table(
                    sides["streamingInputs"][::-1], sides["streamingConsumers"], n
                ),
                outputs=_table(sides["outputs"], sides["producers"][::-1], n),
                children=_table(children, (holders, inside), n),
            ),
            specs=self.specs,
            uids=uids,
            external=frozenset(self.external),
            reprodata=self.reprodata,
            source=self.name,
            warnings=tuple(p for p in self.problems if p.severity is Severity.WARNING),
        )

    def _parents(self) -> tuple[list[int], list[int]]:
        """Return the drops that name a parent, and these."""
        specs = enumerate(self.specs) if "parent" in self.keys else ()
        given = [(row, spec["parent"]) for row, spec in specs if spec.get("parent")]
        inside: list[int] = []
        holders: list[int] = []
        for row, parent in given:
            oid = next((o for o, _ in entries(parent)), "")
            if oid in self.index:
                inside.append(row)
                holders.append(self.index[oid])
            else:
                where, spec = pointer(row, "parent"), self.specs[row]
                self.problems.append(checks.unknown_target(where, spec, "parent", oid, self.index))
        return inside, holders


def _alike(a: Any, b: Any) -> bool:
    """Return whether two values are the same; arrays, which have no one answer, as objects."""
    return a is b or bool(type(a) is type(b) and isinstance(a, _PLAIN) and a == b)


def _table(
    first: tuple[list[int], list[int]], second: tuple[list[int], list[int]], n: int
) -> LinkTable:
    """Return the links of two (src, dst) lists, each once, in the order of the first list."""
    src = _array(first[0], second[0])
    dst = _array(first[1], second[1])
    if not len(src):
        return LinkTable()
    _, places = np.unique(src.astype(np.int64) * n + dst, return_index=True)
    if len(places) == len(src):
        return LinkTable(src, dst)
    places.sort()
    return LinkTable(src[places], dst[places])


def _array(*lists: list[int]) -> IntArray:
    return np.concatenate([np.asarray(part, dtype=np.int32) for part in lists])


__all__ = [
    "DropKind", "decode", "from_document", "inspect", "invalid", "read_physical_graph",
]  # fmt: skip
