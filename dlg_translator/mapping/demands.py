"""What each drop needs of its host: processors, memory and GPUs, as its component says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dlg.exceptions import UsageError
from dlg_translator.mapping.hosts import Host
from dlg_translator.partition.constraints import (
    CPU_KEYS,
    GPU_KEYS,
    MEMORY_KEYS,
    AmountError,
    amount,
    size_in_gb,
    stated,
)
from dlg_translator.partition.template import Template
from dlg_translator.schedule.dag import Rows

READ: Mapping[tuple[str, ...], Callable[[Any], float]] = {
    CPU_KEYS: amount,
    MEMORY_KEYS: size_in_gb,
    GPU_KEYS: amount,
}


class Demand(NamedTuple):
    """What one drop needs on its host."""

    cores: float = 0.0
    memory: float = 0.0
    """In GB."""
    gpus: float = 0.0

    def met_by(self, host: Host) -> bool:
        """Return whether `host` has all that is needed."""
        return self.cores <= host.cores and self.memory <= host.memory and self.gpus <= host.gpus

    def __str__(self) -> str:
        parts = (
            f"{self.cores:g} cores" if self.cores else "",
            f"{self.memory:g} GB of memory" if self.memory else "",
            f"{self.gpus:g} GPUs" if self.gpus else "",
        )
        return ", ".join(part for part in parts if part) or "nothing"


@dataclass(frozen=True, slots=True)
class Demands:
    """The different demands of a graph, and which of them each row has."""

    kinds: tuple[Demand, ...]
    kind_of: Rows


class DemandError(UsageError):
    """What drops say they need cannot be understood, or no host has it."""


def demands(template: Template) -> Demands:
    """Return what each drop needs; raise `DemandError` with all that cannot be understood."""
    kinds: dict[Demand, int] = {Demand(): 0}
    known: dict[tuple[str, ...], int] = {}
    kind_of = np.zeros(len(template), np.int32)
    wrong: list[str] = []
    for row in np.flatnonzero(template.is_app).tolist():
        spec = template.spec(row)
        words = tuple(repr(stated(spec, keys)) for keys in READ)
        if words not in known:
            demand = Demand(*_amounts(spec, wrong))
            known[words] = kinds.setdefault(demand, len(kinds))
        kind_of[row] = known[words]
    if wrong:
        raise DemandError("\n  ".join(["what some drops need cannot be understood:", *wrong]))
    return Demands(tuple(kinds), kind_of)


def _amounts(spec: Mapping[str, Any], wrong: list[str]) -> Iterator[float]:
    for keys, read in READ.items():
        try:
            yield read(stated(spec, keys))
        except AmountError as error:
            wrong.append(f"{spec.get('oid')}, {keys[0]}: {error}")
            yield 0.0
