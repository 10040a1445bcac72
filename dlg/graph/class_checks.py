"""What classes themselves have to say about the dropspecs that use them.

A class that can tell from a dropspec that its drop must fail has two class methods: `alike`, a key
that is the same for specs that need to be looked at only once, and `check_uses`. They are called
for graphs that are to be run here, before anything runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from dlg.exceptions import InvalidGraphException
from dlg.graph.categories import resolve_class
from dlg.graph.dropspec import entries
from dlg.graph.physical import IntArray, PhysicalGraph
from dlg.graph.problems import Problem, pointer

LOOKED_UP = 64
"""Of so many links without a port name the other end is asked for it; the others have none."""


@dataclass(frozen=True, slots=True)
class Use:
    """A dropspec and the names of its ports; a link without one has an empty name."""

    spec: Mapping[str, Any]
    inputs: Sequence[str]
    others: Sequence[str]
    """The names of outputs and of inputs that are streams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Why the drop of a dropspec must fail."""

    place: int
    """Which of the uses it is."""
    key: str
    """The key of the dropspec that is to be changed."""
    code: str
    message: str
    hint: str = ""


@runtime_checkable
class Checking(Protocol):
    """A class that checks its uses."""

    @classmethod
    def alike(cls, spec: Mapping[str, Any]) -> Hashable:
        """Return the same for specs of which one stands for all."""

    @classmethod
    def check_uses(cls, uses: Sequence[Use]) -> Iterable[Mistake]:
        """Return what is wrong with `uses`."""


def check_uses(graph: PhysicalGraph, rows: Iterable[int] | None = None) -> list[Problem]:
    """Return what the classes of `graph` find wrong with its drops, or only with those in `rows`.

    Classes that cannot be had find nothing: that is a problem of its own.
    """
    checking = {k: found for k, name in enumerate(graph.class_names) if (found := _checking(name))}
    if not checking:
        return []
    if rows is None:
        rows = np.flatnonzero(np.isin(graph.class_ids, list(checking))).tolist()
    alike: dict[int, dict[Hashable, list[int]]] = {k: {} for k in checking}
    for row in rows:
        k = graph.class_ids[row]
        if k in checking:
            group = alike[k].setdefault(checking[k].alike(graph.specs[row]), [row, 0])
            group[1] += 1
    return [
        problem
        for k, groups in alike.items()
        for problem in _problems(graph, checking[k], list(groups.values()))
    ]


def _checking(name: str) -> Checking | None:
    try:
        found: object = resolve_class(name)
    except InvalidGraphException:
        return None
    return found if isinstance(found, Checking) else None


def _problems(
    graph: PhysicalGraph, checking: Checking, groups: Sequence[Sequence[int]]
) -> Iterator[Problem]:
    rows = [row for row, _ in groups]
    for mistake in checking.check_uses(_uses(graph, rows)):
        row, count = groups[mistake.place]
        spec, more = graph.specs[row], count - 1
        yield Problem(
            code=mistake.code,
            message=mistake.message + (f"; so for {more:,} more drops" if more else ""),
            pointer=pointer(row, mistake.key),
            name=str(spec.get("name", "")),
            oid=graph.oids[row],
            hint=mistake.hint,
        )


def _uses(graph: PhysicalGraph, rows: Sequence[int]) -> list[Use]:
    links = graph.links
    before = _others(rows, links.consumers.dst, links.consumers.src)
    streams = _others(rows, links.streaming_consumers.dst, links.streaming_consumers.src)
    after = _others(rows, links.outputs.src, links.outputs.dst)
    return [
        Use(
            graph.specs[row],
            _names(graph, row, before[row], "inputs", "consumers"),
            [
                *_names(graph, row, streams[row], "streamingInputs", "streamingConsumers"),
                *_names(graph, row, after[row], "outputs", "producers"),
            ],
        )
        for row in rows
    ]


def _others(rows: Sequence[int], ends: IntArray, others: IntArray) -> dict[int, list[int]]:
    """Return for each of `rows` what it is linked to; the links of all others are passed over."""
    found: dict[int, list[int]] = defaultdict(list)
    wanted = np.isin(ends, rows)
    for row, other in zip(ends[wanted].tolist(), others[wanted].tolist(), strict=True):
        found[row].append(other)
    return found


def _names(
    graph: PhysicalGraph, row: int, others: Sequence[int], own_key: str, other_key: str
) -> list[str]:
    """Return the name of the port of each link: the app's own, or else that in the data's spec."""
    own: dict[str, list[str]] = defaultdict(list)
    for oid, name in entries(graph.specs[row].get(own_key) or []):
        if name:
            own[oid].append(name)
    names: list[str] = []
    asked = 0
    for other in others:
        found = own.get(graph.oids[other])
        if not found and asked < LOOKED_UP:
            asked += 1
            there = entries(graph.specs[other].get(other_key) or [])
            found = [name for oid, name in there if oid == graph.oids[row] and name]
        names += dict.fromkeys(found or [""])
    return names
