"""Templates read back from files, so that each step can be a command of its own.

Only what dividing needs is looked at: which drops there are, their links and weights. Classes are
not imported, and all else in the specs is carried along as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from dlg.exceptions import InvalidGraphException
from dlg.graph.documents import is_logical_graph
from dlg.graph.dropspec import CLASS_KEYS, class_of, entries, is_reprodata, kind_of
from dlg.graph.physical import DropKind, Links, LinkTable, PhysicalGraph
from dlg.graph.problems import Problem, pointer, summary
from dlg_translator.model.categories import DATA
from dlg_translator.model.categories import TYPES as CATEGORY_TYPES
from dlg_translator.partition.constraints import AmountError, amount
from dlg_translator.partition.template import PartitionedTemplate, Template
from dlg_translator.partition.weights import dag_of
from dlg_translator.schedule.dag import Rows

Specs = Sequence[Mapping[str, Any]]

_FORWARD = ("consumers", "streamingConsumers", "outputs")
_BACKWARD = ("inputs", "streamingInputs", "producers")
_LINKS = (*_FORWARD, *_BACKWARD)
_CLASS_WORDS = ("categoryType", "type", "category", "storage", *CLASS_KEYS)
_WEIGHTS = ("weight", "execution_time", "data_volume")


class WrittenTemplate:
    """A template made from dropspecs, for `partition_graph`."""

    def __init__(self, specs: Specs, source: str = "<list>") -> None:
        """Read `specs`; raise `InvalidGraphException` with all that keeps them from being used."""
        self.reprodata: Mapping[str, Any] | None = None
        if isinstance(specs, list | tuple) and specs and is_reprodata(specs[-1]):
            self.reprodata, specs = specs[-1], specs[:-1]
        self.specs, self.source = specs, source
        self.warnings: Sequence[Problem] = ()
        problems = [*_unusable(specs)]
        self._row = {} if problems else {str(spec["oid"]): row for row, spec in enumerate(specs)}
        self._ends: tuple[list[int], list[int], list[int]] = ([], [], [])
        if not problems:
            problems = [*self._read_links()]
        if problems:
            raise InvalidGraphException(summary(problems, source), problems, source)

    def _read_links(self) -> Iterator[Problem]:
        """Gather the links as rows; yield a problem for each that leads nowhere."""
        index, (src, dst, keys) = self._row, self._ends
        for row, spec in enumerate(self.specs):
            for number, key in enumerate(_LINKS):
                if key not in spec:
                    continue
                oids = _oids(spec[key])
                try:
                    others = [index[oid] for oid in oids]
                except KeyError:
                    yield from _leading_nowhere(row, spec, key, oids, index)
                    continue
                here = [row] * len(others)
                forward = number < len(_FORWARD)
                src += here if forward else others
                dst += others if forward else here
                keys += [number % len(_FORWARD)] * len(others)

    def __len__(self) -> int:
        return len(self.specs)

    @cached_property
    def _links(self) -> tuple[Rows, Rows, Rows]:
        """Each link once: from, to, and which of the three kinds it is."""
        ends = np.asarray(self._ends, dtype=np.int32).reshape(3, -1)
        word = (ends[0].astype(np.int64) * len(self) + ends[1]) * len(_FORWARD) + ends[2]
        ordered = np.sort(word)
        if (ordered[1:] == ordered[:-1]).any():
            _, first = np.unique(word, return_index=True)
            first.sort()
            ends = ends[:, first]
        return ends[0], ends[1], ends[2]

    @property
    def edges(self) -> tuple[Rows, Rows]:
        """From which to which row each link goes."""
        return self._links[:2]

    @cached_property
    def kinds(self) -> bytes:
        """What each row stands for."""
        return bytes(_kind(spec) or DropKind.DATA for spec in self.specs)

    @cached_property
    def is_app(self) -> npt.NDArray[np.bool_]:
        """Whether each row is an app."""
        return np.equal(np.frombuffer(self.kinds, dtype=np.uint8), int(DropKind.APP))

    @cached_property
    def weights(self) -> npt.NDArray[np.int64]:
        """How long an app runs, how big data are; 1 where a spec does not say."""
        return self._numbers(_WEIGHTS, 1)

    @cached_property
    def volumes(self) -> npt.NDArray[np.int64]:
        """How big data are, 0 for apps."""
        return np.where(self.is_app, 0, self.weights)

    @cached_property
    def num_cpus(self) -> npt.NDArray[np.int64]:
        """Processors each app needs."""
        return self._numbers(("num_cpus",), 1)

    def _numbers(self, names: Sequence[str], default: int) -> npt.NDArray[np.int64]:
        numbers = (_number(spec, names, default) for spec in self.specs)
        return np.fromiter(numbers, dtype=np.int64, count=len(self.specs))

    def spec(self, row: int) -> dict[str, Any]:
        """Return the spec of a row."""
        return dict(self.specs[row])

    def to_dropspecs(self) -> list[dict[str, Any]]:
        """Return all specs."""
        return [dict(spec) for spec in self.specs]

    def to_physical_graph(self) -> PhysicalGraph:
        """Return the graph as it stands in the file; its classes have not been looked for."""
        class_of_row = _classes(self.specs)
        names = {name: k for k, name in enumerate(dict.fromkeys(class_of_row))}
        src, dst, key = self._links
        tables = [LinkTable(src[key == k], dst[key == k]) for k in range(len(_FORWARD))]
        return PhysicalGraph(
            oids=list(self._row),
            kinds=self.kinds,
            class_names=list(names),
            class_ids=[names[name] for name in class_of_row],
            links=Links(consumers=tables[0], streaming_consumers=tables[1], outputs=tables[2]),
            specs=self.specs,
            reprodata=self.reprodata or {},
            source=self.source,
        )


def read_partitioned(template: WrittenTemplate) -> PartitionedTemplate:
    """Return the division that stands in the `node` and `island` of the specs.

    A graph without them is one part. Raises `InvalidGraphException` where only some have a node.
    """
    nodes = [str(spec.get("node") or "") for spec in template.specs]
    islands = [str(spec.get("island") or "") for spec in template.specs]
    if any(nodes) and not all(nodes):
        row = nodes.index("")
        text = f"drop {template.specs[row].get('oid')!r} has no node, others have"
        raise InvalidGraphException(f"{template.source}: {text}", source=template.source)
    part_of, parts = _numbered(nodes)
    island_of, _ = _numbered(islands)
    island_of_part = np.zeros(parts, dtype=np.int32)
    island_of_part[part_of] = island_of
    as_template: Template = template
    return PartitionedTemplate(as_template, dag_of(as_template), part_of, island_of_part, "file")


def _numbered(names: Sequence[str]) -> tuple[Rows, int]:
    """Return a number for each name: that of `#k` in order of k, others as they come."""
    distinct = sorted(dict.fromkeys(names), key=_rank)
    number = {name: k for k, name in enumerate(distinct)}
    return np.asarray([number[name] for name in names], dtype=np.int32), len(distinct)


def _rank(name: str) -> int:
    digits = name.removeprefix("#")
    return int(digits) if name.startswith("#") and digits.isdecimal() else 0


def _unusable(specs: Specs) -> Iterator[Problem]:
    """Yield what keeps specs from being divided: no list, no oid, no kind, an oid twice."""
    if is_logical_graph(specs):
        text = "this is a logical graph; it has to be unrolled first"
        yield Problem(code="logical-graph", message=text)
        return
    if not isinstance(specs, list | tuple) or not specs:
        text = "expected a list of dropspecs, and not an empty one"
        yield Problem(code="not-a-list", message=text)
        return
    seen: set[str] = set()
    for row, spec in enumerate(specs):
        if not isinstance(spec, Mapping) or not isinstance(spec.get("oid"), str):
            text = "expected an object with an oid"
            yield Problem(code="not-a-dropspec", message=text, pointer=pointer(row))
            continue
        oid = spec["oid"]
        if _kind(spec) is None:
            text = "the key 'categoryType' does not say whether it is data or an application"
            yield Problem(code="bad-category", message=text, pointer=pointer(row), oid=oid)
        if oid in seen:
            text = "an earlier drop has the same oid"
            yield Problem(code="duplicate-oid", message=text, pointer=pointer(row), oid=oid)
        seen.add(oid)


def _kind(spec: Mapping[str, Any]) -> DropKind | None:
    """Return what a spec stands for; None if it says nothing of it.

    Some are called neither data nor applications: services, for instance. They cannot be run, but
    they can be placed, as what their category is.
    """
    kind = kind_of(spec)
    if kind is not None or not isinstance(spec.get("categoryType"), str):
        return kind
    category = CATEGORY_TYPES.get(str(spec.get("category", "")))
    return DropKind.DATA if category == DATA else DropKind.APP


def _oids(links: Any) -> list[str]:
    """Return the oids in a link list, however it is written."""
    if isinstance(links, list) and len(links) == 1 and isinstance(links[0], dict):
        return list(links[0])  # as nearly all are
    return [oid for oid, _ in entries(links)]


def _leading_nowhere(
    row: int, spec: Mapping[str, Any], key: str, oids: Sequence[str], known: Mapping[str, int]
) -> Iterator[Problem]:
    """Yield a problem for each of the oids that is no drop's."""
    for place, oid in enumerate(oids):
        if oid not in known:
            yield Problem(
                code="unknown-link-target",
                message=f"{key} names {oid!r}, which is not in the graph",
                pointer=pointer(row, key, place),
                name=str(spec.get("name", "")),
                oid=str(spec["oid"]),
            )


def _classes(specs: Specs) -> list[str]:
    """Return the class of each spec; what says it is the same for many of them."""
    known: dict[tuple[Any, ...], str] = {}
    found = []
    for spec in specs:
        words = tuple(map(spec.get, _CLASS_WORDS))
        try:
            name = known.get(words)
        except TypeError:  # one of them is no word, and class_of looks past it
            name = class_of(spec, _kind(spec))
        if name is None:
            name = known[words] = class_of(spec, _kind(spec))
        found.append(name)
    return found


def _number(spec: Mapping[str, Any], names: Sequence[str], default: int) -> int:
    """Return the first of the keys that has a number, as a whole one."""
    for name in names:
        value = spec.get(name)
        if type(value) is int and value >= 0:  # as nearly all are
            return value
        try:
            if value not in (None, ""):
                return int(amount(value))
        except AmountError:
            continue  # a parameter of the user's own that happens to have the name
    return default
