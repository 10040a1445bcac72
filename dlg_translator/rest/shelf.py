"""What is kept between requests, in memory, for as long as there is room.

Ids cannot be guessed: they are the right to see what is kept under them.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from dlg.graph.drawing.physical import Groups
from dlg.http.errors import NotFoundError
from dlg_translator.partition import PartitionedTemplate
from dlg_translator.partition.template import Template

MOST_THINGS = 200
MOST_WEIGHT = 6_000_000
"""Drops, and as much for graphs: about 3 GiB at the worst."""
BYTES_A_DROP = 500
_UNSAFE = re.compile(r"[^A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGraph:
    """A logical graph as it was sent."""

    name: str
    content: bytes

    @property
    def weight(self) -> int:
        """How much room it takes."""
        return len(self.content) // BYTES_A_DROP + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTemplate:
    """What a graph was unrolled to, and how it is drawn."""

    name: str
    template: Template
    groups: Groups
    svg: str
    graph: str = ""
    """The id of the graph it was made from; "" for one read from a file."""

    @property
    def weight(self) -> int:
        """How much room it takes."""
        return len(self.template)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPartition:
    """A division of a template."""

    name: str
    template: str
    """The id of the template it divides."""
    drawn: KeptTemplate
    partitioned: PartitionedTemplate
    options: dict[str, object] = field(default_factory=dict)
    """What was asked for."""
    seconds: float = 0.0

    @property
    def weight(self) -> int:
        """How much room it takes besides its template."""
        return len(self.partitioned) // 20 + 1


Kept = KeptGraph | KeptTemplate | KeptPartition
T = TypeVar("T", KeptGraph, KeptTemplate, KeptPartition)


class Shelf:
    """Things by id; the one that was not used for longest makes room for a new one."""

    def __init__(self, most_things: int = MOST_THINGS, most_weight: int = MOST_WEIGHT) -> None:
        self._things: OrderedDict[str, Kept] = OrderedDict()
        self._most_things, self._most_weight = most_things, most_weight
        self._weight = 0
        self._lock = threading.Lock()

    def put(self, thing: Kept) -> str:
        """Keep `thing` and return its new id."""
        stem = _UNSAFE.sub("-", thing.name.rpartition("/")[2].partition(".")[0])[:40].strip("-.")
        key = f"{stem or 'graph'}-{secrets.token_hex(8)}"
        with self._lock:
            self._things[key] = thing
            self._weight += thing.weight
            while len(self._things) > 1 and (
                len(self._things) > self._most_things or self._weight > self._most_weight
            ):
                _, gone = self._things.popitem(last=False)
                self._weight -= gone.weight
        return key

    def get(self, key: str, kind: type[T]) -> T:
        """Return what is kept under `key`; raise `NotFoundError` if that is nothing of `kind`."""
        thing = self.find(key)
        if isinstance(thing, kind):
            return thing
        what = kind.__name__.removeprefix("Kept").lower()
        raise NotFoundError(f"no {what} is kept as {key!r} (any more): make it again")

    def find(self, key: str) -> Kept | None:
        """Return what is kept under `key`, None if nothing is."""
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
            return self._things.get(key)

    def __len__(self) -> int:
        return len(self._things)
