"""Sarkar's edge zeroing: start with a part a row, and merge along the heaviest edges first.

Two parts become one only if what they could run at the same time stays within limits. That is
estimated by levels: apps of one level never wait for each other, so a part needs at least what
each of its levels needs. A part keeps its needs by level; merging adds the smaller part to the
bigger one, so that all merges together take n log n steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dlg_translator.schedule.dag import Dag, Numbers, Rows
from dlg_translator.schedule.order import checked_levels
from dlg_translator.schedule.quality import without_empty

OPEN_PARTS = 32
"""To so many parts a small one may be added when parts are packed together at the end."""


class Needs(NamedTuple):
    """Processors and memory."""

    cpus: float
    memory: float


@dataclass(slots=True)
class _Part:
    """What a part needs at each level."""

    levels: dict[int, Needs]
    rows: int = 1

    def fits(self, other: _Part, most: Needs) -> bool:
        small, big = sorted((self.levels, other.levels), key=len)
        for level, needs in small.items():
            there = big.get(level)
            if there is not None and (
                needs.cpus + there.cpus > most.cpus or needs.memory + there.memory > most.memory
            ):
                return False
        return True

    def absorb(self, other: _Part) -> None:
        """Take over what `other` needs; it must not be used afterwards."""
        small, big = sorted((self.levels, other.levels), key=len)
        for level, needs in small.items():
            there = big.get(level)
            big[level] = needs if there is None else (
                Needs(needs.cpus + there.cpus, needs.memory + there.memory)
            )  # fmt: skip
        self.levels = big
        self.rows += other.rows


class _Merging:
    def __init__(self, dag: Dag, most: Needs) -> None:
        level = checked_levels(dag).tolist()
        memory = [0.0] * dag.n if dag.memory is None else dag.memory.tolist()
        self.most = most
        self.parent = list(range(dag.n))
        self.parts = [
            _Part({at: Needs(cpus, space)} if cpus or space else {})
            for at, cpus, space in zip(level, dag.num_cpus.tolist(), memory, strict=True)
        ]
        self.refused: set[tuple[int, int, int, int]] = set()

    def root(self, row: int) -> int:
        parent = self.parent
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def merge(self, one: int, other: int) -> bool:
        """Merge two parts given by their roots, unless that goes beyond the limits."""
        first, second = self.parts[one], self.parts[other]
        trial = (one, other, first.rows, second.rows)
        if trial in self.refused:
            return False
        if not first.fits(second, self.most):
            self.refused.add(trial)
            return False
        if first.rows < second.rows:
            one, other, first, second = other, one, second, first
        self.parent[other] = one
        first.absorb(second)
        return True


def zero_edges(dag: Dag, most: Needs, ties: Numbers | None = None) -> Rows:
    """Return the part of each row, numbered without gaps by the first row of each part.

    Among edges of the same volume those with lower `ties` come first, or else as they stand.
    An app that needs more than `most` alone gets a part all the same. Raises `CycleError` if
    there is a cycle.
    """
    merging = _Merging(dag, most)
    ties = np.zeros(len(dag.src)) if ties is None else ties
    heaviest = np.lexsort((ties, -dag.edge_weight))
    for row, target in zip(dag.src[heaviest].tolist(), dag.dst[heaviest].tolist(), strict=True):
        one, other = merging.root(row), merging.root(target)
        if one != other:
            merging.merge(one, other)
    _pack(merging)
    roots = np.asarray([merging.root(row) for row in range(dag.n)], np.int64)
    return renumbered(roots)


def _pack(merging: _Merging) -> None:
    """Merge parts that are not linked but fit together, biggest first, into a few open ones."""
    roots = [row for row, parent in enumerate(merging.parent) if row == parent]
    roots.sort(key=lambda row: (-merging.parts[row].rows, row))
    still_open: list[int] = []
    for root in roots:
        for index, host in enumerate(still_open):
            if merging.merge(host, root):
                still_open[index] = merging.root(host)
                break
        else:
            still_open = [*still_open[-OPEN_PARTS + 1 :], root]


def renumbered(labels: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Rows:
    """Return `labels` as 0, 1, 2, ... in the order in which they first come."""
    compact, count = without_empty(labels.astype(np.int32))
    first = np.full(count, len(labels), np.int64)
    np.minimum.at(first, compact, np.arange(len(labels)))
    rank = np.empty(count, np.int32)
    rank[np.argsort(first)] = np.arange(count, dtype=np.int32)
    return rank[compact]
