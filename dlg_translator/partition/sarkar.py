"""Sarkar's edge zeroing: heavy edges stay inside parts, which stay within their limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dlg_translator.partition.contract import Division, check_positive
from dlg_translator.schedule.dag import Dag
from dlg_translator.schedule.edge_zeroing import Needs, zero_edges


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
        part_of = zero_edges(dag, Needs(self.max_cpu, self.max_mem))
        found = int(part_of.max(initial=-1)) + 1
        if parts is None or found <= parts:
            return Division(part_of)
        told = f"{found} parts of {self.max_cpu} processors would be needed, {parts} are allowed"
        return Division(part_of, (told,))
