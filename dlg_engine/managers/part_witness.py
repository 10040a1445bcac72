"""Who keeps evidence of the part of a graph that runs on one node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dlg.graph.physical import DropKind, PhysicalGraph
from dlg.reproducibility.evidence import Document, Ended, heading, records_of
from dlg.reproducibility.levels import Level
from dlg_engine.managers.split import stands_in
from dlg_engine.sessions.evidence import Witness


class PartWitness(Witness):
    """Keeps evidence of a node's own drops; of a graph that is whole here, signatures as well."""

    def __init__(
        self, level: Level, node: str, exports: Mapping[str, Iterable[str]], *, part: bool
    ) -> None:
        """`exports` says which drops other nodes wait for, `part` that there are other parts."""
        super().__init__(level)
        self._node, self._exports, self._part = node, exports, part

    def _ends(self, graph: PhysicalGraph) -> Iterable[int]:
        """Yield the rows with which the whole graph begins or ends, as far as they are here."""
        after, before = graph.neighbours
        for row, spec in enumerate(graph.specs):
            if graph.kinds[row] != DropKind.DATA or stands_in(spec):
                continue
            if not before[row] or (not after[row] and graph.oids[row] not in self._exports):
                yield row

    def _document(self, graph: PhysicalGraph, ended: Ended) -> Document:
        own = [row for row, spec in enumerate(graph.specs) if not stands_in(spec)]
        if not (self._part or self._exports or len(own) < len(graph)):
            return super()._document(graph, ended)
        records = records_of(graph, self.level, ended, own)
        for record in records.values():
            record["node"] = self._node
        drops = {
            graph.oids[row]: {**graph.specs[row], "reprodata": records[graph.oids[row]]}
            for row in own
        }
        return [drops, heading(self.level) | {"run": {"node": self._node, "part": True}}]
