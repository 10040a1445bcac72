"""What the routes of a scheduler of experiments know: its database, prefix and changes."""

from __future__ import annotations

from typing import Any

from dlg.exceptions import InvalidSessionState
from dlg_engine.rest.changes import Changes
from dlg_engine.scheduling import helpers, overview, planning, submitting
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.models import Experiment
from dlg_engine.scheduling.states import ExperimentState
from dlg_engine.scheduling.submitting import Site

OVER = (ExperimentState.DONE, ExperimentState.FAILED)


class BeatService:
    """A scheduler of experiments as its handlers see it."""

    def __init__(self, database: SchedulingDatabase, site: Site, address: str, name: str) -> None:
        self.database, self.site = database, site
        self.address, self.name = address, name
        self.changes = Changes(database.new_bell())

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
