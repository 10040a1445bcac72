"""Reuse over several nodes: what each must tell of its part, and the keys that follow for all.

The key of data is the signature of all that is before it, on whichever node. So a node looks at
its own drops when it has its part: what they are made of, what is in the files they begin with,
and whether anything forbids their reuse. Whoever knows the whole graph signs it, and gives each
node the keys of what its apps make. They are the keys that a run in one process has: a store that
nodes share with such runs serves both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from dlg.drops.live import LiveGraph
from dlg.exceptions import UsageError
from dlg.graph.physical import DropKind, PhysicalGraph
from dlg.graph.walk import topological_order
from dlg.reproducibility.strict import Evidence, Signer
from dlg.states.steps import APP
from dlg_engine.reuse.running import Reuse, keeps_all, key_of, variables_hash
from dlg_engine.reuse.store import Store


class Look(msgspec.Struct, array_like=True, frozen=True):
    """What a node has seen of a drop."""

    alone: bool
    """Whether it, and what is behind it, must be left alone."""
    keeps: bool
    """Whether all that this app makes can be kept."""
    code: dict[str, Any]
    """What it is made of, with the content of data from outside."""


class PartReuse(Reuse):
    """What the part of a graph that one node runs takes from its store, and leaves in it."""

    def __init__(self, store: Store, stands_in: Callable[[Mapping[str, Any]], bool]) -> None:
        """`stands_in` says of a dropspec whether it stands in for a drop of another node."""
        super().__init__(store)
        self.looks: dict[str, Look] = {}
        self.variables = variables_hash()
        """The hash of the variables that graphs may refer to here."""
        self._live: LiveGraph | None = None
        self._stands_in = stands_in

    def begin(self, graph: PhysicalGraph, live: LiveGraph) -> None:
        """Look at the own drops of the node; nothing is reused before the keys are there."""
        self._live = live
        found = self.contents
        own = [row for row, spec in enumerate(graph.specs) if not self._stands_in(spec)]
        alone = {row for row in own if self._why_alone(graph, live, row, found)}
        signer, evidence = Signer(), Evidence(contents=found)
        for row in own:
            oid = graph.oids[row]
            keeps = bool(live.flow.traits[row] & APP) and keeps_all(live, row)
            try:
                code = dict(signer.own(graph, row, evidence).code)
            except UsageError as error:
                live.warnings.append(f"what {oid} makes is not reused: {error}")
                alone.add(row)
                code = {}
            self.looks[oid] = Look(row in alone, keeps, code)
        self._begin_keeping(live)

    def take_keys(self, keys: Mapping[str, str]) -> None:
        """Take note of the keys of data, by oid, that apps here make."""
        live = self._live
        if live is None:
            raise RuntimeError("keys come when the part is there")
        rows = {live.row_of(oid): key for oid, key in keys.items()}
        self._keys.update(rows)
        apps = {app for row in rows for app in live.flow.before[row]}
        self._let_reuse(live, (a for a in apps if all(t in rows for t in live.flow.after[a])))


def keys_of(
    graph: PhysicalGraph, looks: Sequence[Look], variables: Iterable[str]
) -> dict[int, str]:
    """Return the keys of the data that apps make which need not run, by rows.

    `looks` has one for each row, `variables` the hashes of those of the nodes. Raises UsageError
    if the graph cannot be signed.
    """
    after, before = graph.neighbours
    alone: set[int] = set()
    for row in topological_order(after, before):
        if looks[row].alone or any(source in alone for source in before[row]):
            alone.add(row)
    streaming = set(np.unique(graph.links.streaming_consumers.src).tolist())
    made = [
        target
        for row in range(len(graph))
        if graph.kinds[row] == DropKind.APP and row not in alone and looks[row].keeps
        and all(len(before[t]) == 1 and t not in streaming for t in after[row])
        for target in after[row]
    ]  # fmt: skip
    if not made:
        return {}
    codes = {row: look.code for row, look in enumerate(looks)}
    signed = Signer().sign(graph, evidence=Evidence(codes=codes)).drops
    told = _joined(variables)
    return {row: key_of(signed[row], told) for row in made}


def _joined(variables: Iterable[str]) -> str:
    """Return the hash that stands for the variables of all nodes: theirs, if it is the same."""
    different = sorted(set(variables))
    if len(different) <= 1:
        return "".join(different)
    return hashlib.sha256(" ".join(different).encode()).hexdigest()
