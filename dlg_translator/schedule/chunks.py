"""Parts without a library: pieces of a depth-first walk, then better borders.

A walk in depth keeps a pipeline in one piece, so cutting it where the load is even cuts few edges.
Refining moves rows at the borders to the part they exchange most with, as long as loads allow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dlg_translator.schedule.dag import Dag, Ints, Numbers, Rows, grouped, sums
from dlg_translator.schedule.moves import Moves, neighbour_moves
from dlg_translator.schedule.quality import cut_volume

ROUNDS = 12


def depth_first_order(dag: Dag) -> Ints:
    """Return all rows as a walk from the sources meets them, going down before going across.

    Rows that no source reaches (cycles) come last.
    """
    start, other = dag.after.lists()
    seen = bytearray(dag.n)
    order: list[int] = []
    sources = np.flatnonzero(np.diff(dag.before.start) == 0).tolist()
    for first in (*sources, *range(dag.n)):
        if seen[first]:
            continue
        stack = [first]
        while stack:
            row = stack.pop()
            if seen[row]:
                continue
            seen[row] = 1
            order.append(row)
            stack += other[start[row] : start[row + 1]][::-1]
    return np.asarray(order, np.int64)


def even_chunks(order: Ints, load: Numbers, parts: int) -> Rows:
    """Return parts that are consecutive pieces of `order` of about the same load.

    None is empty if there are at least as many rows as parts.
    """
    n = len(order)
    parts = min(parts, n) or 1
    upto = np.cumsum(load[order]) - load[order] / 2
    total = float(load.sum())
    piece = np.minimum((upto * parts / total).astype(np.int64), parts - 1) if total else (
        np.arange(n) * parts // max(n, 1)
    )  # fmt: skip
    # Borders at least one row apart, from both sides, so that no piece is empty.
    borders = np.searchsorted(piece, np.arange(1, parts))
    steps = np.arange(1, parts)
    borders = np.maximum.accumulate(np.maximum(borders, steps) - steps) + steps
    borders = np.minimum(borders, n - parts + steps)
    part_of = np.empty(n, np.int32)
    part_of[order] = np.searchsorted(borders, np.arange(n), side="right")
    return part_of


@dataclass(frozen=True, slots=True)
class Limits:
    """How much load each part may have."""

    load: Numbers
    """Load of each row."""
    most: float


def limits(load: Numbers, parts: int, imbalance: float) -> Limits:
    """Return limits that allow each part `imbalance` times the average load, and any one row."""
    average = float(load.sum()) / parts
    return Limits(load, max(average * imbalance, average + float(load.max(initial=0))))


def refine(dag: Dag, part_of: Rows, parts: int, bounds: Limits) -> Rows:
    """Return parts with at most the same cut volume, found by moving rows at the borders.

    Rounds that move to a higher part alternate with those that move to a lower one, so that two
    rows never change places for nothing. No part is emptied.
    """
    best, best_cut = part_of, cut_volume(dag, part_of)
    current, idle = part_of, 0
    for turn in range(ROUNDS):
        moved = _round(dag, current, parts, bounds, upwards=turn % 2 == 0)
        cut = cut_volume(dag, moved)
        idle = 0 if cut < best_cut else idle + 1
        if cut < best_cut:
            best, best_cut = moved, cut
        if idle == 2:  # noqa: PLR2004  neither direction helped
            break
        current = moved
    return best


def _round(dag: Dag, part_of: Rows, parts: int, bounds: Limits, *, upwards: bool) -> Rows:
    wishes = _wishes(dag, part_of, parts)
    upward = wishes.targets > part_of[wishes.rows]
    wishes = wishes.only(np.flatnonzero((wishes.gains > 0) & (upward == upwards)))
    wishes = wishes.only(np.argsort(-wishes.gains, kind="stable"))
    rows, targets = wishes.rows, wishes.targets
    current = sums(part_of, bounds.load, parts)
    fits = _within(targets, bounds.load[rows], bounds.most - current)
    # Half the rows of a part may leave at once: enough, and none is emptied.
    sizes = np.bincount(part_of, minlength=parts)
    fits &= _within(part_of[rows], np.ones(len(rows), np.int64), sizes // 2)
    moved = part_of.copy()
    moved[rows[fits]] = targets[fits]
    return moved


def _wishes(dag: Dag, part_of: Rows, parts: int) -> Moves:
    """Return for each row at a border the move that gains most."""
    moves = neighbour_moves(dag, part_of, parts)
    strongest = np.lexsort((moves.targets, -moves.gains, moves.rows))
    firsts = strongest[np.flatnonzero(np.diff(moves.rows[strongest], prepend=-1))]
    return moves.only(firsts)


def _within(key: npt.NDArray[np.integer], amount: Numbers, room: Numbers) -> npt.NDArray[np.bool_]:
    """Return which amounts, taken in their order, still fit into the room of their key."""
    order = grouped(key)
    running = np.cumsum(amount[order])
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    base = np.repeat(running[first] - amount[order][first], np.diff(first, append=len(order)))
    fits = np.empty(len(key), np.bool_)
    fits[order] = running - base <= room[key[order]]
    return fits
