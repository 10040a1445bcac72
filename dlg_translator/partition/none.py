"""No division: everything in one part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from dlg_translator.partition.contract import Division, if_fewer
from dlg_translator.schedule.dag import Dag


@dataclass(frozen=True, kw_only=True)
class Undivided:
    """Put all rows into one part, however many were asked for."""

    name: ClassVar[str] = "none"

    def divide(self, dag: Dag, parts: int | None) -> Division:
        """Return one part."""
        told = if_fewer(1, parts, "the algorithm none divides nothing")
        return Division(np.zeros(dag.n, np.int32), told)
