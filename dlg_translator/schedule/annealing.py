"""Simulated annealing: move single rows between parts, at first also for the worse.

What is made small is the volume between parts; loads stay within limits all the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dlg_translator.schedule.chunks import Limits
from dlg_translator.schedule.dag import Dag, Numbers, Rows, grouped, starts, sums
from dlg_translator.schedule.quality import cut_volume

BATCH = 1 << 16
COLDEST = 1e-3


@dataclass(frozen=True, slots=True)
class Cooling:
    """How many moves are tried, from which temperature (in mean edge volumes), and the seed."""

    steps: int
    temperature: float = 1.0
    seed: int = 0


class _State:
    def __init__(self, dag: Dag, part_of: Rows, parts: int, bounds: Limits) -> None:
        # Both directions of every edge: a row is drawn to all its neighbours alike.
        rows = np.concatenate([dag.src, dag.dst])
        order = grouped(rows)
        self.start: list[int] = starts(rows, dag.n).tolist()
        self.other: list[int] = np.concatenate([dag.dst, dag.src])[order].tolist()
        self.volume: list[float] = np.tile(dag.edge_weight, 2)[order].tolist()
        degree = np.bincount(rows, minlength=dag.n)
        self.turning = degree[dag.src] / (degree[dag.src] + degree[dag.dst])
        self.part: list[int] = part_of.tolist()
        self.load: list[float] = bounds.load.tolist()
        self.most = bounds.most
        self.part_load: list[float] = sums(part_of, bounds.load, parts).tolist()
        self.size: list[int] = np.bincount(part_of, minlength=parts).tolist()

    def loss(self, row: int, target: int) -> float:
        """Return how much more moves between parts once `row` is in part `target`."""
        change, here = 0.0, self.part[row]
        for place in range(self.start[row], self.start[row + 1]):
            part = self.part[self.other[place]]
            if part == here:
                change += self.volume[place]
            elif part == target:
                change -= self.volume[place]
        return change

    def allows(self, row: int, target: int) -> bool:
        """Return whether moving `row` keeps its part in being and the target within limits."""
        here, load = self.part[row], self.load[row]
        if self.size[here] == 1:
            return False
        after = self.part_load[target] + load
        return after <= self.most or after <= self.part_load[here]

    def move(self, row: int, target: int) -> None:
        here, load = self.part[row], self.load[row]
        self.part_load[here] -= load
        self.part_load[target] += load
        self.size[here] -= 1
        self.size[target] += 1
        self.part[row] = target


def anneal(dag: Dag, part_of: Rows, parts: int, bounds: Limits, cooling: Cooling) -> Rows:
    """Return the best parts met on the way; never more volume between them than at the start."""
    if parts < 2 or not len(dag.src):  # noqa: PLR2004
        return part_of
    state = _State(dag, part_of, parts, bounds)
    random = np.random.default_rng(cooling.seed)
    hot = cooling.temperature * float(dag.edge_weight.mean()) or 1.0
    cut = best_cut = float(cut_volume(dag, part_of))
    best = part_of
    for first in range(0, cooling.steps, BATCH):
        count = min(BATCH, cooling.steps - first)
        heat = hot * COLDEST ** ((first + np.arange(count)) / cooling.steps)
        cut += _batch(state, dag, random, heat)
        if cut < best_cut:
            best, best_cut = np.asarray(state.part, np.int32), cut
    return best


def _batch(state: _State, dag: Dag, random: np.random.Generator, heat: Numbers) -> float:
    """Try a move for each temperature, along random edges; return the change of the volume."""
    count = len(heat)
    edges = random.integers(0, len(dag.src), count)
    # The end with fewer edges is moved more often: what a move changes is found by looking at all
    # edges of a row, and this keeps that short on average, whatever hubs there are.
    turned = random.random(count) < state.turning[edges]
    rows = np.where(turned, dag.dst[edges], dag.src[edges]).tolist()
    others = np.where(turned, dag.src[edges], dag.dst[edges]).tolist()
    luck = (-np.log(1.0 - random.random(count)) * heat).tolist()
    change = 0.0
    for row, other, most in zip(rows, others, luck, strict=True):
        target = state.part[other]
        if target == state.part[row] or not state.allows(row, target):
            continue
        loss = state.loss(row, target)
        if loss <= most and not math.isnan(loss):
            state.move(row, target)
            change += loss
    return change
