"""A weighted directed graph as columns, and its adjacency made by numpy.

Nodes are rows 0 to n - 1. Nodes that take time and processors are called apps; all others only
connect. Everything derived is computed when it is first asked for, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from dlg.exceptions import UsageError

Rows = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]
"""Times or volumes: integers as graphs give them, or real numbers that were measured."""


T = TypeVar("T")


class CycleError(UsageError):
    """A graph has a cycle, so nothing in it can be put in order; `rows` are nodes of one."""

    def __init__(self, rows: Sequence[int]) -> None:
        shown = " -> ".join(str(row) for row in rows[:8]) + (" -> ..." if len(rows) > 8 else "")  # noqa: PLR2004
        super().__init__(f"the graph has a cycle: rows {shown}")
        self.rows = tuple(rows)


@dataclass(frozen=True, slots=True)
class Adjacency:
    """The edges of each row: those of row r stand at `start[r]` to `start[r + 1]`."""

    start: Ints
    other: Rows
    """The row at the other end."""
    edge: Ints
    """Which edge it is."""

    def edges_of(self, rows: npt.NDArray[Any]) -> Ints:
        """Return the places in `other` and `edge` of all edges of `rows`, row by row."""
        first = self.start[rows]
        counts = self.start[rows + 1] - first
        shift = first - np.concatenate([[0], np.cumsum(counts)[:-1]])
        places: Ints = np.arange(counts.sum()) + np.repeat(shift, counts)
        return places

    def lists(self) -> tuple[list[int], list[int]]:
        """Return `start` and `other` as lists, for loops that visit one edge at a time."""
        return self.start.tolist(), self.other.tolist()


@dataclass(frozen=True, eq=False)
class Dag:
    """Nodes with times, edges with volumes. Refuses columns that do not fit each other.

    Cycles are allowed here; what needs an order raises `CycleError`.
    """

    n: int
    src: Rows
    dst: Rows
    node_weight: Numbers
    """How long each node takes; 0 for all that are not apps."""
    edge_weight: Numbers
    """What moves along each edge when its ends are in different parts."""
    is_app: Bools
    num_cpus: Ints
    """Processors each app needs; 0 for all others."""
    memory: Numbers | None = None
    """Memory each node needs, in whatever unit limits are given."""

    def __post_init__(self) -> None:
        lengths = {
            "node_weight": (len(self.node_weight), self.n),
            "is_app": (len(self.is_app), self.n),
            "num_cpus": (len(self.num_cpus), self.n),
            "dst": (len(self.dst), len(self.src)),
            "edge_weight": (len(self.edge_weight), len(self.src)),
        }
        for name, (found, expected) in lengths.items():
            if found != expected:
                raise ValueError(f"{name} has {found} entries instead of {expected}")

    def __len__(self) -> int:
        return self.n

    @cached_property
    def after(self) -> Adjacency:
        """The edges that leave each row, in their order."""
        return adjacency(self.src, self.dst, self.n)

    @cached_property
    def before(self) -> Adjacency:
        """The edges that reach each row, in their order."""
        return adjacency(self.dst, self.src, self.n)

    @cached_property
    def backwards(self) -> Dag:
        """The same graph with every edge turned round."""
        columns = (self.edge_weight, self.is_app, self.num_cpus, self.memory)
        return Dag(self.n, self.dst, self.src, self.node_weight, *columns)


def derived(function: Callable[[Dag], T]) -> Callable[[Dag], T]:
    """Make `function` compute its result once for each graph, and forget it with the graph."""
    key = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def kept(dag: Dag) -> T:
        store: dict[str, T] = vars(dag)
        if key not in store:
            store[key] = function(dag)
        return store[key]

    return kept


def make_dag(
    n: int,
    src: npt.ArrayLike,
    dst: npt.ArrayLike,
    node_weight: npt.ArrayLike | None = None,
    edge_weight: npt.ArrayLike | None = None,
    num_cpus: npt.ArrayLike | None = None,
) -> Dag:
    """Return a graph in which all nodes are apps, of weight and processors 1 unless given."""
    rows = np.asarray(src, dtype=np.int32)
    return Dag(
        n,
        rows,
        np.asarray(dst, dtype=np.int32),
        np.ones(n, np.int64) if node_weight is None else np.asarray(node_weight),
        np.ones(len(rows), np.int64) if edge_weight is None else np.asarray(edge_weight),
        np.ones(n, np.bool_),
        np.ones(n, np.int64) if num_cpus is None else np.asarray(num_cpus, dtype=np.int64),
    )


def adjacency(key: Rows, other: Rows, n: int) -> Adjacency:
    """Return the edges by their end `key`; `other` are the opposite ends."""
    order = grouped(key)
    return Adjacency(starts(key, n), other[order], order)


def starts(key: npt.NDArray[Any], n: int) -> Ints:
    """Return where each of the values 0 to n - 1 begins once `key` is sorted, and the length."""
    out = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(key, minlength=n), out=out[1:])
    return out


def grouped(key: npt.NDArray[Any]) -> Ints:
    """Return the places of `key` in the order of its values, equal ones in their old order."""
    if len(key) < 2 or bool((key[1:] >= key[:-1]).all()):  # noqa: PLR2004  as unrolling leaves it
        return np.arange(len(key))
    return sorted_places(key.astype(np.int64))


def sorted_places(key: Ints) -> Ints:
    """Return the places of `key`, all of whose values are at least 0, in the order of its values.

    Equal ones keep their order. Sorting value and place as one integer is several times faster
    than a stable argsort; what does not fit into one integer is argsorted.
    """
    bits = max(len(key) - 1, 1).bit_length()
    if int(key.max(initial=0)).bit_length() + bits >= 63:  # noqa: PLR2004  of 64, one is the sign
        return np.argsort(key, kind="stable")
    packed = (key << bits) | np.arange(len(key))
    packed.sort()
    packed &= (1 << bits) - 1
    return packed


def sums(key: npt.NDArray[Any], amounts: Numbers, n: int) -> Numbers:
    """Return for each of the values 0 to n - 1 the sum of its amounts; integers stay integers."""
    total = np.bincount(key, weights=amounts, minlength=n)
    return total if amounts.dtype.kind == "f" else np.rint(total).astype(np.int64)
