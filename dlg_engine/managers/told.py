"""What is told of a session to those who watch it, made of its board. Pure.

One set of functions for all levels. What a whole graph is told about works on columns; single
drops are looked at only for the page that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.exceptions import NoSessionException, UsageError
from dlg.graph.dropspec import entries
from dlg.states.journal import NO_EXEC, ROW_BITS, Change
from dlg_engine.managers.boards import Board, Rows, Spec, Watched

OPEN = (DROPStates.INITIALIZED, DROPStates.WRITING)
RUNNING = int(AppDROPStates.RUNNING)
FORWARD = ("inputs", "streamingInputs", "outputs")
INVERSE = {"inputs": "consumers", "streamingInputs": "streamingConsumers", "outputs": "producers"}


def heading(watched: Watched) -> dict[str, Any]:
    """Return how a session stands, without its errors: cheap at any size."""
    board = watched.board
    status = b"" if board is None else board.states()[0]
    counts = {state.name: status.count(int(state)) for state in DROPStates}
    still_open = sum(counts[state.name] for state in OPEN)
    state = watched.state
    return {
        "sessionId": watched.session_id,
        "status": int(state),
        "state": state.name,
        "drops": watched.size,
        "done": len(status) - still_open,
        "counts": {name: count for name, count in counts.items() if count},
        "reused": watched.reused,
        "reason": watched.told_reason(),
        "nodes": watched.nodes,
        "created": watched.created_s,
        "started": watched.started_s,
        "ended": watched.ended_s if watched.settled else None,
        "version": 0 if board is None else board.journal.version,
    }


def summary(watched: Watched) -> dict[str, Any]:
    """Return how a session stands, with the drops that failed."""
    return {**heading(watched), "errors": watched.errors()}


def session_page(
    ids: Sequence[str], find: Callable[[str], Watched], after: str, limit: int
) -> dict[str, Any]:
    """Return the headings of up to `limit` sessions, newest first, that come after `after`.

    `ids` are those of all sessions, oldest first. Raises NoSessionException for an `after` that
    is none of them.
    """
    newest = list(reversed(ids))
    try:
        start = newest.index(after) + 1 if after else 0
    except ValueError:
        raise NoSessionException(after) from None
    page = newest[start : start + limit]
    more = start + limit < len(newest)
    return {
        "sessions": [heading(find(one)) for one in page],
        "next": page[-1] if more and page else None,
    }


# -- changes -----------------------------------------------------------------------------------


def all_states(board: Board) -> dict[str, dict[str, int]]:
    """Return the state of each drop by its oid."""
    status, ran = board.states()
    shared: dict[tuple[int, int, int], dict[str, int]] = {}
    found = {}
    for oid, one in zip(board.oids, zip(status, ran, board.apps, strict=True), strict=True):
        state = shared.get(one)
        if state is None:
            state = shared[one] = _state(*one)
        found[oid] = state
    return found


def _state(status: int, ran: int, is_app: int) -> dict[str, int]:
    return {"status": status, "execStatus": ran} if is_app else {"status": status}


def states_since(board: Board, version: int) -> dict[str, Any]:
    """Return the present version, and the states that have changed after `version`.

    Raises UsageError for a version that has not come yet.
    """
    check_version(board, version)
    changes = board.journal.since(version)
    return {
        "version": version + len(changes),
        "drops": {
            board.oids[row]: {"status": status}
            if ran is None
            else {"status": status, "execStatus": ran}
            for row, status, ran, _time in changes
        },
    }


def check_version(board: Board | None, version: int) -> None:
    """Raise UsageError for a version that has not come yet."""
    present = 0 if board is None else board.journal.version
    if version > present:
        raise UsageError(f"since: the session is at version {present}; {version} is to come")


def changes_told(board: Board, changes: Sequence[Change], *, rows: bool) -> list[list[Any]]:
    """Return changes as events tell them, each drop by its row or its oid."""
    oids = board.oids
    return [[row if rows else oids[row], s, ran, at] for row, s, ran, at in changes]


# -- drops -------------------------------------------------------------------------------------


def drop_page(
    board: Board, *, offset: int, limit: int, state: str = "", text: str = ""
) -> dict[str, Any]:
    """Return up to `limit` drops in `state` with `text` in their name, oid or category.

    A state is one of data (ERROR) or of an app's execution (RUNNING). `total` counts all that are
    meant.
    """
    status, ran = board.states()
    chosen = _in_state(board, status, ran, state)
    if text:
        wanted = text.casefold()
        chosen = [row for row in chosen if any(wanted in t.casefold() for t in _texts(board, row))]
    page = chosen[offset : offset + limit]
    more = offset + limit < len(chosen)
    return {
        "total": len(chosen),
        "drops": [describe(board, row, status, ran) for row in page],
        "next": offset + limit if more else None,
    }


def _in_state(board: Board, status: bytes, ran: bytes, state: str) -> Sequence[int]:
    if not state:
        return range(len(board))
    wanted = state.upper()
    if wanted in DROPStates.__members__:
        found = _array(status) == int(DROPStates[wanted])
    elif wanted in AppDROPStates.__members__:
        found = _array(ran) == int(AppDROPStates[wanted])
        found &= _array(board.apps) > 0
    else:
        known = ", ".join([*DROPStates.__members__, "RUNNING", "FINISHED"])
        raise UsageError(f"state: there is no state {state!r}; there are {known}")
    rows: list[int] = np.flatnonzero(found).tolist()
    return rows


def _texts(board: Board, row: int) -> Iterator[str]:
    yield board.oids[row]
    yield name_of(board, row)
    yield category_of(board.specs[row])


def describe(board: Board, row: int, status: bytes, ran: bytes) -> dict[str, Any]:
    """Return what a list of drops tells of one."""
    is_app = board.apps[row]
    return {
        "row": row,
        "oid": board.oids[row],
        "name": name_of(board, row),
        "kind": "app" if is_app else "data",
        "category": category_of(board.specs[row]),
        "node": board.nodes[board.node_of[row]],
        "status": status[row],
        "execStatus": ran[row] if is_app else None,
    }


def name_of(board: Board, row: int) -> str:
    """Return what people call a drop."""
    return str(board.specs[row].get("name") or board.oids[row])


def category_of(spec: Spec) -> str:
    """Return the category of a drop, or else the name of its class."""
    return str(spec.get("category") or str(spec.get("dropclass", "")).rpartition(".")[2])


def links_of(board: Board, row: int) -> dict[str, list[str]]:
    """Return the oids of the drops that one is linked to, by the name of the link."""
    found: dict[str, list[str]] = {}
    spec, oid = board.specs[row], board.oids[row]
    for key in (*FORWARD, *INVERSE.values(), "children"):
        found[key] = [other for other, _ in entries(spec.get(key) or ())]
    if not board.apps[row]:  # a link stands on the side of the app
        for other, one in zip(board.oids, board.specs, strict=True):
            for key in FORWARD:
                links = one.get(key)
                if links and any(linked == oid for linked, _ in entries(links)):
                    found[INVERSE[key]].append(other)
    return {key: list(dict.fromkeys(oids)) for key, oids in found.items()}


def times_of(board: Board, row: int) -> tuple[float | None, float | None]:
    """Return when a drop began (to run, to be written) and when it ended."""
    packed, times = (np.array(column) for column in board.journal.columns())
    if not len(packed):
        return None, None
    places = np.flatnonzero(packed >> np.uint64(ROW_BITS) == np.uint64(row))
    began = ended = None
    for place in places.tolist():
        state, ran = int(packed[place]) >> 8 & 0xFF, int(packed[place]) & 0xFF
        is_open = ran == RUNNING if ran != NO_EXEC else state == DROPStates.WRITING
        if is_open:
            began = float(times[place])
        elif ended is None:
            ended = float(times[place])
    return began, ended


# -- the timeline ------------------------------------------------------------------------------


def timeline(board: Board, most: int, now_s: float) -> dict[str, Any]:
    """Return when each app ran on which node; of more than `most`, those that took longest."""
    packed, times = (np.array(column) for column in board.journal.columns())
    packed = packed.astype(np.uint64)
    ran = (packed & np.uint64(0xFF)).astype(np.int64)
    rows: Rows = (packed >> np.uint64(ROW_BITS)).astype(np.int64)
    began = np.full(len(board), np.nan)
    begins = ran == RUNNING
    began[rows[begins]] = times[begins]
    ended = np.full(len(board), np.nan)
    ends = (ran != NO_EXEC) & ~begins
    ended[rows[ends]] = times[ends]
    apps = np.flatnonzero(~np.isnan(began))
    spent = np.nan_to_num(ended[apps], nan=now_s) - began[apps]
    kept = apps
    if len(apps) > most:
        kept = np.sort(apps[np.argsort(-spent, kind="stable")[:most]])
    status = board.states()[0]
    spans = [
        [row, board.node_of[row], began[row], None if np.isnan(ended[row]) else ended[row],
         status[row]]
        for row in kept.tolist()
    ]  # fmt: skip
    return {"nodes": list(board.nodes), "spans": spans, "dropped": len(apps) - len(kept)}


def _array(column: bytes) -> Any:
    return np.frombuffer(column, dtype=np.uint8)
