"""Blocks: the hash of a drop in a layer, over what counts of it and the blocks before it.

The records of the drops, which are what graph files hold, are changed in place. Where several
drops share one record, as instances of one logical node do while a graph is unrolled in the
existing system, they share what is written there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlg.reproducibility.levels import Level
from dlg.reproducibility.merkle import root_of_roots, signature_of_leaves

Record = MutableMapping[str, Any]

PARTS: Mapping[str, tuple[str, ...]] = {
    "lg": ("lgt_data", "lg_data"),
    "pgt": ("pgt_data", "lg_blockhash"),
    "pg": ("pg_data", "pgt_blockhash", "lg_blockhash"),
    "rg": ("rg_data", "pg_blockhash", "pgt_blockhash", "lg_blockhash"),
}
"""What the block of a layer is made of, before the blocks of the drops before it."""

_NO_DATA = {"merkleroot": ""}
_READ = {
    layer: [(part, part.endswith("_data")) for part in parts] for layer, parts in PARTS.items()
}
FIRST_INSTANCE = "0/0"
_PASS_SOME = frozenset({Level.REPRODUCE, Level.RERUN})
"""Where a drop does not always pass its own block on, and nothing else."""


@dataclass(frozen=True, slots=True)
class Dag:
    """Drops that follow one another: a row each."""

    names: Sequence[str]
    records: Sequence[Record]
    """For each row its data of reproducibility, a record of its own for each level."""
    is_data: Sequence[bool]
    after: Sequence[Sequence[int]]
    before: Sequence[Sequence[int]]
    iids: Sequence[Any] = ()
    """Which instance each row is; None where it is not said. Empty for logical graphs."""


def link(names: Sequence[str], pairs: Iterable[tuple[int, int]]) -> tuple[list[list[int]], ...]:
    """Return for each of the rows those after and those before it, each once."""
    after: list[dict[int, None]] = [{} for _ in names]
    before: list[dict[int, None]] = [{} for _ in names]
    for source, target in pairs:
        after[source][target] = None
        before[target][source] = None
    return [list(rows) for rows in after], [list(rows) for rows in before]


def chain(dag: Dag, layer: str, level: Level, order: Sequence[int] | None = None) -> str | None:
    """Write the block of each row for `layer` at `level`; return the signature of the graph.

    Rows on cycles get none, and the signature is None where no row is a last one. `order` is that
    of `order_of`, for callers who chain several levels.
    """
    if level is Level.NOTHING:
        return _unchained(dag, layer)
    parents, block, name = f"{layer}_parenthashes", f"{layer}_blockhash", level.name
    owns = [record[name] for record in dag.records]
    passes_all = level not in _PASS_SOME
    leaves: list[int] = []
    for row in order_of(dag) if order is None else order:
        own, after = owns[row], dag.after[row]
        own[block] = mine = block_of(own, layer, own[parents])
        if not after:
            leaves.append(row)
        elif passes_all:
            for target in after:
                owns[target][parents][dag.names[row]] = mine
        else:
            passed = _passed(dag, row, own, layer, level)
            for target in after:
                owns[target][parents].update(passed)
    return signature_of_leaves(owns[row][block] for row in leaves)


def block_of(own: Mapping[str, Any], layer: str, parents: Mapping[str, str]) -> str:
    """Return the block of a drop at one level, given the blocks that were passed to it.

    Where there are no data of a layer an empty text stands for their root. So it is in the
    existing system, which puts those of a run at a single level where it does not look for them.
    """
    parts = [
        (own.get(part) or _NO_DATA)["merkleroot"] if is_data else own.get(part)
        for part, is_data in _READ[layer]
    ]
    return root_of_roots([*parts, *sorted(parents.values())])


def order_of(dag: Dag) -> list[int]:
    """Return the rows so that each comes after all that lead to it, without those on cycles.

    Where drops share a record the hashes depend on which of several possible orders it is: this
    is the one of the existing system, which goes on from the row it has seen last.
    """
    waiting = [len(rows) for rows in dag.before]
    stack = [row for row, left in enumerate(waiting) if not left]
    order: list[int] = []
    while stack:
        row = stack.pop()
        order.append(row)
        for target in dag.after[row]:
            waiting[target] -= 1
            if not waiting[target]:
                stack.append(target)
    return order


def _passed(
    dag: Dag, row: int, own: Mapping[str, Any], layer: str, level: Level
) -> Mapping[str, str]:
    """Return which blocks a row passes to those after it, by the names they are from."""
    mine = {dag.names[row]: own[f"{layer}_blockhash"]}
    if level is Level.REPRODUCE:
        # Results count, not how they came about: of what goes in, the data with which it begins.
        begins = dag.is_data[row] and not dag.before[row]
        return mine if begins else own[f"{layer}_parenthashes"]
    if level is Level.RERUN and dag.iids and dag.iids[row] not in {None, FIRST_INSTANCE}:
        return {}
    return mine


def _unchained(dag: Dag, layer: str) -> str | None:
    """Write the blocks of rows that nobody asked to chain."""
    block, name = f"{layer}_blockhash", Level.NOTHING.name
    for record in dag.records:
        record[name][block] = block_of(record[name], layer, {})
    return signature_of_leaves(
        record[name][block]
        for record, after in zip(dag.records, dag.after, strict=True)
        if not after
    )
