"""Particle swarm: groups of drops drift between parts until the graph is done earliest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dlg_translator.partition.contract import Division, check_positive, check_range, if_fewer
from dlg_translator.schedule.chunks import depth_first_order, even_chunks
from dlg_translator.schedule.dag import Dag
from dlg_translator.schedule.order import waves
from dlg_translator.schedule.quality import fair_load, without_empty
from dlg_translator.schedule.swarm import Flight, Judge, fly

MOST_WORK = 10**9
"""Edges and levels looked at in all rounds together: about a minute."""
LEVEL_COST = 300
"""What a level costs more than its edges, in edges."""
WHY = "more would not be faster"


@dataclass(frozen=True, kw_only=True)
class ParticleSwarm:
    """Make the completion time small, with the processors of a part in mind."""

    name: ClassVar[str] = "pso"
    topk: int = 256
    """Into how many groups of drops the graph is cut; each is moved as a whole."""
    swarm_size: int = 40
    """How many divisions are tried at once."""
    iterations: int = 60
    """For how many rounds; fewer if the graph is so big that they would take very long."""
    max_cpu: int = 8
    """Processors of a part."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_positive(self, topk=self.topk, iterations=self.iterations, max_cpu=self.max_cpu)
        check_range(self, 2, float("inf"), swarm_size=self.swarm_size)
        check_range(self, 0, float("inf"), seed=self.seed)

    def divide(self, dag: Dag, parts: int | None) -> Division:
        """Return at most `parts` parts (one if None), none of them empty."""
        wanted = max(min(parts or 1, dag.n), 1)
        if wanted == 1:
            return Division(np.zeros(dag.n, np.int32), if_fewer(wanted, parts, WHY))
        groups = max(min(self.topk, dag.n), wanted)
        load = fair_load(dag, groups)
        group_of = even_chunks(depth_first_order(dag), load, groups)
        judge = Judge(dag, group_of, groups, self.max_cpu)
        first = (np.arange(groups) * wanted // groups).astype(np.int32)
        rounds = min(self.iterations, self._affordable(judge))
        flight = Flight(self.swarm_size, rounds, self.max_cpu, self.seed)
        best = fly(judge, first, wanted, flight)
        part_of, found = without_empty(best[group_of])
        told = if_fewer(found, parts, WHY)
        if rounds < self.iterations:
            told += (f"{rounds} iterations instead of {self.iterations}: the graph is big",)
        return Division(part_of, told)

    def _affordable(self, judge: Judge) -> int:
        small = judge.small.dag
        work = len(small.src) * self.swarm_size + len(waves(small)) * LEVEL_COST
        return max(MOST_WORK // max(work, 1), 1)
