"""Evidence of runs over several nodes: each tells of its drops, a manager above puts it together.

What a drop is made of is found where it runs: code, files, versions. How drops hang together, and
so the signatures, is known where the whole graph is. They are the same as if one process had run
it all: on which node something ran enters no signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from dlg.exceptions import DaliugeException
from dlg.graph import read_physical_graph
from dlg.reproducibility.evidence import (
    STRICT,
    Document,
    Ended,
    heading,
    strict_document,
)
from dlg.reproducibility.levels import Level
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.managers.composite_session import CompositeSession
from dlg_engine.managers.looking import at_node
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.managers.node_session import NodeSession
from dlg_engine.managers.paging import paged
from dlg_engine.sessions.evidence import run_told

Records = Mapping[str, Mapping[str, Any]]
"""What is known of drops, by oid."""


def evidence_look_ups(manager: NodeManager) -> Mapping[str, Callable[..., Any]]:
    """Return what a node answers about the evidence of its sessions."""

    def evidence_page(session_id: str, start: int) -> tuple[bytes, int]:
        witness = manager.session(session_id).witness
        return paged({} if witness is None else witness.records, start)

    return {
        "evidence_page": evidence_page,
        "has_evidence": lambda session_id: has_evidence(manager.session(session_id)),
    }


def has_evidence(session: NodeSession) -> bool:
    """Return whether a session has ended and its evidence is there."""
    return session.witness is not None and bool(session.witness.data)


def evidence_at_node(session: NodeSession) -> Document:
    """Return the drops of a session, with what is known of them, and what is known of the run.

    Before the end that is nothing.
    """
    specs, witness = session.own_specs(), session.witness
    if witness is None:
        return [specs, {}]
    return [_joined(specs, witness.records), dict(witness.data) or heading(witness.level)]


def all_have_evidence(manager: CompositeManager, session_id: str) -> bool:
    """Return whether a session has ended on all nodes and its evidence is there.

    Raises what a node raises that does not answer.
    """
    session = manager.session(session_id)
    level = session.options.level(session.asked)
    if level is Level.NOTHING or not session.settled:
        return False
    if not set(session.nodes) <= set(manager.roster.nodes):
        return False  # what was lost took it along
    return all(at_node(manager, node, "has_evidence", session_id) for node in session.nodes)


def evidence_of_nodes(manager: CompositeManager, session_id: str) -> Document:
    """Return the drops of a session, with what its nodes know of them, and that of the run.

    There are signatures when the session is over, if the whole graph is known here and all nodes
    have evidence; else the nodes that have none are named under `missing`, with the reason.
    """
    session = manager.session(session_id)
    level = session.options.level(session.asked)
    specs = manager.graph(session_id)
    if level is Level.NOTHING:
        return [specs, {}]
    if not session.settled:
        return [specs, heading(level)]
    records, missing = _gathered(manager, session)
    if missing or not session.is_whole:
        data = heading(level) | ({"missing": missing} if missing else {})
        document: Document = [_joined(specs, records), data]
    else:
        document = _assembled(session, level, records)
    more = {"nodes": list(session.nodes)}
    data = document[-1]
    data["run"] = run_told(session_id, session.started_s, session.ended_s, more)
    return document


def _gathered(
    manager: CompositeManager, session: CompositeSession
) -> tuple[Records, dict[str, str]]:
    """Return what the nodes know, and why some do not."""
    records: dict[str, Mapping[str, Any]] = {}
    missing: dict[str, str] = {}
    for node in session.nodes:
        try:
            manager.roster.known_child(node)
            if not at_node(manager, node, "has_evidence", session.session_id):
                missing[node] = "it did not come to the end of the session"
                continue
            for page in _pages(manager, node, session.session_id):
                records |= page
        except DaliugeException as error:
            missing[node] = str(error)
    return records, missing


def _pages(manager: CompositeManager, node: str, session_id: str) -> Iterator[Records]:
    start = 0
    while start >= 0:
        page, start = at_node(manager, node, "evidence_page", session_id, start)
        yield msgspec.json.decode(page)


def _assembled(session: CompositeSession, level: Level, records: Records) -> Document:
    """Return what the run of the whole graph leaves behind."""
    graph = read_physical_graph(list(session.specs))
    told = [records[oid] for oid in graph.oids]
    strict: list[Mapping[str, Any]] = [one[STRICT] for one in told]
    ended = Ended(
        [one["structure"]["outcome"] for one in strict],
        {row: one["content"] for row, one in enumerate(strict) if "content" in one},
        {row: one["code"] for row, one in enumerate(strict) if "code" in one},
    )
    document = strict_document(graph, level, ended)
    drops = document[0]
    for oid, one in zip(graph.oids, told, strict=True):
        also = {key: one[key] for key in ("node", "times", "path") if key in one}
        drops[oid]["reprodata"].update(also)
    return document


def _joined(specs: Mapping[str, Any], records: Records) -> dict[str, Any]:
    return {
        oid: {**spec, "reprodata": records[oid]} if oid in records else spec
        for oid, spec in specs.items()
    }
