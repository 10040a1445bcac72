"""Simulated annealing: begin with pieces of a depth-first walk and move single drops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dlg_translator.partition.contract import Division, check_positive, check_range, if_fewer
from dlg_translator.schedule.annealing import Cooling, anneal
from dlg_translator.schedule.chunks import depth_first_order, even_chunks, limits
from dlg_translator.schedule.dag import Dag
from dlg_translator.schedule.quality import fair_load

MOVES_PER_ROW = 100
MOST_MOVES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Annealing:
    """Make what moves between parts small, at a cost in time that the number of steps sets."""

    name: ClassVar[str] = "annealing"
    max_load_imb: int = 90
    """From 1 to 100, how even loads must be, as for METIS."""
    steps: int = 0
    """How many moves are tried; 0: a hundred for each drop, at most a million."""
    temperature: float = 1.0
    """How much worse a move may be at first, in mean volumes of a link."""
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(self, 1, 100, max_load_imb=self.max_load_imb)
        check_range(self, 0, float("inf"), steps=self.steps, seed=self.seed)
        check_positive(self, temperature=self.temperature)

    def divide(self, dag: Dag, parts: int | None) -> Division:
        """Return `parts` parts (one if None), or one a row where there are fewer rows."""
        wanted = max(min(parts or 1, dag.n), 1)
        load = fair_load(dag, wanted)
        bounds = limits(load, wanted, 1 + (101 - self.max_load_imb) / 1000)
        first = even_chunks(depth_first_order(dag), load, wanted)
        steps = self.steps or min(MOVES_PER_ROW * dag.n, MOST_MOVES)
        part_of = anneal(dag, first, wanted, bounds, Cooling(steps, self.temperature, self.seed))
        told = if_fewer(wanted, parts, "there are no more drops")
        return Division(part_of, told)
