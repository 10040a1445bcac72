"""METIS: the multilevel algorithm of Karypis and Kumar; the one place that knows pymetis.

METIS divides undirected graphs: an edge counts the same in both directions. Nodes weigh what their
app takes, data weigh 1, and no edge weighs less than 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from dlg.exceptions import MissingExtraError
from dlg_translator.partition.contract import Division, check_range, if_fewer
from dlg_translator.partition.undisturbed import divided
from dlg_translator.schedule.chunks import Limits, depth_first_order, even_chunks, limits
from dlg_translator.schedule.dag import (
    Dag,
    Numbers,
    Rows,
    grouped,
    sorted_places,
    starts,
    sums,
)
from dlg_translator.schedule.order import is_acyclic
from dlg_translator.schedule.polish import Scale, measures, polish, polish_chains
from dlg_translator.schedule.quality import cut_volume, fair_load, without_empty

if TYPE_CHECKING:
    from types import ModuleType

Polish = Callable[[Dag, Rows, int, Limits, Scale], Rows]

SMALL = 10_000
"""Graphs up to so many rows are divided several times."""
TRIES, MOST_TRIES, TRIED_ROWS = 4, 64, 40_000
"""At least and at most so many tries in each way, and fewer the more rows there are."""
POLISHED = 5_000
"""The best of them are polished up to so many rows: in more, moves of single rows do little."""
STARTS = 4
"""So many of the best tries are polished, beside the usual one and those best in one thing."""
HIGH = 90
"""Volumes are compared with what so many percent of the tries stay below."""
LATE = 1.2
"""So many times as long as the earliest try is late."""
MOST_WEIGHT = 2**30
"""Weights that were measured are scaled to whole numbers whose sum stays below this."""


@dataclass(frozen=True, kw_only=True)
class Metis:
    """Make what moves between parts small and their loads even, without regard to directions."""

    name: ClassVar[str] = "metis"
    min_goal: int = 0
    """0: few and thin edges between parts; 1: little total communication volume."""
    ptype: int = 0
    """0: all parts at once (k-way); 1: halves of halves."""
    max_load_imb: int = 90
    """From 1 to 100, how even loads must be: 100 allows 0.1 % more than the average, 90 1.1 %."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(self, 0, 1, min_goal=self.min_goal, ptype=self.ptype)
        check_range(self, 1, 100, max_load_imb=self.max_load_imb)
        check_range(self, 0, 2**31 - MOST_TRIES, seed=self.seed)

    def divide(self, dag: Dag, parts: int | None) -> Division:
        """Return at most `parts` parts, none empty; one if `parts` is None."""
        wanted = min(parts or 1, dag.n)
        if wanted <= 1:
            return Division(np.zeros(dag.n, np.int32), _told(wanted, parts))
        part_of, found = without_empty(divided(self, dag, wanted))
        return Division(part_of, _told(found, parts))

    def divide_here(self, dag: Dag, wanted: int) -> Rows:
        """Return parts found with the random numbers of this process, some perhaps empty."""
        pymetis = _pymetis()
        graph = undirected(dag, pymetis.zero_copy_dtype(), wanted)
        tries = list(self._tries(pymetis, graph, wanted))
        if len(tries) == 1:
            return tries[0]
        if is_acyclic(dag):
            simple = plain(dag, pymetis.zero_copy_dtype())
            usual = self._try(pymetis, simple, wanted, 0, recursive=self._recursive)
            return self._best(dag, [usual, *tries], graph.load)
        return min(tries, key=lambda part_of: cut_volume(dag, part_of))

    def _best(self, dag: Dag, tries: list[Rows], load: Numbers) -> Rows:
        """Return the division with the best balance of what moves and when it ends, polished.

        What is sought is at least as good as the first try, the usual call of METIS, in both.
        """
        parts = len(np.unique(tries[0]))
        tries = [*tries, even_chunks(depth_first_order(dag), load, parts)]
        cuts, times = measures(dag, tries)
        scale = Scale(float(np.percentile(cuts, HIGH)) or 1.0, float(times.min()) or 1.0)
        by_score = np.argsort(scale.score(cuts, times), kind="stable")[:STARTS].tolist()
        extremes = (np.lexsort((cuts, times))[0], np.lexsort((times, cuts))[0])
        # A usual call that ends late is not held on to when it comes to what moves.
        late = max(times[0] / (LATE * scale.time), 1.0)
        scale = replace(scale, usual=(cuts[0] * late or math.inf, times[0] or math.inf))
        if dag.n > POLISHED:
            return tries[int(scale.score(cuts, times).argmin())]
        chosen = sorted({0, *by_score, *map(int, extremes)})
        found = [self._polished(polish_chains, dag, tries[k], load, scale) for k in chosen]
        start = found[int(scale.score(*measures(dag, found)).argmin())]
        return self._polished(polish, dag, start, load, scale)

    def _polished(self, how: Polish, dag: Dag, part_of: Rows, load: Numbers, scale: Scale) -> Rows:
        part_of, found = without_empty(part_of)
        bounds = limits(load, found, 1 + (101 - self.max_load_imb) / 1000)
        return how(dag, part_of, found, bounds, scale)

    @property
    def _recursive(self) -> bool:
        return bool(self.ptype) and not self.min_goal  # volumes can only be looked at k-way

    def _tries(self, pymetis: ModuleType, graph: Undirected, parts: int) -> Iterator[Rows]:
        """Yield divisions: one of a big graph; of a small one many, found in both ways."""
        rows = len(graph.load)
        recursive = self._recursive
        yield self._try(pymetis, graph, parts, 0, recursive=recursive)
        if rows > SMALL:
            return
        more = min(max(TRIED_ROWS // max(rows, 1), TRIES), MOST_TRIES)
        for number in range(1, more):
            yield self._try(pymetis, graph, parts, number, recursive=recursive)
        for number in range(more if not self.min_goal else 0):
            yield self._try(pymetis, graph, parts, number, recursive=not recursive)

    def _try(
        self, pymetis: ModuleType, graph: Undirected, parts: int, number: int, *, recursive: bool
    ) -> Rows:
        options = pymetis.Options(ufactor=101 - self.max_load_imb, seed=self.seed + number)
        if self.min_goal:
            options.objtype = int(pymetis.ObjType.VOL)
        _, part_of = pymetis.part_graph(
            parts,
            pymetis.CSRAdjacency(graph.start, graph.other),
            vweights=graph.load,
            eweights=graph.volume,
            options=options,
            recursive=recursive,
        )
        return np.asarray(part_of, dtype=np.int32)


def _told(found: int, parts: int | None) -> tuple[str, ...]:
    return if_fewer(found, parts, "more would be empty")


def _pymetis() -> ModuleType:
    try:
        import pymetis  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("pymetis", "partition") from error
    return pymetis


@dataclass(frozen=True, slots=True)
class Undirected:
    """A graph as METIS wants it: every edge from both its ends, whole numbers above 0."""

    start: npt.NDArray[Any]
    other: npt.NDArray[Any]
    load: npt.NDArray[Any]
    volume: npt.NDArray[Any]


def undirected(dag: Dag, dtype: np.dtype[Any], parts: int) -> Undirected:
    """Return `dag` without directions; edges between the same two rows become one.

    No row weighs more than a fair part: where one did, METIS would balance nothing else.
    """
    volume = np.maximum(_whole(dag.edge_weight), 1)
    rows = np.concatenate([dag.src, dag.dst])
    others = np.concatenate([dag.dst, dag.src])
    key = rows.astype(np.int64) * dag.n + others
    order = sorted_places(key)
    key, volumes = key[order], np.tile(volume, 2)[order]
    rows, others = rows[order], others[order]
    first = np.diff(key, prepend=-1) > 0
    if not first.all():
        volumes = sums(np.cumsum(first) - 1, volumes, int(first.sum()))
        rows, others = rows[first], others[first]
    apart = rows != others
    if not apart.all():
        rows, others, volumes = rows[apart], others[apart], volumes[apart]
    load = np.maximum(_whole(fair_load(dag, parts)), dag.node_weight > 0)
    columns = (starts(rows, dag.n), others, load, volumes)
    return Undirected(*(np.ascontiguousarray(column, dtype=dtype) for column in columns))


def plain(dag: Dag, dtype: np.dtype[Any]) -> Undirected:
    """Return `dag`, which has no cycle, without directions and otherwise as it is.

    Neighbours come in the order of the links, and rows weigh what they weigh.
    """
    links = grouped(dag.src)
    ends = np.stack([dag.src[links], dag.dst[links]], axis=1)
    rows, others = ends.ravel(), ends[:, ::-1].ravel()
    order = grouped(rows)
    volumes = np.maximum(_whole(dag.edge_weight), 1)[links].repeat(2)
    load = np.where(dag.is_app, _whole(dag.node_weight), 1)
    columns = (starts(rows, dag.n), others[order], load, volumes[order])
    return Undirected(*(np.ascontiguousarray(column, dtype=dtype) for column in columns))


def _whole(weights: Numbers) -> Numbers:
    total = float(weights.sum())
    if weights.dtype.kind != "f" and total < 2 * MOST_WEIGHT:
        return weights
    return np.ceil(weights * (MOST_WEIGHT / max(total, 1e-300)) - 1e-9).astype(np.int64)
