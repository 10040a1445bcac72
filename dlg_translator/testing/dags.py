"""Small graphs and templates for tests of what divides and maps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlg.graph.physical import DropKind, Links, LinkTable, PhysicalGraph
from dlg.graph.problems import Problem
from dlg_translator.schedule.dag import Bools, Dag, Ints, Rows


@dataclass(frozen=True, eq=False)
class ArrayTemplate:
    """A template made of plain columns: what partitioners and mapping ask of one."""

    is_app: Bools
    edges: tuple[Rows, Rows]
    weights: Ints
    num_cpus: Ints
    extra: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """What the specs of some rows have beside the usual."""
    warnings: Sequence[Problem] = ()

    def __len__(self) -> int:
        return len(self.is_app)

    @property
    def volumes(self) -> Ints:
        """How big data are; 0 for apps."""
        return np.where(self.is_app, 0, self.weights)

    def spec(self, row: int) -> dict[str, Any]:
        """Return the spec of a row."""
        kind = "Application" if self.is_app[row] else "Data"
        common = {"oid": f"d{row}", "lg_key": f"k{row % 7}", "categoryType": kind}
        return common | dict(self.extra.get(row, {}))

    @property
    def specs(self) -> list[dict[str, Any]]:
        """All specs."""
        return self.to_dropspecs()

    def to_dropspecs(self) -> list[dict[str, Any]]:
        """Return all specs."""
        return [self.spec(row) for row in range(len(self))]

    def to_physical_graph(self) -> PhysicalGraph:
        """Return the graph, with its links."""
        src, dst = self.edges
        from_app = self.is_app[src]
        return PhysicalGraph(
            oids=[f"d{row}" for row in range(len(self))],
            kinds=bytes(np.where(self.is_app, DropKind.APP, DropKind.DATA).astype(np.uint8)),
            class_names=["dlg.data.memory.InMemoryDROP", "dlg.apps.null.NullApp"],
            class_ids=self.is_app.astype(int).tolist(),
            links=Links(
                consumers=LinkTable(src[~from_app], dst[~from_app]),
                outputs=LinkTable(src[from_app], dst[from_app]),
            ),
            specs=self.to_dropspecs(),
        )


def template_of(dag: Dag) -> ArrayTemplate:
    """Return a template with the drops of `dag`; data weigh what the links at them do."""
    weights = np.where(dag.is_app, dag.node_weight, 1).astype(np.int64)
    for end in (dag.src, dag.dst):
        data = ~dag.is_app[end]
        weights[end[data]] = dag.edge_weight[data]
    return ArrayTemplate(dag.is_app, (dag.src, dag.dst), weights, dag.num_cpus)


def pipelines(copies: int, stages: int = 3, time: int = 5, volume: int = 5) -> Dag:
    """Return data that feed `copies` pipelines of `stages` apps each, and an app that gathers."""
    length = 2 * stages
    heads = 1 + length * np.arange(copies)
    gather = 1 + length * copies
    one = np.array([gather])
    src = [np.zeros_like(heads), *(heads + j for j in range(length)), one]
    dst = [heads, *(heads + j for j in range(1, length)), np.full_like(heads, gather), one + 1]
    n = gather + 2
    is_app = np.zeros(n, np.bool_)
    is_app[1:gather] = np.arange(gather - 1) % 2 == 0
    is_app[gather] = True
    rows = np.concatenate(src).astype(np.int32)
    return Dag(
        n,
        rows,
        np.concatenate(dst).astype(np.int32),
        np.where(is_app, time, 0),
        np.full(len(rows), volume),
        is_app,
        is_app.astype(np.int64),
    )


def random_dag(rows: int, edges: int, seed: int = 0) -> Dag:
    """Return a graph of apps with random edges, times and volumes."""
    random = np.random.default_rng(seed)
    ends = np.sort(random.integers(0, rows, (2, edges)), axis=0).astype(np.int32)
    pairs = np.unique(ends[:, ends[0] < ends[1]], axis=1)
    times: Ints = random.integers(1, 10, (rows,))
    volumes: Ints = random.integers(1, 10, (pairs.shape[1],))
    apps, cpus = np.ones(rows, np.bool_), np.ones(rows, np.int64)
    return Dag(rows, pairs[0], pairs[1], times, volumes, apps, cpus)


def chain(length: int) -> Dag:
    """Return `length` rows one after the other, data and apps by turns."""
    is_app = np.arange(length) % 2 == 1
    src = np.arange(max(length - 1, 0), dtype=np.int32)
    volumes = np.full(len(src), 5)
    times = np.where(is_app, 5, 0)
    return Dag(length, src, src + 1, times, volumes, is_app, is_app.astype(np.int64))
