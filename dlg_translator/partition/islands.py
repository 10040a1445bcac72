"""Merge parts: into islands, or into fewer parts than an algorithm found."""

from __future__ import annotations

import numpy as np

from dlg.exceptions import UsageError
from dlg_translator.partition.contract import Partitioner
from dlg_translator.schedule.dag import Dag, Rows
from dlg_translator.schedule.quality import quotient


class TooFewPartsError(UsageError):
    """More islands were asked for than there are parts to put into them."""


def merge(dag: Dag, part_of: Rows, parts: int, fewer: int, partitioner: Partitioner) -> Rows:
    """Return for each part which of `fewer` groups it goes to: those that exchange most together.

    No group is empty. Raises `TooFewPartsError` if there are more groups than parts.
    """
    if fewer > parts:
        raise TooFewPartsError(
            f"{parts} parts cannot be merged into {fewer}: ask for more parts or fewer islands"
        )
    if fewer == parts:
        return np.arange(parts, dtype=np.int32)
    between = quotient(dag, part_of, parts)
    return filled(partitioner.divide(between, fewer).part_of, fewer)


def filled(group_of: Rows, groups: int) -> Rows:
    """Return the groups with none empty: a big one gives its last member to each that is."""
    group_of = group_of.copy()
    sizes = np.bincount(group_of, minlength=groups)
    for empty in np.flatnonzero(sizes == 0).tolist():
        biggest = int(sizes.argmax())
        group_of[np.flatnonzero(group_of == biggest)[-1]] = empty
        sizes[biggest] -= 1
        sizes[empty] = 1
    return group_of
