"""The states of a graph that is being run elsewhere: they follow what is told, and decide nothing.

The rules are the same at the other end, where parts of the graph go through the ordinary flow.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dlg.ddap_protocol import AppDROPStates, DROPStates
from dlg.drops.live import LiveGraph
from dlg.drops.remote import unbox
from dlg.states.flow import Flow
from dlg.states.steps import (
    APP,
    APP_CANCEL,
    APP_FAIL,
    APP_OPEN,
    APP_SKIP,
    DATA_ENDS,
    DATA_FAIL,
    DATA_OPEN,
    DATA_SKIP,
    FINISH,
    GATE,
    NOT_RUN,
    RUN,
)
from dlg_engine.backends.working import News, Told, well

APP_ENDS = {
    AppDROPStates.ERROR: APP_FAIL,
    AppDROPStates.SKIPPED: APP_SKIP,
    AppDROPStates.CANCELLED: APP_CANCEL,
}


class MirrorFlow(Flow):
    """A flow in which only what nobody has to run moves by itself: data without producers."""

    __slots__ = ()

    def start(self, rows: Iterable[int]) -> None:
        """Complete the data among `rows`; apps are started elsewhere."""
        for row in rows:
            if not self.traits[row] & APP:
                self.complete(row)

    def _spread(self, row: int) -> None:
        if self.traits[row] & APP and (self.users or self.readers):
            self.used(row)

    def end(self) -> None:
        """Skip everything that has not begun, as far as is known here."""
        for row, status in enumerate(self.status):
            if status not in DATA_OPEN:
                continue
            if not self.traits[row] & APP:
                self._set_data(row, DATA_SKIP)
            elif self.exec_status[row] == NOT_RUN:
                self._set_app(row, APP_SKIP)
                self._spread(row)

    def follow(self, told: Told) -> None:
        """Take over the states that a part tells; what has ended here already stays as it is."""
        apps = []
        for row, status, exec_status in told.states:
            if self.traits[row] & APP:
                apps.append((row, exec_status))
            elif self.status[row] in DATA_OPEN and DROPStates(status) in DATA_ENDS:
                self._set_data(row, DATA_ENDS[DROPStates(status)])
                self._note(row, told)
        for row, exec_status in apps:  # after the data, which may be released now
            if self.exec_status[row] not in APP_OPEN:
                continue
            if exec_status == AppDROPStates.FINISHED:
                self._set_app(row, RUN)
                self._set_app(row, FINISH)
            elif AppDROPStates(exec_status) in APP_ENDS:
                self._set_app(row, APP_ENDS[AppDROPStates(exec_status)])
            else:
                continue
            self._note(row, told)
            self._spread(row)

    def lose(self, rows: Iterable[int], cause: int) -> None:
        """Let open data in `rows` have failed because of the app `cause`."""
        for row in rows:
            if self.status[row] in DATA_OPEN:
                self._set_data(row, DATA_FAIL)
                self.stopped_by[row] = cause

    def _note(self, row: int, told: Told) -> None:
        failure = unbox(told.failures.get(row))
        if failure is not None:
            self.failures[row] = failure
        cause = told.causes.get(row, -1)
        if cause not in {-1, row}:
            self.stopped_by[row] = cause


class Mirror:
    """A live graph that shows what happens to a graph elsewhere."""

    def __init__(self, live: LiveGraph, flow: MirrorFlow, rows: Sequence[Sequence[int]]) -> None:
        """`rows` are those of each part."""
        self.live, self._flow, self._rows = live, flow, rows
        self.parts: set[int] = set()
        """Parts that have told what came of them."""

    def take(self, news: News) -> Told:
        """Take note of what a part tells, and return it."""
        live = self.live
        told: Told
        if isinstance(news, int):
            told = well(news, self._rows[news], self._flow.traits)
        else:
            told = pickle.loads(news)  # noqa: S301  of workers of a cluster we trust
        for row, held in told.held.items():
            self._hold(live.drop(row), held)
        for row, results in told.results.items():
            app = live.drop(row)
            for name, value in results.items():
                setattr(app, name, value)
        with live.lock:
            live.warnings += told.warnings
            if told.is_all:
                self.parts.add(told.number)
        live.apply(self._flow.follow, told)
        return told

    def has_ended(self, told: Told) -> bool:
        """Return whether an end marker was reached by what was told."""
        gates = (row for row, status, _ in told.states if status == DROPStates.COMPLETED)
        return any(self._flow.traits[row] & GATE for row in gates)

    def _hold(self, drop: Any, held: tuple[int | None, int, Any]) -> None:
        """Let the object of data that is elsewhere know what is known of it."""
        size, drop._crc, place = held  # noqa: SLF001  as `receive` does
        drop._size = size  # noqa: SLF001
        if place is not None:
            drop.unpack(place)

    def fill(self, drop: Any, cargo: tuple[bool, Any]) -> None:
        """Give a completed drop what it holds, which was elsewhere."""
        whole, value = cargo
        if whole:
            drop.unpack(value)
        elif drop.status is DROPStates.COMPLETED:
            with self.live.lock:
                self._flow.status[self.live.row_of(drop.uid)] = DROPStates.INITIALIZED
            drop.write(value)
            drop.setCompleted()

    def fail(self, rows: Iterable[int], failure: Callable[[str], BaseException]) -> None:
        """Let open apps in `rows` have failed, with what `failure` makes of their uid.

        Open data in `rows` fails with them.
        """
        flow, live, cause, data = self._flow, self.live, -1, []
        for row in rows:
            if not flow.traits[row] & APP:
                data.append(row)
            elif flow.exec_status[row] in APP_OPEN:
                cause = row
                live.apply(flow.fail, row, failure(live.uids[row]))
        live.apply(flow.lose, data, cause)
