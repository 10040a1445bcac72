"""The scheduler: gives splits to workers and notes what they say.

Nothing is looked at at intervals: it sleeps until a worker says something, somebody rings because
the database has changed, or a lease runs out. All it knows is in the database: another one that
takes its place goes on.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import select as polling
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import exc, select

from dlg.beat import worker_frames as frames
from dlg.beat.worker import WorkerController
from dlg.beat.worker_frames import Terms
from dlg.exceptions import RunError
from dlg.rpc.contract import Keys
from dlg.support import clock
from dlg_engine.scheduling import assigning, helpers, progress, roll
from dlg_engine.scheduling.binding import SchedulingDatabase, here, work
from dlg_engine.scheduling.models import Job, JobSplit
from dlg_engine.scheduling.states import SplitState

logger = logging.getLogger(__name__)

FIRST_RECHECK_S, LAST_RECHECK_S = 0.1, 5.0
"""How soon, and how late, it is looked again for files that are on their way."""
A_DAY_MS = 86_400_000
MOST_MESSAGES = 1000
"""How many messages are taken before splits are given away again."""
_UNKNOWN_JOB = re.compile(r"Unknown job: (\d{1,18})")
SILENT = "its worker was lost"
TOO_LONG = "it took longer than its queue allows, or its process has died"


@dataclass(frozen=True, kw_only=True)
class SchedulerOptions:
    """How a scheduler is run."""

    name: str = "main"
    """Tells several on one database apart; the one that takes its place has the same."""
    host: str = "127.0.0.1"
    port: int | None = 0
    """Where workers connect."""
    terms: Terms = field(default_factory=Terms)
    keys: Keys | None = None
    worker_cores: int = 1
    """How many cores a worker has that does not say so."""
    grace_s: float = 30.0
    """How long beyond its limit a split may take on a worker that holds nobody to it."""


class Scheduler:
    """A scheduler while it runs; it belongs to the thread that calls `run`."""

    def __init__(self, database: SchedulingDatabase, options: SchedulerOptions) -> None:
        self.database, self.options = database, options
        callbacks = WorkerController.Callbacks()
        callbacks.onWorkerReady, callbacks.onWorkerGone = self._comes, self._goes
        callbacks.onJobLost, callbacks.onJobFound = self._lost, self._found
        self.controller = WorkerController(
            options.host, options.port, callbacks, terms=options.terms, keys=options.keys
        )
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        self._bell = database.new_bell()
        for descriptor in (self._wake_r, self._bell.listen()):
            self.controller.poller.register(descriptor, polling.POLLIN)
        self._ending = False
        self._reclaimed: set[int] = set()
        """Numbers of splits that old workers were told to stop, to be given away anew."""
        self._wake_at: float | None = None
        """When something is to be looked after though nobody says anything."""

    @property
    def address(self) -> str:
        """Return where workers connect."""
        return str(self.controller.address)

    def end(self) -> None:
        """Let `run` return; any thread may call this."""
        self._ending = True
        os.write(self._wake_w, b"!")

    def run(self) -> None:
        """Schedule until told to end. Raises RunError if the database is lost."""
        try:
            self._take_over()
            while not self._ending:
                self._advance()
                self._listen()
        except exc.DBAPIError as error:
            raise RunError(f"the database has failed: {error.orig}") from error
        finally:
            self.controller.destroy()
            self._bell.close()
            os.close(self._wake_r)
            os.close(self._wake_w)

    def _take_over(self) -> None:
        """Begin where an earlier scheduler of this name has stopped."""
        with work(database=self.database) as session:
            self.controller.expect(roll.take_over(session, self.options.name))
            for split in session.scalars(select(JobSplit).where(JobSplit.stop_told)):
                split.stop_told = False  # it may not have come to that

    def _advance(self) -> None:
        """Do all that can be done now."""
        how: dict[str, Any] = {"scheduler": self.options.name, "database": self.database}
        for split in helpers.process_newly_cancelled_experiments(**how):
            if split.worker is not None and split.assignment_id is not None:
                self.controller.cancel(split.worker.name, split.assignment_id)
        helpers.split_new_jobs(database=self.database)
        for split in helpers.assign_splits_to_workers(**how):
            self._send(split)
        self._wake_at = min(filter(None, (self._recheck(), self._end_overdue())), default=None)

    def _send(self, split: JobSplit) -> None:
        worker, number = split.worker, split.assignment_id
        if worker is None or number is None:
            return
        told = helpers.get_configuration_for_split(split, database=self.database)
        if self.controller.beats(worker.name):
            self.controller.execute(worker.name, number, told)
        elif self.controller.execute(worker.name, number, assigning.as_existing(told)):
            self._note("started", split)  # it will not say so itself

    def _listen(self) -> None:
        outcome = self.controller.process(self._patience_ms())
        for _ in range(MOST_MESSAGES):
            if outcome is not None:
                self._hear(*outcome)
            if not self.controller.pending():
                break
            outcome = self.controller.process(0)
        self._bell.heard()
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_r, 4096)

    def _patience_ms(self) -> int:
        if self._wake_at is None:
            return A_DAY_MS
        return max(0, int((self._wake_at - clock.now()) * 1000) + 1)

    # -- what workers say

    def _hear(self, worker: bytes, word: bytes, number: int | None, rest: Sequence[bytes]) -> None:
        name = _text(worker)
        if word == frames.ERROR:
            number = self._complaint(name, number, rest)
        if number is None:
            return
        split = self._split(name, number)
        if split is None:
            self._reclaimed.discard(number)
            logger.info("worker %s speaks of %s, which it has not any more", name, number)
        elif number in self._reclaimed and word in (frames.CANCELLED, frames.ERROR):
            self._reclaimed.discard(number)
            self._note("lost", split, SILENT)
        elif word == frames.RECEIVED:
            if split.status is SplitState.ASSIGNED:
                self._note("started", split)
        elif word == frames.CANCELLED:
            self._note("cancelled", split)
        elif word in (frames.DONE, frames.JOB_ERROR):
            result = read_result(word, rest)
            self._note("done" if result.get("status") == 0 else "failed", split, result)
        else:
            self._note("lost", split, "its worker does not know it")

    def _complaint(self, name: str, number: int | None, rest: Sequence[bytes]) -> int | None:
        """Keep what a worker complains of; return the number of a split that it does not know."""
        text = " ".join(_text(one) for one in rest)
        logger.warning("worker %s: %s", name, text)
        with self.database.transaction() as session:
            roll.complain(session, name, text)
        unknown = _UNKNOWN_JOB.fullmatch(text)
        return int(unknown[1]) if unknown else number

    def _comes(self, worker: bytes) -> None:
        """Note that a worker is there, and compare what it has with what it should have."""
        name, facts = _text(worker), self.controller.facts(worker)
        with work(database=self.database) as session:
            roll.enrol(session, name, facts, self.options.name, self.options.worker_cores)
            held = [(one.assignment_id, one) for one in roll.held_by(session, name)]
        logger.info("worker %s is there", name, extra={"action": "worker_ready"})
        there = frames.held_of(facts)
        for number, split in held:
            if number in there or number is None:
                continue  # it is found in a moment, or its result comes
            if self.controller.beats(worker) or split.status is SplitState.ASSIGNED:
                self._note("lost", split, SILENT)
            else:
                # It may run it still, and cannot say so: let it stop, and give it away anew.
                self._reclaimed.add(number)
                self.controller.cancel(worker, number)

    def _goes(self, worker: bytes) -> None:
        """Give the splits of a worker that is gone to others."""
        name = _text(worker)
        logger.warning("worker %s is gone", name, extra={"action": "worker_gone"})
        with work(database=self.database) as session:
            held = roll.dismiss(session, name)
        for split in held:
            self._note("lost", split, SILENT)

    def _lost(self, worker: bytes, number: int) -> None:
        split = self._split(_text(worker), number)
        if split is not None:
            self._note("lost", split, "its worker does not have it")

    def _found(self, worker: bytes, number: int) -> None:
        """Let a worker go on with what it is still wanted for, and stop what it is not."""
        split = self._split(_text(worker), number)
        if split is None or split.status is SplitState.CANCELLING:
            self.controller.cancel(worker, number)
        if split is not None:
            self.controller.adopt(worker, number)
            if split.status is SplitState.ASSIGNED:
                self._note("started", split)

    def _split(self, worker: str, number: int) -> JobSplit | None:
        with self.database.reading() as session:
            return roll.split_of(session, worker, number)

    def _note(self, what: str, split: JobSplit, *more: Any) -> None:
        """Let something have happened to a split, unless that is not its worker's any more."""
        number = split.assignment_id
        with work(database=self.database) as session:
            own = here(session, split)
            progress.lock_split(session, own)
            if own.assignment_id == number:
                NOTES[what](session, own, *more)

    # -- files that are on their way

    def _recheck(self) -> float | None:
        """Look for the files of jobs whose splits are done; return when to look again."""
        with self.database.reading() as session:
            waiting = session.scalars(select(Job).where(Job.awaited_since.is_not(None))).all()
        for job in waiting:
            with work(database=self.database) as session:
                progress.recheck(session, here(session, job))
        if not waiting:
            return None
        waited_s = clock.now() - max(job.awaited_since or 0.0 for job in waiting)
        return clock.now() + min(max(FIRST_RECHECK_S, waited_s / 2), LAST_RECHECK_S)

    # -- workers that hold nobody to his limits

    def _end_overdue(self) -> float | None:
        """End what takes too long on workers that do not see to it; return when the next is due.

        Those of the existing system do not, and say nothing of a block whose process has died.
        """
        with self.database.reading() as session:
            held = roll.timed_splits(session, self.options.name)
        due: list[float] = []
        for split, worker, limit_s in held:
            end = (split.started or clock.now()) + limit_s + self.options.grace_s
            if clock.now() < end or split.assignment_id is None:
                due.append(end)
                continue
            self.controller.cancel(worker, split.assignment_id)
            self._note("failed", split, {"status": 1, "timed_out": True, "user_error": TOO_LONG})
        return min(due, default=None)


NOTES: Mapping[str, Any] = {
    "started": progress.started,
    "done": progress.done,
    "failed": progress.failed,
    "cancelled": progress.cancelled,
    "lost": progress.lost,
}
"""What may happen to a split."""


def read_result(word: bytes, rest: Sequence[bytes]) -> dict[str, Any]:
    """Return what an executor said, or what a worker found wrong with the block."""
    if len(rest) == 1:
        try:
            found = json.loads(rest[0])
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict) and "status" in found:
            return found
    text = "\n".join(_text(one) for one in rest)
    if word == frames.DONE:
        return {"status": 1, "system_error": f"the worker's result is none: {text[:200]!r}"}
    return {"status": 1, "user_error": text or "the block cannot be run", "system_error": ""}


def _text(frame: bytes) -> str:
    return str(progress.clean(frame.decode("utf-8", "replace")))
