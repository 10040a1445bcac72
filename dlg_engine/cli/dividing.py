"""Which drop of a graph goes to which node of a manager."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dlg.exceptions import UsageError
from dlg.graph.problems import Problem
from dlg_engine.managers.addresses import find_node
from dlg_translator.partition import PartitionedTemplate, partition_graph
from dlg_translator.partition.template import PlacedSpecs, Template
from dlg_translator.partition.written import WrittenTemplate, read_partitioned

ALGORITHM = "metis"


class Place(NamedTuple):
    """A node, and the island it belongs to."""

    node: str
    island: str


@dataclass(frozen=True)
class Placed:
    """A graph whose drops know their nodes."""

    specs: Sequence[Mapping[str, Any]]
    nodes: Mapping[str, int]
    """How many drops each node gets."""
    warnings: Sequence[Problem] = ()


def place(
    template: Template,
    places: Sequence[Place],
    algorithm: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Placed:
    """Return the graph placed on the nodes of a manager.

    Without `algorithm`, drops stay on the nodes they have been mapped to, and parts they have been
    divided into stay together; METIS divides what has neither. Raises UsageError for a graph that
    is mapped to nodes which the manager does not know.
    """
    if algorithm is None and isinstance(template, WrittenTemplate):
        names = {str(spec.get("node") or "") for spec in template.specs}
        if names != {""}:
            return _as_written(template, names, places)
    count = len({place.island for place in places})
    divided = partition_graph(
        template, algorithm or ALGORITHM, min(len(places), len(template)),
        min(count, len(template)), **(options or {}),
    )  # fmt: skip
    return _on(divided, places)


def _as_written(
    template: WrittenTemplate, names: Iterable[str], places: Sequence[Place]
) -> Placed:
    """Return the graph as it has been mapped, or, where only numbers stand in it, with names."""
    divided = read_partitioned(template)
    if all(name.startswith("#") for name in names):
        if divided.num_parts > len(places):
            raise UsageError(
                f"the graph has {divided.num_parts} parts and the manager {len(places)} nodes: "
                f"--algorithm {ALGORITHM} divides it anew"
            )
        return _on(divided, places)
    known = {place.node: place for place in places}
    try:
        meant = {name: known[find_node(name, known)] for name in names}
    except UsageError as error:
        text = f"{error}; --algorithm {ALGORITHM} divides it over those"
        raise UsageError(text) from error
    numbers = {name: k for k, name in enumerate(meant)}
    part_of = np.asarray([numbers[str(spec["node"])] for spec in template.specs], np.int32)
    return _placed(template, part_of, list(meant.values()), ())


def _on(divided: PartitionedTemplate, places: Sequence[Place]) -> Placed:
    """Return a division with a node for each part, islands of parts on islands of nodes."""
    chosen = assign(divided.island_of_part.tolist(), places)
    template = divided.template
    return _placed(template, divided.node_of, chosen, divided.warnings)


def assign(island_of_part: Sequence[int], places: Sequence[Place]) -> list[Place]:
    """Return a node of its own for each part, those of an island on one island if they fit.

    The biggest islands of parts choose first. There must be as many nodes as parts.
    """
    free: dict[str, list[Place]] = {}
    for one in places:
        free.setdefault(one.island, []).append(one)
    parts: dict[int, list[int]] = {}
    for part, number in enumerate(island_of_part):
        parts.setdefault(number, []).append(part)
    chosen: dict[int, Place] = {}
    for members in sorted(parts.values(), key=len, reverse=True):
        for part in members:
            home = chosen[members[0]].island if members[0] in chosen else ""
            island = home if free.get(home) else max(free, key=lambda name: len(free[name]))
            chosen[part] = free[island].pop(0)
    return [chosen[part] for part in range(len(island_of_part))]


def _placed(
    template: Template, part_of: Any, places: Sequence[Place], warnings: Sequence[Problem]
) -> Placed:
    specs = PlacedSpecs(template.specs, part_of, [(one.node, one.island) for one in places])
    counts = np.bincount(part_of, minlength=len(places)).tolist()
    nodes = {one.node: count for one, count in zip(places, counts, strict=True) if count}
    return Placed(specs, nodes, warnings)
