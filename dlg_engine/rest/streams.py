"""The changes of a session as server-sent events: at once when little happens, bundled when much.

Nothing looks again and again whether there is more: the bell of the session wakes the stream, in
the event loop. After an event that tells changes a stream rests for a moment, so that a busy
session sends ten events a second and not one for each change; a step of the session itself (that
it is over, above all) ends the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from dlg.http.events import Event
from dlg.support import clock
from dlg_engine.managers.boards import Watched
from dlg_engine.managers.told import changes_told, summary

REST_S = 0.1
"""How long a stream rests after an event that tells changes."""
MOST_CHANGES = 5_000
"""How many changes one event tells at most."""


class Stream:
    """What one client is told of a session: every change after `version`, each exactly once."""

    def __init__(self, watched: Watched, version: int, *, rows: bool) -> None:
        self._watched, self._version, self._rows = watched, version, rows
        self._rested_s = 0.0

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the events, until the session is over and all has been told."""
        watched = self._watched
        alarm = _Alarm(watched)
        steps = -1
        try:
            while True:
                # In this order: what is settled when all has been told stays so.
                settled, taken = watched.settled, watched.bell.steps
                if taken != steps and not (settled and steps >= 0):  # the end is told last
                    yield await self._session()
                    steps = taken
                if (changes := self._changes()) is not None:
                    yield changes
                    self._rested_s = clock.monotonic() + REST_S
                elif settled:
                    yield await self._session(last=True)
                    return
                await alarm.wait(self._version, steps, self._rested_s - clock.monotonic())
        finally:
            alarm.close()

    async def _session(self, *, last: bool = False) -> Event:
        told = await asyncio.to_thread(summary, self._watched)  # errors may be long texts
        if not last:  # who has seen the end does not come back for what is still to be told
            told["ended"] = None
        return Event(told, "session")

    def _changes(self) -> Event | None:
        board = self._watched.board
        found = [] if board is None else board.journal.since(self._version, MOST_CHANGES)
        if board is None or not found:
            return None
        self._version += len(found)
        told = changes_told(board, found, rows=self._rows)
        return Event({"version": self._version, "changes": told}, "changes", str(self._version))


class _Alarm:
    """Wakes a stream when there is more to tell."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    async def wait(self, version: int, steps: int, rest_s: float) -> None:
        """Return when there is more than `version` or there are more `steps`, after a rest."""
        if rest_s > 0:
            await self._until(lambda: self._stepped(steps), rest_s)
        await self._until(lambda: self._stepped(steps) or self._more(version))

    def close(self) -> None:
        """Wake nobody any more."""
        self._watched.bell.forget(self._ring)

    async def _until(self, so: Callable[[], bool], rest_s: float | None = None) -> None:
        woken, bell = self._woken, self._watched.bell
        woken.clear()
        bell.when(self._ring, so, steps_only=rest_s is not None)
        timer = None if rest_s is None else self._loop.call_later(rest_s, woken.set)
        try:
            await woken.wait()
        finally:
            bell.forget(self._ring)
            if timer is not None:
                timer.cancel()

    def _stepped(self, steps: int) -> bool:
        return self._watched.settled or self._watched.bell.steps != steps

    def _more(self, version: int) -> bool:
        board = self._watched.board
        return board is not None and board.journal.version > version

    def _ring(self) -> None:
        with suppress(RuntimeError):  # the loop has ended, and the stream with it
            self._loop.call_soon_threadsafe(self._woken.set)
