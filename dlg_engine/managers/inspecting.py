"""What there is to know of single drops and of the logs, from the node that has them.

A manager above asks the node, a master through the island that has it. What concerns the whole
graph, as links and rows do, it knows itself.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates
from dlg.exceptions import DaliugeException, InvalidSessionState, NoSessionException, UsageError
from dlg.rpc import PeerLostError
from dlg.support.session_log import SessionLogs, read_log
from dlg_engine.managers.boards import Board
from dlg_engine.managers.composite import CompositeManager
from dlg_engine.managers.node_manager import NodeManager
from dlg_engine.managers.previews import preview
from dlg_engine.managers.told import describe, links_of, times_of

MOST_TRACEBACK = 20_000
MOST_LINES = 10_000
"""How many lines of the log of a session are given, the last ones."""


def inspections(manager: NodeManager) -> Mapping[str, Callable[..., Any]]:
    """Return what a node can be asked about its drops and logs."""

    def find(session_id: str, oid: str) -> Any:
        board = manager.session(session_id).board
        if board is None:
            raise InvalidSessionState(f"session {session_id} has not been deployed")
        return board.drop(oid)

    def drop_state(session_id: str, oid: str) -> dict[str, Any]:
        drop, reuse = find(session_id, oid), manager.session(session_id).reuse
        live = manager.session(session_id).live
        taken = reuse is not None and live is not None and live.row_of(oid) in reuse.reused
        return {**state_of(drop), "reused": taken}

    def drop_logs(session_id: str, oid: str, most: int) -> list[dict[str, Any]]:
        uid, session = find(session_id, oid).uid, manager.session(session_id)
        return read_log(session.directory, drop=uid, since=session.created_s, most=most)

    def drop_preview(session_id: str, oid: str, most: int) -> dict[str, Any]:
        return preview(find(session_id, oid), manager.session(session_id).directory, most)

    def session_logs(session_id: str) -> list[dict[str, Any]]:
        session = manager.session(session_id)
        lines = read_log(session.directory, since=session.created_s, most=MOST_LINES)
        # A process that runs apps for this one does not know of which node it is.
        return [{**line, "node": line.get("node") or manager.node} for line in lines]

    return {
        "drop_state": drop_state,
        "drop_logs": drop_logs,
        "drop_preview": drop_preview,
        "session_logs": session_logs,
    }


def logs_of(manager: NodeManager) -> SessionLogs:
    """Return what writes the logs of the sessions of a node."""

    def directory_of(session_id: str) -> Path | None:
        try:
            return manager.session(session_id).directory
        except NoSessionException:  # it was deleted while something still runs
            return None

    return SessionLogs(directory_of, node=manager.node)


def inspect_node(manager: NodeManager, what: str, *args: Any) -> Any:
    """Return what a node tells of its drops and logs."""
    try:
        method = inspections(manager)[what]
    except KeyError:
        raise UsageError(f"{what!r} is nothing that can be asked of a node") from None
    return method(*args)


def inspect(manager: CompositeManager, node: str, what: str, *args: Any) -> Any:
    """Return what a node below tells of its drops and logs; raise what it raises.

    Raises PeerLostError at once if the node is lost.
    """
    child = manager.roster.known_child(node)
    return manager.calls.call(child, "inspect", node, what, *args).result()


def home_of(manager: CompositeManager, session_id: str, oid: str) -> str:
    """Return the node that has a drop; raise NoDropException if none has."""
    board = manager.session(session_id).board
    if board is None:
        raise InvalidSessionState(f"session {session_id} has not been deployed")
    return board.nodes[board.node_of[board.row_of(oid)]]


def logs_of_nodes(manager: CompositeManager, session_id: str) -> list[dict[str, Any]]:
    """Return the log of a session on all its nodes, in order of time.

    A node that does not answer is named in a line of its own.
    """
    found: list[dict[str, Any]] = []
    session = manager.session(session_id)
    there = set(manager.roster.nodes)
    waiting = {
        n: manager.calls.call(manager.roster.child(n), "inspect", n, "session_logs", session_id)
        for n in session.nodes if n in there
    }  # fmt: skip
    for node in session.nodes:
        try:
            if node not in waiting:
                raise PeerLostError("it is lost")
            found += waiting[node].result()
        except DaliugeException as error:
            found.append({"time": session.created_s, "level": "ERROR", "node": node, "drop": "",
                          "module": __name__, "function": "", "line": 0,
                          "message": f"the log of this node cannot be had: {error}"})  # fmt: skip
    return sorted(found, key=lambda line: float(line["time"]))


def state_of(drop: Any) -> dict[str, Any]:
    """Return what a drop knows of itself."""
    failure = drop.failure
    return {
        "uid": drop.uid,
        "error": None if failure is None else failure_told(failure),
        "stopped_by": drop.stopped_by,
        "phase": int(drop.phase),
        "size": _size(drop),
        "dataURL": _known(drop, "dataURL"),
    }


def failure_told(failure: BaseException) -> dict[str, str]:
    """Return a failure in full: its class, what it says, and where it happened."""
    whole = "".join(traceback.format_exception(failure))
    return {
        "class": type(failure).__name__,
        "module": type(failure).__module__,
        "message": str(failure),
        "traceback": whole[-MOST_TRACEBACK:],
    }


def detail(board: Board, oid: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return all there is to know of a drop; `state` is what its node says."""
    row = board.row_of(oid)
    began, ended = times_of(board, row)
    return {
        **describe(board, row, *board.states()),
        **state,
        "spec": board.specs[row],
        "began": began,
        "ended": ended,
        "links": links_of(board, row),
    }


def _size(drop: Any) -> Any:
    """Return how many bytes data has, where that is known without writing an object out."""
    if not isinstance(drop, InMemoryDROP) or drop.status is not DROPStates.COMPLETED:
        return _known(drop, "size")
    if drop.is_parcel:
        return None
    value = drop.value()
    return len(value) if isinstance(value, bytes) else getattr(value, "nbytes", None)


def _known(drop: Any, name: str) -> Any:
    """Return a property that data may have; None if it has none, or none any more."""
    try:
        return getattr(drop, name, None)
    except (DaliugeException, OSError):
        return None
