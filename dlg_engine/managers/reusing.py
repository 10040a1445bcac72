"""Reuse over several nodes: the calls by which keys come about, between deployment and start."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from dlg.exceptions import DaliugeException
from dlg.graph import read_physical_graph
from dlg.rpc import Peer
from dlg_engine.managers.children import Children, gather
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.managers.node_session import NodeSession
from dlg_engine.managers.paging import paged
from dlg_engine.managers.roster import Roster
from dlg_engine.managers.split import Spec
from dlg_engine.reuse.parts import Look, PartReuse, keys_of

logger = logging.getLogger(__name__)

AT_ONCE = 20_000
"""How many keys go in one call."""
_LOOKS = msgspec.json.Decoder(dict[str, Look])


def reuse_look_ups(manager: NodeManager) -> Mapping[str, Callable[..., Any]]:
    """Return what a node answers about what it may reuse."""

    def reuse_of(session_id: str) -> PartReuse | None:
        found = manager.session(session_id).reuse
        return found if isinstance(found, PartReuse) else None

    def reuse_page(session_id: str, start: int) -> tuple[bytes, int, str]:
        found = reuse_of(session_id)
        if found is None:
            return b"{}", -1, ""
        return *paged(found.looks, start), found.variables

    def reuse_keys(session_id: str, packed: bytes) -> None:
        found = reuse_of(session_id)
        if found is not None:
            found.take_keys(msgspec.json.decode(packed, type=dict[str, str]))

    def is_spoiled(session_id: str, oid: str) -> bool:
        session = manager.session(session_id)
        if session.reuse is None or session.live is None:
            return True
        return session.reuse.is_spoiled(session.live.row_of(oid))

    return {"reuse_page": reuse_page, "reuse_keys": reuse_keys, "is_spoiled": is_spoiled}


def look_for_changes(session: NodeSession, source: Peer, oid: str, into: str) -> None:
    """Ask the node that data came from whether it is still what was signed for reuse.

    If it is not, or nobody knows, nothing is kept of what is made of it.
    """
    if session.reuse is None or session.live is None:
        return
    try:
        spoiled = bool(source.call("is_spoiled", session.session_id, oid))
    except DaliugeException as error:
        logger.info("nobody knows whether %s was changed meanwhile: %s", oid, error)
        spoiled = True
    if spoiled:
        session.reuse.spoil([session.live.row_of(into)])


def share_keys(
    calls: Children, roster: Roster, session_id: str, specs: Sequence[Spec], nodes: Sequence[str]
) -> None:
    """Let the nodes of a session that has been deployed know the keys of what their apps make.

    Raises SubManagerException if one of them does not answer.
    """
    below = _Below(calls, roster, session_id)
    looks, variables = below.looks(nodes)
    graph = read_physical_graph(list(specs))
    keys = keys_of(graph, [looks[oid] for oid in graph.oids], variables)
    home = {str(spec["oid"]): str(spec["node"]) for spec in specs}
    by_node: dict[str, dict[str, str]] = {}
    for row, key in keys.items():
        (app,) = graph.neighbours[1][row]
        by_node.setdefault(home[graph.oids[app]], {})[graph.oids[row]] = key
    below.tell(by_node)


class _Below:
    """The nodes of a session, as they are reached from here."""

    def __init__(self, calls: Children, roster: Roster, session_id: str) -> None:
        self._calls, self._roster, self._session_id = calls, roster, session_id

    def looks(self, nodes: Sequence[str]) -> tuple[dict[str, Look], list[str]]:
        """Return what nodes have seen of their drops, and the hashes of their variables."""
        found: dict[str, Look] = {}
        variables: list[str] = []
        starts = dict.fromkeys(nodes, 0)
        while starts:  # a page of each of them at a time
            waiting = [(n, self._call(n, "reuse_page", start)) for n, start in starts.items()]
            starts = {}
            for node, (page, following, told) in gather(waiting).items():
                found |= _LOOKS.decode(page)
                if following < 0:
                    variables.append(told)
                else:
                    starts[node] = following
        return found, variables

    def tell(self, keys: Mapping[str, Mapping[str, str]]) -> None:
        """Tell nodes the keys of what their apps make."""
        gather(
            (node, self._call(node, "reuse_keys", packed))
            for node, theirs in keys.items()
            for packed in _chunks(theirs)
        )

    def _call(self, node: str, method: str, *args: Any) -> Future[Any]:
        child, own = self._roster.child(node), (self._session_id, *args)
        if child == node:
            return self._calls.call(node, method, *own)
        return self._calls.call(child, "of_node", node, method, *own)


def _chunks(keys: Mapping[str, str]) -> Iterator[bytes]:
    items = list(keys.items())
    for start in range(0, len(items), AT_ONCE):
        yield msgspec.json.encode(dict(items[start : start + AT_ONCE]))
