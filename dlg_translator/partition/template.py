"""A physical graph template divided into parts and islands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, overload

import numpy as np
import numpy.typing as npt

from dlg.graph.physical import PhysicalGraph
from dlg.graph.problems import Problem
from dlg_translator.model.spec_texts import HasTexts, text_of, texts_of
from dlg_translator.partition.objectives import Objectives, objectives
from dlg_translator.schedule.dag import Dag, Rows


class Template(Protocol):
    """What is asked of a template to be divided."""

    def __len__(self) -> int: ...

    @property
    def weights(self) -> npt.NDArray[np.int64]:
        """Of each drop: how long an app runs, how big data are."""
        ...

    @property
    def volumes(self) -> npt.NDArray[np.int64]:
        """Of each drop: how big data are, 0 for apps."""
        ...

    @property
    def edges(self) -> tuple[Rows, Rows]:
        """From which to which row each link goes."""
        ...

    @property
    def is_app(self) -> npt.NDArray[np.bool_]:
        """Whether each row is an app."""
        ...

    @property
    def num_cpus(self) -> npt.NDArray[Any]:
        """Processors each app needs."""
        ...

    @property
    def warnings(self) -> Sequence[Problem]:
        """What was found on the way here."""
        ...

    def to_dropspecs(self) -> list[dict[str, Any]]:
        """Return all specs, newly made."""
        ...

    @property
    def specs(self) -> Sequence[Mapping[str, Any]]:
        """All specs, which may be made when they are asked for."""
        ...

    def spec(self, row: int) -> dict[str, Any]:
        """Return the spec of a row."""
        ...

    def to_physical_graph(self) -> PhysicalGraph:
        """Return the graph for an engine."""
        ...


class PlacedSpecs(Sequence[Mapping[str, Any]]):
    """Specs with `node` and `island` added at the moment of asking."""

    def __init__(
        self, specs: Sequence[Mapping[str, Any]], part_of: Rows, places: Sequence[tuple[str, str]]
    ) -> None:
        self._specs, self._part_of, self._places = specs, part_of, places

    def __len__(self) -> int:
        return len(self._specs)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        node, island = self._places[self._part_of[index]]
        return {**self._specs[index], "node": node, "island": island}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        # All in turn may be much cheaper than asking for one after the other.
        for spec, part in zip(self._specs, self._part_of.tolist(), strict=True):
            node, island = self._places[part]
            yield {**spec, "node": node, "island": island}

    def texts(self) -> Iterator[list[str]]:
        """Yield the texts of all specs, many at a time, without closing braces."""
        if not isinstance(self._specs, HasTexts):  # they may have a node already
            yield from texts_of(iter(self))
            return
        ends = [
            f',"node":{text_of(node)},"island":{text_of(island)}' for node, island in self._places
        ]
        low = 0
        for texts in self._specs.texts():
            parts = self._part_of[low : low + len(texts)].tolist()
            yield [text + ends[part] for text, part in zip(texts, parts, strict=True)]
            low += len(texts)


@dataclass(frozen=True, eq=False)
class PartitionedTemplate:
    """A template and where its drops go: numbered nodes in numbered islands."""

    template: Template
    dag: Dag
    """The weights that were used."""
    node_of: Rows
    """The part of each drop."""
    island_of_part: Rows
    """The island of each part."""
    algo: str
    warnings: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.template)

    @property
    def num_parts(self) -> int:
        """How many parts there are."""
        return len(self.island_of_part)

    @property
    def num_islands(self) -> int:
        """How many islands there are."""
        return int(self.island_of_part.max(initial=-1)) + 1

    @cached_property
    def island_of(self) -> Rows:
        """The island of each drop."""
        return self.island_of_part[self.node_of]

    @cached_property
    def objectives(self) -> Objectives:
        """What the division is judged by."""
        return objectives(self.dag, self.node_of, self.algo, self.num_parts, self.num_islands)

    @cached_property
    def places(self) -> list[tuple[str, str]]:
        """The node and the island of each part, as they are written: `#k` and `#j`."""
        return [(f"#{k}", f"#{j}") for k, j in enumerate(self.island_of_part.tolist())]

    def spec(self, row: int) -> dict[str, Any]:
        """Return the spec of a row with its node and island."""
        node, island = self.places[self.node_of[row]]
        return {**self.template.spec(row), "node": node, "island": island}

    def to_dropspecs(self) -> list[dict[str, Any]]:
        """Return all specs with `node` and `island`."""
        specs, places = self.template.to_dropspecs(), self.places
        for spec, part in zip(specs, self.node_of.tolist(), strict=True):
            spec["node"], spec["island"] = places[part]
        return specs

    @property
    def specs(self) -> PlacedSpecs:
        """All specs with `node` and `island`, each made when it is asked for."""
        return PlacedSpecs(self.template.specs, self.node_of, self.places)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield all specs with `node` and `island`, none of which is kept."""
        return iter(self.specs)

    def to_physical_graph(
        self, part_of: Rows | None = None, places: Sequence[tuple[str, str]] = ()
    ) -> PhysicalGraph:
        """Return the graph with `node` and `island` in its specs, which are made when asked for.

        Without arguments these are the numbers of this division.
        """
        graph = self.template.to_physical_graph()
        part_of = self.node_of if part_of is None else part_of
        specs = PlacedSpecs(graph.specs, part_of, places or self.places)
        return replace(graph, specs=specs, warnings=self.warnings)
