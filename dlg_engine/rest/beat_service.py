"""What the routes of a scheduler of experiments know: its database, prefix and changes."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import Any

from dlg.exceptions import InvalidSessionState
from dlg.http.events import Event, EventQueue
from dlg_engine.scheduling import helpers, overview, planning, submitting
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.models import Experiment
from dlg_engine.scheduling.states import ExperimentState
from dlg_engine.scheduling.submitting import Site

MOST_CLIENTS = 1000
OVER = (ExperimentState.DONE, ExperimentState.FAILED)


class Changes:
    """Tells any number of clients that something has changed; they ask for what they show.

    One thread sleeps until somebody rings, in whichever process.
    """

    def __init__(self, database: SchedulingDatabase) -> None:
        self._bell = database.new_bell()
        self._fd = self._bell.listen()
        self._wake_r, self._wake_w = os.pipe()
        self._lock = threading.Lock()
        self._clients: set[EventQueue] = set()
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="dlg-beat-changes", daemon=True)
        self._thread.start()

    def follow(self) -> EventQueue:
        """Return the events for one client: one at once, and one for each change."""
        queue = EventQueue(lambda: self._forget(queue), most_waiting=MOST_CLIENTS)
        with self._lock:
            self._clients.add(queue)
            queue.put(self._event())
        return queue

    def _event(self) -> Event:
        return Event({"version": self._count}, "changed", str(self._count))

    def _forget(self, queue: EventQueue) -> None:
        with self._lock:
            self._clients.discard(queue)

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._fd, self._wake_r], [], [])
            if self._wake_r in ready:
                return
            self._bell.heard()
            with self._lock:
                self._count += 1
                for queue in self._clients:
                    queue.put(self._event())

    def close(self) -> None:
        """Tell nobody anything any more."""
        os.write(self._wake_w, b"!")
        self._thread.join()
        self._bell.close()
        with self._lock:
            clients, self._clients = self._clients, set()
        for queue in clients:
            queue.end()
        for fd in (self._wake_r, self._wake_w):
            with contextlib.suppress(OSError):
                os.close(fd)


class BeatService:
    """A scheduler of experiments as its handlers see it."""

    def __init__(self, database: SchedulingDatabase, site: Site, address: str, name: str) -> None:
        self.database, self.site = database, site
        self.address, self.name = address, name
        self.changes = Changes(database)

    def info(self) -> dict[str, Any]:
        """Return what it is and where workers connect."""
        return {"name": self.name, "workers": self.address, "prefix": str(self.site.prefix)}

    def queues(self) -> list[dict[str, Any]]:
        """Return the queues."""
        with self.database.reading() as session:
            return overview.queues(session)

    def workers(self) -> list[dict[str, Any]]:
        """Return the workers."""
        with self.database.reading() as session:
            return overview.workers(session)

    def experiments(self, limit: int, before: int | None) -> dict[str, Any]:
        """Return the newest experiments, and where the next page begins."""
        with self.database.reading() as session:
            found = overview.experiments(session, limit + 1, before)
        more = len(found) > limit
        return {"experiments": found[:limit], "next": found[limit - 1]["id"] if more else None}

    def experiment(self, number: int) -> dict[str, Any]:
        """Return one experiment with its blocks."""
        with self.database.reading() as session:
            return overview.experiment(session, number)

    def results(self, number: int) -> dict[str, Any]:
        """Return what the analyzers of an experiment have found."""
        with self.database.reading() as session:
            found = overview.find_experiment(session, number)
            done = [one for one in found.blocks if one.analyzer and one.status.name == "DONE"]
            return {one.name: submitting.results_of(self.site, one) for one in done}

    def submit(self, name: str) -> dict[str, Any]:
        """Schedule an experiment of the prefix."""
        made = submitting.submit(self.site, name, self.database)
        return self.experiment(made.id)

    def cancel(self, number: int) -> None:
        """Cancel an experiment; raise InvalidSessionState if there is nothing to cancel."""
        found = self._find(number)
        if not helpers.cancel_experiment(found, database=self.database):
            raise InvalidSessionState(f"{found.name} is {found.status.name.lower()}")

    def schedule(self, number: int) -> None:
        """Schedule an experiment again; raise InvalidSessionState if it is not over."""
        found = self._find(number)
        if found.status in OVER:
            planning.reset_experiment(found, database=self.database)
        if not helpers.schedule_experiment(found, database=self.database):
            raise InvalidSessionState(f"{found.name} is {found.status.name.lower()}")

    def delete(self, number: int) -> None:
        """Forget an experiment that is not waited for."""
        planning.delete_experiment(self._find(number), database=self.database)

    def _find(self, number: int) -> Experiment:
        with self.database.reading() as session:
            return overview.find_experiment(session, number)
