"""What those who watch a session look at: its drops as columns, and every change of them.

A board is the same at all levels. That of a node shows its own drops, by rows of its live graph;
that of a manager above shows the whole graph, and is filled with what the nodes tell. The drops
that stand in for those of other nodes are on no board.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from array import array
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.drops.live import LiveGraph
from dlg.exceptions import NoDropException
from dlg.graph.dropspec import TYPE_NAMES
from dlg.graph.physical import DropKind
from dlg.states.journal import NO_EXEC, ROW_BITS, Bell, Journal
from dlg.states.steps import APP
from dlg.support import clock
from dlg_engine.sessions.states import SessionStates

Spec = Mapping[str, Any]
Rows = npt.NDArray[np.int64]
PACKED = np.dtype("<u8")
TIMES = np.dtype("<f8")
"""How the columns of a journal travel."""


class Board(ABC):
    """The drops of a session by row, and the journal of their changes."""

    oids: Sequence[str]
    specs: Sequence[Spec]
    nodes: Sequence[str]
    """The nodes that run them."""
    node_of: Sequence[int]
    """For each row its node, as a place in `nodes`."""
    apps: bytes
    """For each row whether it is an app."""
    journal: Journal

    def __len__(self) -> int:
        return len(self.oids)

    @abstractmethod
    def states(self) -> tuple[bytes, bytes]:
        """Return the status of each row as it is now, and its execution status."""

    @cached_property
    def _index(self) -> Mapping[str, int]:
        return {oid: row for row, oid in enumerate(self.oids)}

    def row_of(self, oid: str) -> int:
        """Return the row of a drop; raise NoDropException if there is none."""
        try:
            return self._index[oid]
        except KeyError:
            raise NoDropException(oid) from None


class Watched(Protocol):
    """A session as those see it who watch it, at whichever level."""

    session_id: str
    reason: str
    created_s: float
    started_s: float | None
    ended_s: float | None

    @property
    def reused(self) -> int:
        """Return how many apps did not have to run, as their results were in a store."""

    @property
    def state(self) -> SessionStates:
        """Return how it stands."""

    @property
    def settled(self) -> bool:
        """Return whether it is over, and nothing more will be told of its drops."""

    @property
    def bell(self) -> Bell:
        """Return what rings at every change and step."""

    @property
    def board(self) -> Board | None:
        """Return its drops; None before it is deployed."""

    @property
    def nodes(self) -> list[str]:
        """Return the nodes that run it."""

    @property
    def size(self) -> int:
        """Return how many drops it has."""

    def errors(self) -> list[dict[str, Any]]:
        """Return the drops that failed by themselves, those that stopped most first."""

    def told_reason(self) -> str:
        """Return why it ended as it did, where no drop says it."""


def wait_until_settled(watched: Watched, timeout_s: float) -> bool:
    """Wait until a session has settled; return whether it has."""
    woken, deadline = threading.Event(), clock.monotonic() + timeout_s
    while not watched.settled and (left_s := deadline - clock.monotonic()) > 0:
        woken.clear()
        watched.bell.when(woken.set, lambda: watched.settled, steps_only=True)
        woken.wait(left_s)
    watched.bell.forget(woken.set)
    return watched.settled


class NodeBoard(Board):
    """The drops of a node, as they are in its live graph."""

    def __init__(
        self, live: LiveGraph, node: str, journal: Journal, own: Sequence[int] | None
    ) -> None:
        """Show the rows `own` of the live graph, or all of them."""
        self._flow, self._own, self.journal = live.flow, own, journal
        self._live = live
        self.nodes = [node]
        self.oids = live.oids if own is None else [live.oids[row] for row in own]
        self.specs = live.specs if own is None else [live.specs[row] for row in own]
        self.node_of = bytes(len(self.oids))
        traits = np.frombuffer(bytes(live.flow.traits), dtype=np.uint8)
        self.apps = self._pick((traits & APP).astype(np.uint8).tobytes())

    def states(self) -> tuple[bytes, bytes]:
        """Return the status of each row as it is now, and its execution status."""
        return self._pick(bytes(self._flow.status)), self._pick(bytes(self._flow.exec_status))

    def drop(self, oid: str) -> Any:
        """Return a drop; raise NoDropException if there is none."""
        row = self.row_of(oid)
        return self._live.drop(row if self._own is None else self._own[row])

    def _pick(self, column: bytes) -> bytes:
        if self._own is None:
            return column
        rows = np.asarray(self._own, dtype=np.int64)
        return np.frombuffer(column, dtype=np.uint8)[rows].tobytes()


class WholeBoard(Board):
    """The drops of a graph that several nodes run, as far as these have told."""

    def __init__(self, specs: Sequence[Spec], nodes: Sequence[str], bell: Bell) -> None:
        """Start with everything INITIALIZED; `specs` say which node each drop is on."""
        app = TYPE_NAMES[DropKind.APP]
        place = {node: k for k, node in enumerate(nodes)}
        self.specs, self.nodes = specs, list(nodes)
        self.oids = [str(spec["oid"]) for spec in specs]
        self.node_of = array("i", [place[str(spec["node"])] for spec in specs])
        self.apps = bytes(spec.get("categoryType") == app for spec in specs)
        self.journal = Journal(bell)
        self._status = np.zeros(len(specs), dtype=np.uint8)
        self._exec = np.zeros(len(specs), dtype=np.uint8)
        homes = np.asarray(self.node_of, dtype=np.int64)
        self._rows = {node: np.flatnonzero(homes == k) for node, k in place.items()}

    def states(self) -> tuple[bytes, bytes]:
        """Return the status of each row as it is now, and its execution status."""
        return self._status.tobytes(), self._exec.tobytes()

    def take(self, node: str, packed: npt.NDArray[Any], times: npt.NDArray[Any]) -> None:
        """Note changes of a node's drops, which are numbered by that node."""
        rows = self._rows[node][(packed >> np.uint64(ROW_BITS)).astype(np.int64)]
        states = packed & np.uint64((1 << ROW_BITS) - 1)
        # Where a row comes several times its last value stays.
        self._status[rows] = (states >> np.uint64(8)).astype(np.uint8)
        ran = (states & np.uint64(0xFF)).astype(np.uint8)
        self._exec[rows] = np.where(ran == 0xFF, 0, ran)  # noqa: PLR2004  NO_EXEC
        whole = rows.astype(np.uint64) << np.uint64(ROW_BITS) | states
        self.journal.extend(as_column("Q", whole), as_column("d", times))

    def lost_with(self, node: str) -> npt.NDArray[Any]:
        """Return changes, numbered by the node, by which its open drops end as failed."""
        rows = self._rows[node]
        still_open = np.flatnonzero(self._status[rows] <= DROPStates.WRITING)
        is_app = np.frombuffer(self.apps, dtype=np.uint8)[rows[still_open]]
        ran = np.where(is_app, int(AppDROPStates.ERROR), NO_EXEC).astype(PACKED)
        ended = still_open.astype(PACKED) << PACKED.type(ROW_BITS)
        return ended | PACKED.type(int(DROPStates.ERROR) << 8) | ran


def as_column(kind: str, values: npt.NDArray[Any]) -> array[Any]:
    """Return an array of numpy as a column of a journal."""
    column = array(kind)
    column.frombytes(np.ascontiguousarray(values).tobytes())
    return column
