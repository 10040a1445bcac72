"""A physical graph template: entities, how many instances each has, and links as integer arrays.

A drop is a row; the rows of an entity are consecutive, in the order of their indices. Nothing
else exists per drop until a dropspec is asked for or written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from dlg.graph.categories import canonical
from dlg.graph.physical import DropKind, Links, LinkTable, PhysicalGraph
from dlg.graph.problems import Problem
from dlg.support import garbage
from dlg_translator.model.dropspecs import LazySpecs, Spec, SpecMaker
from dlg_translator.model.instance_names import InstanceNames
from dlg_translator.model.pairs import Rows, WirePairs
from dlg_translator.model.plan import Entity, Plan
from dlg_translator.model.specs import names_of


@dataclass(frozen=True)
class PhysicalTemplate:
    """What a logical graph unrolls to, before it is divided and mapped."""

    plan: Plan
    pairs: Sequence[WirePairs]
    oid_prefix: str = "1"
    source: str = "<graph>"
    warnings: tuple[Problem, ...] = ()
    compat: bool = False
    """Whether dropspecs carry every key the existing engine's files carry."""
    entities: Sequence[Entity] = field(init=False)
    starts: Sequence[int] = field(init=False)
    """The first row of each entity, and at the end the number of rows."""

    def __post_init__(self) -> None:
        entities = list(self.plan.entities.values())
        counts = [self.plan.count(entity.path) for entity in entities]
        starts = [0, *np.cumsum(counts).tolist()]
        object.__setattr__(self, "entities", entities)
        object.__setattr__(self, "starts", starts)

    def __len__(self) -> int:
        return self.starts[-1]

    # -- columns --------------------------------------------------------------------------

    def _spread(self, values: Sequence[Any], dtype: Any) -> npt.NDArray[Any]:
        """Return a column from one value an entity."""
        return np.repeat(np.asarray(values, dtype=dtype), np.diff(self.starts))

    @cached_property
    def is_app(self) -> npt.NDArray[np.bool_]:
        """Whether each row is an app."""
        return self._spread([e.is_app for e in self.entities], bool)

    @cached_property
    def weights(self) -> npt.NDArray[np.int64]:
        """Of each row: execution time of an app, volume of data."""
        return self._spread([e.weight for e in self.entities], np.int64)

    @cached_property
    def volumes(self) -> npt.NDArray[np.int64]:
        """Of each row: volume of data, 0 for apps."""
        return self._spread([0 if e.is_app else e.weight for e in self.entities], np.int64)

    @cached_property
    def num_cpus(self) -> npt.NDArray[np.int32]:
        """Of each row: processors an app needs, 0 for data."""
        return self._spread([e.num_cpus if e.is_app else 0 for e in self.entities], np.int32)

    @cached_property
    def edges(self) -> tuple[Rows, Rows]:
        """From which to which row each link goes."""
        none = np.empty(0, np.int32)
        src = np.concatenate([none, *(p.src for p in self.pairs)])
        dst = np.concatenate([none, *(p.dst for p in self.pairs)])
        return src, dst

    @property
    def n_data(self) -> int:
        """How many data drops there are."""
        return _number_of(self, "Data")

    @property
    def n_app(self) -> int:
        """How many app drops there are."""
        return _number_of(self, "Application")

    @cached_property
    def n_edges(self) -> int:
        """How many links there are, two drops that are linked twice counted once."""
        src, dst = self.edges
        return len(np.unique(src.astype(np.int64) * max(1, len(self)) + dst))

    # -- dropspecs ------------------------------------------------------------------------

    @cached_property
    def _names(self) -> InstanceNames:
        return InstanceNames(self.plan, self.entities, self.starts, self.oid_prefix)

    @cached_property
    def _maker(self) -> SpecMaker:
        return SpecMaker(
            self.plan, self.entities, self.starts, self.pairs, self._names, compat=self.compat
        )

    @cached_property
    def oids(self) -> list[str]:
        """Return all oids, by row."""
        return self._names.all_oids()

    def spec(self, row: int) -> Spec:
        """Return the dropspec of a row."""
        return self._maker.one(row)

    @cached_property
    def specs(self) -> Sequence[Mapping[str, Any]]:
        """All dropspecs, each made when it is asked for."""
        return LazySpecs(self._maker, len(self), len(self.entities))

    def iter_specs(self) -> Iterator[Spec]:
        """Yield all dropspecs in the order of rows."""
        for number in range(len(self.entities)):
            yield from self._maker.of_entity(number)

    def to_dropspecs(self) -> list[Spec]:
        """Return all dropspecs."""
        with garbage.held_off():
            return list(self.iter_specs())

    # -- to an engine ---------------------------------------------------------------------

    def to_physical_graph(self) -> PhysicalGraph:
        """Return the graph for an engine; dropspecs are made when a drop needs its own."""
        names = names_of(self.entities)
        index = {name: place for place, name in enumerate(names)}
        ids = self._spread([index[e.dropclass] for e in self.entities], np.int32)
        kinds = np.where(self.is_app, int(DropKind.APP), int(DropKind.DATA)).astype(np.uint8)
        return PhysicalGraph(
            oids=self.oids,
            kinds=kinds.tobytes(),
            class_names=[canonical(name) for name in names],
            class_ids=ids.tolist(),
            links=Links(
                consumers=_table(self, lambda p: p.to_app and not p.wire.streaming),
                streaming_consumers=_table(self, lambda p: p.to_app and p.wire.streaming),
                outputs=_table(self, lambda p: not p.to_app),
            ),
            specs=self.specs,
            source=self.source,
            warnings=self.warnings,
        )

    def __repr__(self) -> str:
        return f"<PhysicalTemplate of {json.dumps(self.source)}: {len(self)} drops>"


def _number_of(template: PhysicalTemplate, category_type: str) -> int:
    """Return how many rows are of a category type."""
    counts = np.diff(template.starts).tolist()
    rows = zip(template.entities, counts, strict=True)
    return sum(count for entity, count in rows if entity.category_type == category_type)


def _table(template: PhysicalTemplate, test: Callable[[WirePairs], bool]) -> LinkTable:
    """Return the links of the wires that pass `test`, each once."""
    chosen = [p for p in template.pairs if test(p)]
    if not chosen:
        return LinkTable()
    src = np.concatenate([p.src for p in chosen])
    dst = np.concatenate([p.dst for p in chosen])
    _, first = np.unique(src.astype(np.int64) * len(template) + dst, return_index=True)
    if len(first) < len(src):
        first.sort()
        src, dst = src[first], dst[first]
    return LinkTable(src, dst)
