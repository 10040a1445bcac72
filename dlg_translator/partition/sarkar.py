"""Sarkar's edge zeroing: heavy edges stay inside parts, which stay within their limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from dlg_translator.partition.contract import Division, check_positive
from dlg_translator.schedule.dag import Dag, Numbers, Rows
from dlg_translator.schedule.edge_zeroing import Needs, zero_edges
from dlg_translator.schedule.order import levels
from dlg_translator.schedule.paths import earliest_starts, times_to_end
from dlg_translator.schedule.polish import Scale, measures

SMALL = 10_000
"""Graphs up to so many rows are divided several times."""


@dataclass(frozen=True, kw_only=True)
class Sarkar:
    """Find how many parts are needed; a number of parts asked for is only a limit to that."""

    name: ClassVar[str] = "sarkar"
    max_cpu: int = 8
    """Processors that may be in use together in one part."""
    max_mem: float = 1000
    """Memory that may be in use together in one part, in GB; looked at only if it is given."""

    def __post_init__(self) -> None:
        check_positive(self, max_cpu=self.max_cpu, max_mem=self.max_mem)

    def divide(self, dag: Dag, parts: int | None) -> Division:
        """Return as many parts as the limits need, even if that is more than `parts`."""
        part_of = self._best(dag)
        found = int(part_of.max(initial=-1)) + 1
        if parts is None or found <= parts:
            return Division(part_of)
        told = f"{found} parts of {self.max_cpu} processors would be needed, {parts} are allowed"
        return Division(part_of, (told,))

    def _best(self, dag: Dag) -> Rows:
        """Return the best of several divisions of a small graph: edges are often equally heavy."""
        most = Needs(self.max_cpu, self.max_mem)
        tries = [zero_edges(dag, most)]
        if len(dag.src) and dag.n <= SMALL:
            tries += [zero_edges(dag, most, ties) for ties in _orders(dag)]
        if len(tries) == 1:
            return tries[0]
        cuts, times = measures(dag, tries)
        scale = Scale(float(cuts.min()) or 1.0, float(times.min()) or 1.0)
        return tries[int(scale.score(cuts, times).argmin())]


def _orders(dag: Dag) -> Iterator[Numbers]:
    """Yield orders of the edges: along the graph, against it, and by how urgent they are."""
    level = levels(dag)
    yield dag.src
    yield level[dag.src]
    yield -level[dag.src]
    through = earliest_starts(dag, dag.edge_weight) + dag.node_weight
    yield -(through[dag.src] + times_to_end(dag, dag.edge_weight)[dag.dst])
