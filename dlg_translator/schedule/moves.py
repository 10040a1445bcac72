"""Moves of single rows at the borders of parts, and what each gains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dlg_translator.schedule.dag import Dag, Ints, Numbers, Rows, sums


@dataclass(frozen=True, slots=True)
class Moves:
    """Row `rows[k]` goes to part `targets[k]`, and `gains[k]` less moves between parts."""

    rows: Ints
    targets: Rows
    gains: Numbers

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, chosen: npt.NDArray[Any]) -> Moves:
        """Return some of the moves, by place or by yes and no."""
        return Moves(self.rows[chosen], self.targets[chosen], self.gains[chosen])


def neighbour_moves(dag: Dag, part_of: Rows, parts: int) -> Moves:
    """Return the moves of all rows at borders to each of the parts they exchange with."""
    between = part_of[dag.src] != part_of[dag.dst]
    border = np.zeros(dag.n, np.bool_)
    border[dag.src[between]] = border[dag.dst[between]] = True
    near = border[dag.src] | border[dag.dst]
    src, dst, volume = dag.src[near], dag.dst[near], dag.edge_weight[near]
    rows, others = np.concatenate([src, dst]), np.concatenate([dst, src])
    pairs, at = np.unique(rows.astype(np.int64) * parts + part_of[others], return_inverse=True)
    exchange = sums(at, np.concatenate([volume, volume]), len(pairs))
    row, part = pairs // parts, (pairs % parts).astype(np.int32)
    at_home = part == part_of[row]
    home = np.zeros(dag.n, exchange.dtype)
    home[row[at_home]] = exchange[at_home]
    away = ~at_home & border[row]
    return Moves(row[away], part[away], exchange[away] - home[row[away]])
