"""Better parts for small graphs: less that moves and an earlier end, at the same time.

A tabu search: in each round many moves of one row to a part next to it are judged together, the
best is made even if it is for the worse, and the row rests for a while, so that the search leaves
places where no single move helps. The best division met is kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlg_translator.schedule.chunks import Limits
from dlg_translator.schedule.contraction import contract_chains
from dlg_translator.schedule.dag import Bools, Dag, Numbers, Rows, sums
from dlg_translator.schedule.moves import Moves, neighbour_moves
from dlg_translator.schedule.order import waves
from dlg_translator.schedule.paths import (
    cut_costs,
    earliest_starts,
    finish_times,
    times_to_end,
)
from dlg_translator.schedule.quality import cut_volume

MOVES = 48
"""So many moves are judged in a round."""
ROUNDS = 60
LEAST_ROUNDS = 12
"""With fewer rounds than so many a search is not worth its time."""
WORK = 3_000_000
"""Edges looked at in all rounds and moves together: some hundredths of a second."""
LEVEL_COST = 40
"""What a level costs more than its edges, in edges of one move."""
SUM_COUNTS = 0.1
MEAN_COUNTS = 0.1
BEYOND_COUNTS = 5
FEW = 4
"""Parts of fewer rows than so many on average may be emptied: fewer parts may be as good."""
REST = 7
"""For so many rounds a row that was moved stays."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a volume and a time are compared with, so that both can be added."""

    cut: float
    time: float
    usual: tuple[float, float] = (math.inf, math.inf)
    """A volume and a time; a division ought to come up to both."""

    def score(self, cut: Numbers | float, time: Numbers | float) -> Numbers:
        """Return what is to be made small: mostly the worse of both, so that none is paid for.

        What is worse than usual in one of them is hardly made good by the other.
        """
        moved, length = np.asarray(cut / self.cut), np.asarray(time / self.time)
        beyond = np.maximum(cut / self.usual[0], time / self.usual[1]) - 1
        worse = np.maximum(moved, length) + BEYOND_COUNTS * np.maximum(beyond, 0)
        return np.asarray(worse + SUM_COUNTS * (moved + length))


def measures(dag: Dag, divisions: Sequence[Rows]) -> tuple[Numbers, Numbers]:
    """Return for each division what moves and when all is done, which counts as later if rows do.

    Where many paths are equally long no single move shortens all; the average shows the way.
    Raises `CycleError` if there is a cycle.
    """
    moved = np.asarray([cut_volume(dag, part_of) for part_of in divisions])
    return moved, _times(dag, np.stack(divisions))


def _times(dag: Dag, assignments: Rows) -> Numbers:
    finish = finish_times(dag, assignments)
    return np.asarray(finish.max(axis=0, initial=0) + MEAN_COUNTS * finish.mean(axis=0))


def polish(dag: Dag, part_of: Rows, parts: int, bounds: Limits, scale: Scale) -> Rows:
    """Return parts of a graph without cycles with at most the score of `part_of`.

    Loads stay within bounds. A graph that is too big for the search to get anywhere comes back as
    it is.
    """
    if parts < 2 or not len(dag.src):  # noqa: PLR2004
        return part_of
    search = _Search(dag, part_of.copy(), parts, bounds, scale)
    rounds = min(ROUNDS, WORK // search.cost_of_round())
    for turn in range(rounds if rounds >= LEAST_ROUNDS else 0):
        search.step(turn)
    return search.best


def polish_chains(dag: Dag, part_of: Rows, parts: int, bounds: Limits, scale: Scale) -> Rows:
    """Return parts like `polish`, but chains inside a part move as a whole.

    That is cheaper, and rows that only make sense together need not cross a border one by one.
    """
    small = contract_chains(dag, part_of)
    load = Limits(sums(small.node_of, bounds.load, small.dag.n), bounds.most)
    found = polish(small.dag, small.cluster_of, parts, load, scale)
    return found[small.node_of]


class _Search:
    def __init__(self, dag: Dag, part_of: Rows, parts: int, bounds: Limits, scale: Scale) -> None:
        self.dag, self.parts, self.bounds, self.scale = dag, parts, bounds, scale
        self.part_of = self.best = part_of
        moved, times = measures(dag, [part_of])
        self.cut = float(moved[0])
        self.best_score = float(scale.score(moved, times)[0])
        self.load = sums(part_of, bounds.load, parts).astype(np.float64)
        self.size = np.bincount(part_of, minlength=parts)
        self.resting = np.full(dag.n, -1)
        self.least = 1 if dag.n < FEW * parts else 2
        """How many rows a part must have so that one may leave it."""

    def cost_of_round(self) -> int:
        return MOVES * (len(self.dag.src) + LEVEL_COST * len(waves(self.dag)))

    def step(self, turn: int) -> None:
        """Make the best move there is, if any."""
        moves = self._moves(turn)
        if not len(moves):
            return
        trials = np.repeat(self.part_of[None, :], len(moves), axis=0)
        trials[np.arange(len(moves)), moves.rows] = moves.targets
        scores = self.scale.score(self.cut - moves.gains, _times(self.dag, trials))
        choice = int(scores.argmin())
        row, target = int(moves.rows[choice]), int(moves.targets[choice])
        here = int(self.part_of[row])
        self.load[[here, target]] += self.bounds.load[row] * np.array([-1, 1])
        self.size[[here, target]] += [-1, 1]
        self.part_of = trials[choice]
        self.cut -= moves.gains[choice]
        self.resting[row] = turn + min(REST, self.dag.n // 2)
        if scores[choice] < self.best_score - 1e-12:  # rounding is no progress
            self.best, self.best_score = self.part_of, float(scores[choice])

    def _moves(self, turn: int) -> Moves:
        """Return the most promising moves: those on the longest path, and those that gain most."""
        moves = neighbour_moves(self.dag, self.part_of, self.parts)
        here = self.part_of[moves.rows]
        after = self.load[moves.targets] + self.bounds.load[moves.rows]
        allowed = (after <= self.bounds.most) | (after <= self.load[here])
        moves = moves.only(
            allowed & (self.size[here] >= self.least) & (self.resting[moves.rows] < turn)
        )
        if len(moves) <= MOVES:
            return moves
        urgent = self._on_longest_path()[moves.rows]
        first = np.lexsort((moves.rows, -moves.gains))[: MOVES // 2]
        second = np.lexsort((moves.rows, -moves.gains, ~urgent))[: MOVES // 2]
        return moves.only(np.unique(np.concatenate([first, second])))

    def _on_longest_path(self) -> Bools:
        """Return which rows are at a link between parts on a longest path."""
        dag, cost = self.dag, cut_costs(self.dag, self.part_of)
        start = earliest_starts(dag, cost)
        left = times_to_end(dag, cost)
        through = start[dag.src] + dag.node_weight[dag.src] + cost + left[dag.dst]
        tight = (cost > 0) & (through >= through.max())
        urgent = np.zeros(dag.n, np.bool_)
        urgent[dag.src[tight]] = urgent[dag.dst[tight]] = True
        return urgent
