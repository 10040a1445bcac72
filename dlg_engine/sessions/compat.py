"""The evidence of a run as the existing system leaves it: the same digests, layer by layer.

What is known of the graph before the run stands in its drops, where the translator of the existing
system has put it; a graph that has none of it gets what can be known of a physical graph.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

from dlg.ddap_protocol import DROPStates
from dlg.drops.live import LiveGraph
from dlg.graph.physical import PhysicalGraph
from dlg.reproducibility.evidence import Document, Ended
from dlg.reproducibility.layers import (
    ALGORITHM,
    PROTOCOL,
    init_pg_repro_data,
    init_pgt_partition_repro_data,
    init_pgt_unroll_repro_data,
)
from dlg.reproducibility.levels import Level, levels_kept
from dlg.reproducibility.merkle import root_of_fields
from dlg.reproducibility.running import add_summaries, init_runtime_repro_data
from dlg.support import clock
from dlg.support.garbage import held_off
from dlg_engine.sessions.evidence import Witness

_BEFORE = (init_pgt_unroll_repro_data, init_pgt_partition_repro_data, init_pg_repro_data)


class CompatWitness(Witness):
    """Keeps what the existing system would keep of a run.

    Data in memory are kept to the end, as each tells the hash of its content.
    """

    expires = False

    def __init__(self, level: Level) -> None:
        super().__init__(level)
        self._live: LiveGraph | None = None

    def begin(self, graph: PhysicalGraph, live: LiveGraph) -> None:
        """Take note of the graph; nothing has to be looked at before it runs."""
        self._graph, self._live, self._began = graph, live, clock.now()

    def _ends(self, graph: PhysicalGraph) -> tuple[int, ...]:
        return ()  # drops tell the hash of their content themselves

    def _document(self, graph: PhysicalGraph, ended: Ended) -> Document:
        live = self._live
        if live is None:
            raise RuntimeError("evidence of a run is kept from its beginning")
        outcomes = ended.outcomes
        with held_off():
            *drops, data = self._known_before(graph)
            for row, drop in enumerate(drops):
                if outcomes[row] == DROPStates.COMPLETED:
                    add_summaries(drop["reprodata"], self.level, partial(_told, live, row))
            by_oid = {drop["oid"]: drop for drop in drops}
            return [by_oid, init_runtime_repro_data(by_oid, data)]

    def _known_before(self, graph: PhysicalGraph) -> list[dict[str, Any]]:
        """Return the drops with what is known of them before the run, and the graph's data."""
        drops: list[dict[str, Any]] = [
            {**spec, "oid": oid, "reprodata": copy.deepcopy(dict(spec.get("reprodata") or {}))}
            for oid, spec in zip(graph.oids, graph.specs, strict=True)
        ]
        data: dict[str, Any] = {"meta_data": {"repro_protocol": PROTOCOL, "HashingAlg": ALGORITHM}}
        data |= copy.deepcopy(dict(graph.reprodata)) | {"rmode": str(self.level.value)}
        data.setdefault("merkleroot", root_of_fields(data))
        kept = levels_kept(self.level)
        if all(_is_known(drop, level) for drop in drops for level in kept):
            return [*drops, data]
        found = [*drops, data]
        for stage in _BEFORE:
            found = stage(found)
        return found


def _is_known(drop: dict[str, Any], level: Level) -> bool:
    return "pg_data" in drop["reprodata"].get(level.name, ())


def _told(live: LiveGraph, row: int, level: Level) -> Any:
    """Return what a drop tells at a basic level."""
    drop = live.drop(row)
    tells = {
        Level.RERUN: drop.generate_rerun_data,
        Level.REPEAT: drop.generate_repeat_data,
        Level.RECOMPUTE: drop.generate_recompute_data,
        Level.REPRODUCE: drop.generate_reproduce_data,
    }
    return tells[level]()
