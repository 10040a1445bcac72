"""What a run leaves behind to be compared: its drops with what they did, and signatures.

The form is that of the existing system's `reprodata.out`: a list of two, the drops by their oids
and the data of the graph. Strict data stand beside what the existing system knows, under `strict`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlg.ddap_protocol import DROPStates
from dlg.exceptions import UsageError
from dlg.graph.physical import DropKind, PhysicalGraph
from dlg.reproducibility.levels import Level, basic_levels, levels_kept, parse_level
from dlg.reproducibility.strict import Evidence, Signer, signature_at
from dlg.support.garbage import held_off

PROTOCOL = 2.0
STRICT = "strict"
Document = list[dict[str, Any]]


@dataclass(frozen=True)
class Run:
    """A run as its file tells it."""

    drops: Mapping[str, Mapping[str, Any]]
    """The dropspecs by their oids, each with its record under `reprodata`."""
    data: Mapping[str, Any]
    """What is known of the graph as a whole."""

    @property
    def is_strict(self) -> bool:
        """Return whether the run was signed strictly."""
        return self.data.get("mode") == STRICT

    def signature(self, level: Level) -> str | None:
        """Return the signature of the run at a level; None if it is not known."""
        found = self.data.get(level.name)
        signature = found.get("signature") if isinstance(found, Mapping) else None
        return signature if isinstance(signature, str) else None


@dataclass(frozen=True)
class Ended:
    """How the drops of a graph ended."""

    statuses: Sequence[int]
    contents: Mapping[int, str]
    """The hash of the content of data, by rows, as far as somebody has looked."""
    codes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """What drops that ran elsewhere were made of there, by rows."""

    @property
    def outcomes(self) -> dict[int, int]:
        """How drops ended, by rows: how long data lived after they were complete is no matter."""
        gone = (DROPStates.EXPIRED, DROPStates.DELETED)
        done = int(DROPStates.COMPLETED)
        return {row: done if s in gone else s for row, s in enumerate(self.statuses)}


def run_of(document: Any) -> Run:
    """Return the run that a file tells of; raise `UsageError` if it tells of none."""
    if isinstance(document, list) and document and isinstance(document[-1], Mapping):
        *drops, data = document
        if "rmode" in data and all(isinstance(drop, Mapping) for drop in drops):
            if len(drops) == 1 and "oid" not in drops[0]:
                drops = [drop for key, drop in drops[0].items() if key != "reprodata"]
            return Run({str(drop["oid"]): drop for drop in drops}, data)
    raise UsageError("this is no run: a list of drops and of data with an rmode is expected")


def strict_document(
    graph: PhysicalGraph, level: Level, ended: Ended, signer: Signer | None = None
) -> Document:
    """Return what a run leaves behind to be compared at `level`, or at all levels below it."""
    signer = signer or Signer()
    outside = {row: found for row, found in ended.contents.items() if _is_outside(graph, row)}
    evidence = Evidence(contents=outside, outcomes=ended.outcomes, codes=ended.codes)
    wanted = basic_levels(level)
    known: dict[Level, str] = {
        basic: signer.sign(graph, basic, evidence).graph
        for basic in wanted
        if basic is not Level.REPRODUCE
    }
    results = results_signature(graph, ended) if Level.REPRODUCE in wanted else None
    data = heading(level) | {
        kept.name: {"signature": signature_at(kept, known, results)} for kept in levels_kept(level)
    }
    records = records_of(graph, level, ended, signer=signer)
    with held_off():
        return [{oid: {**spec, "reprodata": records[oid]} for oid, spec in _specs(graph)}, data]


def heading(level: Level) -> dict[str, Any]:
    """Return what each run at `level` says of itself as a whole."""
    meta = {"repro_protocol": PROTOCOL, "HashingAlg": "sha256"}
    return {"rmode": str(level.value), "mode": STRICT, "meta_data": meta}


def records_of(
    graph: PhysicalGraph,
    level: Level,
    ended: Ended,
    rows: Iterable[int] | None = None,
    signer: Signer | None = None,
) -> dict[str, dict[str, Any]]:
    """Return what counts of each drop, or of `rows` only, by their oids."""
    outside = {row: found for row, found in ended.contents.items() if _is_outside(graph, row)}
    evidence = Evidence(contents=outside, outcomes=ended.outcomes, codes=ended.codes)
    signer = signer or Signer()
    with held_off():
        return {
            graph.oids[row]: _record(graph, row, level, ended, signer, evidence)
            for row in (range(len(graph)) if rows is None else rows)
        }


def _specs(graph: PhysicalGraph) -> Iterable[tuple[str, Mapping[str, Any]]]:
    return zip(graph.oids, graph.specs, strict=True)


def results_signature(graph: PhysicalGraph, ended: Ended) -> str | None:
    """Return the signature of what went into a graph and what came out of it.

    Data are known by their name and which instance they are. None if some content is not known.
    """
    lines = []
    for row in ends_of(graph):
        content = ended.contents.get(row)
        if content is None:
            return None
        spec = graph.specs[row]
        name = spec.get("name") or graph.oids[row]
        lines.append(f"{len(str(name))}:{name} {spec.get('iid')} {content}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def ends_of(graph: PhysicalGraph) -> Iterable[int]:
    """Yield the rows of data with which a graph begins or ends: their content is needed."""
    after, before = graph.neighbours
    for row in range(len(graph)):
        if graph.kinds[row] == DropKind.DATA and (not after[row] or not before[row]):
            yield row


def _is_outside(graph: PhysicalGraph, row: int) -> bool:
    return not graph.neighbours[1][row]


def _record(
    graph: PhysicalGraph, row: int, level: Level, ended: Ended, signer: Signer, evidence: Evidence
) -> dict[str, Any]:
    own = signer.own(graph, row, evidence)
    found: dict[str, Any] = {"structure": own.structure}
    if level not in _ONLY_STRUCTURE:
        found["parameters"] = own.parameters
    if level not in _WITHOUT_CODE:
        found["code"] = own.code
    content = ended.contents.get(row)
    if content is not None:
        found["content"] = content
    return {"rmode": str(level.value), STRICT: found}


_ONLY_STRUCTURE = frozenset({Level.RERUN, Level.REPRODUCE, Level.REPLICATE_SCI})
_WITHOUT_CODE = _ONLY_STRUCTURE | {Level.REPEAT, Level.REPLICATE_TOTAL}


def level_of(run: Run) -> Level:
    """Return the level of which a run has data."""
    return parse_level(run.data.get("rmode", Level.NOTHING))
