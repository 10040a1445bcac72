"""The physical graph in the compact form that every front end makes and every engine takes.

A drop is a row. What all drops have stands in columns; what only some have (parameters, ports)
stays in the dropspec, which `specs` gives for a row and which may be computed on demand, so that a
graph of a million drops need never exist as a million dictionaries. Links are two integer columns
a kind, in the order in which the *app* lists them, because that order has a meaning (`%i0`, the
outputs of a branch).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from dlg.graph.growing import Growing
from dlg.graph.problems import Problem

IntArray = npt.NDArray[np.int32]


class DropKind(IntEnum):
    """What a row stands for."""

    DATA = 0
    APP = 1
    CONTAINER = 2


def _no_links() -> IntArray:
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class LinkTable:
    """Links of one kind: link k goes from row `src[k]` to row `dst[k]`, without duplicates."""

    src: IntArray = field(default_factory=_no_links)
    dst: IntArray = field(default_factory=_no_links)

    def __len__(self) -> int:
        return len(self.src)


@dataclass(frozen=True, slots=True)
class Links:
    """All links of a graph."""

    consumers: LinkTable = LinkTable()
    """From data to the apps that read it once it is complete (inverse: inputs)."""
    streaming_consumers: LinkTable = LinkTable()
    """From data to the apps that read it while it is written (inverse: streaming inputs)."""
    outputs: LinkTable = LinkTable()
    """From apps to the data they write (inverse: producers)."""
    children: LinkTable = LinkTable()
    """From containers to the drops they hold (inverse: parent)."""


@dataclass(frozen=True)
class PhysicalGraph:
    """Drops and links, ready to be run."""

    oids: Sequence[str]
    kinds: bytes
    """A `DropKind` for each row."""
    class_names: Sequence[str]
    """The distinct classes, as full dotted names that can be imported."""
    class_ids: Sequence[int]
    """For each row an index into `class_names`."""
    links: Links
    specs: Sequence[Mapping[str, Any]]
    """The dropspec of each row, newest form; perhaps computed at the moment of asking."""
    uids: Sequence[str] = ()
    """Unique ids where they differ from the oids; empty when none does."""
    external: frozenset[int] = frozenset()
    """Rows whose consumers are triggered from outside (`executionMode` EXTERNAL)."""
    reprodata: Mapping[str, Any] = field(default_factory=dict)
    """The graph's own reproducibility data: the trailing object of a file."""
    source: str = "<graph>"
    """Where the graph came from, for messages."""
    warnings: tuple[Problem, ...] = ()
    growing: Callable[[], Growing] | None = None
    """Makes the same graph in a form that grows while it runs, if there is one."""

    def __len__(self) -> int:
        return len(self.oids)

    @cached_property
    def neighbours(self) -> tuple[list[Sequence[int]], list[Sequence[int]]]:
        """Return for each row the rows after it (that wait for it) and those before it."""
        links = self.links
        tables = (links.consumers, links.streaming_consumers, links.outputs)
        src = np.concatenate([*(t.src for t in tables), links.children.dst])
        dst = np.concatenate([*(t.dst for t in tables), links.children.src])
        return rows_by(src, dst, len(self)), rows_by(dst, src, len(self))

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Return the row of each drop by its uid."""
        return {uid: i for i, uid in enumerate(self.uids or self.oids)}


def rows_by(key: IntArray, value: IntArray, n: int) -> list[Sequence[int]]:
    """Return for each of `n` rows the values whose key it is, in their order.

    They are tuples, which the garbage collector stops looking at once it has seen that they hold
    nothing but numbers; lists it would walk again and again while the graph runs.
    """
    order = np.argsort(key, kind="stable")
    flat = tuple(value[order].tolist())
    ends = np.cumsum(np.bincount(key, minlength=n)).tolist()
    start = 0
    rows: list[Sequence[int]] = []
    for end in ends:
        rows.append(flat[start:end])
        start = end
    return rows
