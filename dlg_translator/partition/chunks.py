"""Pieces of a depth-first walk with better borders: needs no library, and knows directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dlg_translator.partition.contract import Division, check_range, if_fewer
from dlg_translator.schedule.chunks import depth_first_order, even_chunks, limits, refine
from dlg_translator.schedule.dag import Dag
from dlg_translator.schedule.quality import fair_load


@dataclass(frozen=True, kw_only=True)
class Chunks:
    """Keep pipelines whole; used in place of METIS where that is not installed."""

    name: ClassVar[str] = "chunks"
    max_load_imb: int = 90
    """From 1 to 100, how even loads must be, as for METIS."""

    def __post_init__(self) -> None:
        check_range(self, 1, 100, max_load_imb=self.max_load_imb)

    def divide(self, dag: Dag, parts: int | None) -> Division:
        """Return `parts` parts (one if None), or one a row where there are fewer rows."""
        wanted = max(min(parts or 1, dag.n), 1)
        load = fair_load(dag, wanted)
        part_of = even_chunks(depth_first_order(dag), load, wanted)
        bounds = limits(load, wanted, 1 + (101 - self.max_load_imb) / 1000)
        told = if_fewer(wanted, parts, "there are no more drops")
        return Division(refine(dag, part_of, wanted, bounds) if wanted > 1 else part_of, told)
