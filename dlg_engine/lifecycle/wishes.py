"""What a graph says about the life of its data, read from dropspecs without making the drops."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlg.drops.data_base import DataDROP
from dlg.drops.live import LiveGraph
from dlg.drops.parameters import to_bool, to_float, values_of
from dlg.states.steps import APP

_NESTED = ("componentParams", "applicationArgs", "constraintParams", "fields")
_SAID = ("lifespan", "persist", "precious")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wished for one drop."""

    lifespan_s: float = math.inf
    """How long after its creation the data may live."""
    persists: bool = False


class Wishes:
    """What is wished for the drops of a graph."""

    def __init__(self, live: LiveGraph) -> None:
        self._live = live
        self._defaults = [_default(cls) for cls in live.classes]

    def rows(self, *, replicating: bool) -> Iterator[int]:
        """Yield the data that has a date, or is to be copied."""
        live, traits, defaults = self._live, self._live.flow.traits, self._defaults
        said = _SAID if replicating else _SAID[:1]
        some = [
            wish is not None and (wish.lifespan_s < math.inf or (replicating and wish.persists))
            for wish in defaults
        ]
        for row, (spec, number) in enumerate(zip(live.specs, live.class_ids, strict=False)):
            if traits[row] & APP or defaults[number] is None:
                continue
            if some[number] or _says(spec, said):
                found = self.wish(row)
                if found.lifespan_s < math.inf or (replicating and found.persists):
                    yield row

    def wish(self, row: int) -> Wish:
        """Return what is wished for a drop."""
        live = self._live
        default = self._defaults[live.class_ids[row]] or Wish()
        drop = live.objects[row]
        spec = live.specs[row]
        given = drop.given if drop is not None else None
        if given is None:
            given = values_of(spec) if any(key in spec for key in _NESTED) else spec
        lifespan = _number(given.get("lifespan"))
        persist = _truth(given.get("persist", given.get("precious")))
        if lifespan is None:
            lifespan = default.lifespan_s
        if persist:  # said in so many words, it is stronger than a lifespan
            lifespan = math.inf
        return Wish(lifespan, default.persists if persist is None else persist)


def _default(cls: type[Any]) -> Wish | None:
    """Return what drops of a class are unless they say otherwise; None if they hold no data."""
    if not issubclass(cls, DataDROP) or not cls.holds_data:
        return None
    declared = cls.declared_parameters()
    lifespan = _number(declared["lifespan"].default)
    return Wish(math.inf if lifespan is None else lifespan, bool(declared["persist"].default))


def _says(spec: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    """Return whether a dropspec gives one of these parameters, flat or in an argument object."""
    for name in names:
        if name in spec:
            return True
    for key in _NESTED:
        if key in spec:
            return not values_of(spec).keys().isdisjoint(names)
    return False


def _number(value: Any) -> float | None:
    """Return a lifespan in seconds; infinity for one that says so; None if nothing is said."""
    try:
        seconds = None if value is None or value == "" else to_float(value)
    except (TypeError, ValueError):
        return None  # the drop itself refuses it, or looks it up in the environment
    return math.inf if seconds is not None and seconds <= 0 else seconds


def _truth(value: Any) -> bool | None:
    try:
        return None if value is None else to_bool(value)
    except (TypeError, ValueError):
        return None
