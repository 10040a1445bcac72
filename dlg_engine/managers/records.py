"""Sessions that are over, written down: read, and looked at as those are that run.

A record is one JSON object, perhaps packed by gzip:

    record   1, the version of this form
    session  the summary of the session
    graph    its dropspecs, in the order of their rows
    changes  [row, status, execution status or null, time] for each change, in order
    details  by oid, what is known beyond that of drops that failed

The existing system has a graph and, apart from it, a file of states: lines of JSON, each with the
states of drops by oid as they were at that moment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from dlg.ddap_protocol import DROPStates
from dlg.exceptions import UsageError
from dlg.graph.documents import read_document
from dlg.graph.dropspec import is_reprodata
from dlg.states.journal import NO_EXEC, ROW_BITS, Bell, pack
from dlg_engine.managers.boards import WholeBoard, as_column
from dlg_engine.sessions.states import SessionStates

VERSION = 1
ONE_NODE = "recorded"
"""The node of drops that do not say theirs."""
Spec = Mapping[str, Any]


class RecordError(UsageError):
    """A file is no record of a session."""


class Change(msgspec.Struct, array_like=True, frozen=True):
    """One change of a drop's status."""

    row: int
    status: int
    exec_status: int | None
    time_s: float


class Record(msgspec.Struct, frozen=True):
    """A session that is over."""

    record: int
    session: dict[str, Any]
    graph: list[dict[str, Any]]
    changes: list[Change]
    details: dict[str, dict[str, Any]] = {}


def read_record(path: Path) -> Record:
    """Return the record in a file; raise RecordError if it is none."""
    document, _ = read_document(path)
    try:
        found = msgspec.convert(document, Record)
    except msgspec.ValidationError as error:
        raise RecordError(f"{path} is no record of a session: {error}") from error
    if found.record != VERSION:
        raise RecordError(f"{path} is a record of form {found.record}; {VERSION} is known here")
    return _checked(found, str(path))


def record_of_existing(graph: Path, states: Path) -> Record:
    """Return what files of the existing system tell: a graph, and lines of states.

    They say no times: each line counts as a second. Raises RecordError for other files.
    """
    document, _ = read_document(graph)
    if not isinstance(document, list):
        raise RecordError(f"{graph} is no physical graph: a list of dropspecs is expected")
    specs = [spec for spec in document if not is_reprodata(spec)]
    oids = {str(spec.get("oid")): row for row, spec in enumerate(specs)}
    changes = list(_differences(_lines(states), oids, str(states)))
    ended = changes[-1].time_s if changes else 0.0
    last: dict[int, int] = {one.row: one.status for one in changes}
    failed = DROPStates.ERROR in last.values()
    state = SessionStates.FAILED if failed else SessionStates.FINISHED
    session = {
        "sessionId": graph.name.partition(".")[0], "status": int(state), "reason": "",
        "created": 0.0, "started": 0.0, "ended": ended, "errors": [],
    }  # fmt: skip
    return _checked(Record(VERSION, session, specs, changes), str(graph))


def _lines(path: Path) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    try:
        text = path.read_text()
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise RecordError(f"{path}, line {number}: {error}") from error
        if not isinstance(found, dict):
            raise RecordError(f"{path}, line {number}: states of drops by oid are expected")
        yield found


def _differences(
    lines: Iterable[Mapping[str, Mapping[str, Any]]], oids: Mapping[str, int], where: str
) -> Iterator[Change]:
    """Yield what has changed from line to line."""
    known: dict[str, tuple[int, int | None]] = {}
    for second, line in enumerate(lines, 1):
        for oid, told in line.items():
            if oid not in oids or not isinstance(told, Mapping):
                raise RecordError(f"{where}, line {second}: {oid!r} is no drop of the graph")
            state = int(told.get("status", 0)), told.get("execStatus")
            if state != known.get(oid, (0, None)):
                known[oid] = state
                yield Change(oids[oid], state[0], state[1], float(second))


def _checked(found: Record, where: str) -> Record:
    """Return a record whose drops have nodes; refuse one that does not fit together."""
    most, states = len(found.graph), set(DROPStates)
    for one in found.changes:
        if not 0 <= one.row < most or one.status not in states:
            raise RecordError(f"{where}: there is no drop {one.row}, or no state {one.status}")
    try:
        for spec in found.graph:
            spec["oid"] = str(spec["oid"])
            spec.setdefault("node", ONE_NODE)
        found.session["sessionId"] = str(found.session["sessionId"])
        SessionStates(found.session["status"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise RecordError(f"{where} is no record of a session: {error!r}") from error
    return found


class RecordedBoard(WholeBoard):
    """The drops of a record, as far as it has been played."""

    def play(self, changes: Sequence[Change]) -> None:
        """Let changes happen."""
        rows = np.fromiter((one.row for one in changes), np.int64, len(changes))
        for one in changes:
            self._status[one.row] = one.status
            self._exec[one.row] = one.exec_status or 0
        packed = [
            pack(one.row, one.status, NO_EXEC if one.exec_status is None else one.exec_status)
            for one in changes
        ]
        if int(rows.max(initial=0)) >> (64 - ROW_BITS):
            raise RecordError("a graph of so many drops cannot be numbered")
        self.journal.extend(
            as_column("Q", np.asarray(packed, np.uint64)),
            as_column("d", np.fromiter((one.time_s for one in changes), float, len(changes))),
        )


class RecordedSession:
    """A record as those see it who watch sessions: all of it has happened."""

    def __init__(self, record: Record) -> None:
        told = record.session
        self.record, self.session_id = record, str(told["sessionId"])
        self.reason = str(told.get("reason") or "")
        self.created_s = float(told.get("created") or 0.0)
        self.started_s, self.ended_s = told.get("started"), told.get("ended")
        self.reused = int(told.get("reused") or 0)
        self.nodes = list(dict.fromkeys(str(spec["node"]) for spec in record.graph))
        self.state = SessionStates(told["status"])
        self.settled = True
        self.bell = Bell()
        self.board = RecordedBoard(record.graph, self.nodes, self.bell)
        self.board.play(record.changes)

    @property
    def size(self) -> int:
        """Return how many drops it has."""
        return len(self.record.graph)

    def errors(self) -> list[dict[str, Any]]:
        """Return the drops that failed by themselves."""
        return list(self.record.session.get("errors") or ())

    def told_reason(self) -> str:
        """Return why it ended as it did."""
        return self.reason
