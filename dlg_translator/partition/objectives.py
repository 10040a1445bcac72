"""What a division is judged by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dlg_translator.schedule.antichain import antichain
from dlg_translator.schedule.dag import Dag, Rows
from dlg_translator.schedule.order import is_acyclic
from dlg_translator.schedule.parallelism import usage
from dlg_translator.schedule.paths import completion
from dlg_translator.schedule.quality import balance, cut_edges, cut_volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """Figures of a divided graph; those that need an order are None if it has cycles."""

    algo: str
    total_data_movement: float
    """The volume that moves between parts."""
    cut_edges: int
    """The links between parts."""
    balance: float
    """The biggest load of a part over the average."""
    exec_time: float | None
    """The longest path: its apps and the volumes that move along it."""
    min_exec_time: float | None
    """The longest path if nothing has to move."""
    peak_parallelism: int | None
    """Processors in use at the busiest moment, if everything starts as early as it can."""
    antichain: int | None
    """Processors that could ever be in use together."""
    antichain_method: str | None
    """`dilworth` if that is exact; otherwise where the bound from below comes from."""
    num_parts: int
    num_islands: int

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values for JSON."""
        return asdict(self)


def objectives(dag: Dag, part_of: Rows, algo: str, parts: int, islands: int) -> Objectives:
    """Return the figures of a division of `dag`."""
    ordered = is_acyclic(dag)
    together = antichain(dag) if ordered else None
    return Objectives(
        algo=algo,
        total_data_movement=cut_volume(dag, part_of),
        cut_edges=cut_edges(dag, part_of),
        balance=balance(dag, part_of, parts),
        exec_time=completion(dag, part_of) if ordered else None,
        min_exec_time=completion(dag) if ordered else None,
        peak_parallelism=usage(dag).peak if ordered else None,
        antichain=together.weight if together else None,
        antichain_method=together.method if together else None,
        num_parts=parts,
        num_islands=islands,
    )
