"""Which part goes to which host: those that few hosts can take first, then the biggest.

Pure: arrays and records in, arrays out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlg_translator.mapping.demands import DemandError, Demands
from dlg_translator.mapping.hosts import Host
from dlg_translator.schedule.dag import Bools, Numbers, Rows, sums

NAMED = 5
"""So many drops are named in a message."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The host of each row, and the rows that could not stay with their part."""

    host_of: Rows
    moved: Rows


def check_demands(needs: Demands, hosts: Sequence[Host], oids: Sequence[str]) -> Bools:
    """Return for each demand and host whether they fit.

    Raises `DemandError`, with the drops by name, if no host fits a demand.
    """
    fits = np.array([[kind.met_by(host) for host in hosts] for kind in needs.kinds], np.bool_)
    hopeless = []
    for k in np.flatnonzero(~fits.any(axis=1)).tolist():
        rows = np.flatnonzero(needs.kind_of == k)
        if len(rows):
            named = ", ".join(str(oids[row]) for row in rows[:NAMED].tolist())
            more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
            hopeless.append(f"{named}{more}: no node has {needs.kinds[k]}")
    if hopeless:
        raise DemandError("\n  ".join(["some drops fit on no node:", *hopeless]))
    return fits


def place(
    part_of: Rows, load: Numbers, needs: Demands, fits: Bools, hosts: Sequence[Host]
) -> Placement:
    """Return hosts that fit all rows, with parts kept together where one host fits all of a part.

    `load` is how long each row takes. Where no host fits a whole part, the part goes where most of
    its rows fit and the others go to hosts that fit them.
    """
    parts = int(part_of.max(initial=-1)) + 1
    kinds = len(needs.kinds)
    pair = part_of.astype(np.int64) * kinds + needs.kind_of
    rows_of = np.bincount(pair, minlength=parts * kinds).reshape(parts, kinds)
    unfit = rows_of @ (~fits).astype(np.int64)  # part by host: rows that do not fit there
    part_load = sums(part_of, load, parts)
    filling = _Filling(hosts)
    host_of_part = np.zeros(parts, np.int32)
    choices = (unfit == unfit.min(axis=1, keepdims=True)).sum(axis=1)
    for part in np.lexsort((np.arange(parts), -part_load, choices)).tolist():
        host_of_part[part] = filling.take(unfit[part], float(part_load[part]))
    host_of: Rows = host_of_part[part_of]
    moved = np.flatnonzero(~fits[needs.kind_of, host_of]).astype(np.int32)
    for row in moved.tolist():
        host_of[row] = filling.take(~fits[needs.kind_of[row]], float(load[row]))
    return Placement(host_of, moved)


class _Filling:
    """How full each host is."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        cores = np.array([host.cores for host in hosts])
        known = cores[np.isfinite(cores)]
        typical = float(known.mean()) if len(known) else 1.0
        self._cores = np.maximum(np.where(np.isfinite(cores), cores, typical), 1.0)
        self._gpus = np.array([host.gpus for host in hosts])
        self._load = np.zeros(len(hosts))
        self._taken = np.zeros(len(hosts), np.int64)

    def take(self, unfit: Numbers, load: float) -> int:
        """Give `load` to the emptiest of the hosts that fit best, sparing those with GPUs."""
        best = np.flatnonzero(unfit == unfit.min())
        after = (self._load[best] + load) / self._cores[best]
        taken, gpus = self._taken[best] > 0, self._gpus[best]
        keys = (best, gpus, after) if taken.all() else (best, after, gpus, taken)
        choice = int(best[np.lexsort(keys)[0]])
        self._load[choice] += load
        self._taken[choice] += 1
        return choice
