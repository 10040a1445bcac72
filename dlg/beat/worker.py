"""The side of the scheduler: who the workers are, what they are given, and what they say.

Besides what the existing system does, a worker that says at intervals that it lives is believed to
for a while (a lease); when that has run out it is gone, as if it had left. One that says nothing
of the kind is gone when its connection is, and stays away.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlg.beat import worker_frames as frames
from dlg.beat.worker_door import Door
from dlg.beat.worker_frames import Outcome, Terms, as_bytes
from dlg.rpc.contract import Keys
from dlg.support import clock

logger = logging.getLogger(__name__)

MOST_PROBES = 4
"""How often within a lease it is tried whether a silent worker is still connected."""


@dataclass(slots=True)
class _Known:
    """What is known of a worker."""

    facts: dict[str, Any]
    beats: bool
    until: float
    """When its lease runs out; of one that does not beat, when it is probed next."""
    jobs: dict[int, int] = field(default_factory=dict)
    """What it was given, each with the serial of the last answer before."""
    serial: int = 0
    """Of the last answer to it."""
    beat: int = 0
    """The number of what it said last."""
    unreachable_since: float | None = None

    def term(self, terms: Terms) -> float:
        """Return for how long it is believed to be there after it was heard."""
        return terms.lease_s if self.beats else terms.lease_s / MOST_PROBES


class WorkerController:
    """Listens to workers, hands jobs out and tells what has come of them.

    Raises UsageError if it cannot listen. It belongs to one thread.
    """

    READY = frames.READY
    EXIT = frames.EXIT
    RECEIVED = frames.RECEIVED
    DONE = frames.DONE
    JOB_ERROR = frames.JOB_ERROR
    ERROR = frames.ERROR
    CANCELLED = frames.CANCELLED
    EXECUTE = frames.EXECUTE
    CANCEL = frames.CANCEL
    ACK = frames.ACK
    SCHEDULER_SHUTDOWN = frames.SHUTDOWN

    class Callbacks:
        """Who is told when a worker is ready or went away, by its name in bytes.

        `onJobLost` and `onJobFound` are told of jobs that a worker does not have although it was
        given them, and of those that it has although this controller does not know of it.
        """

        def __init__(self) -> None:
            self.onWorkerReady: Callable[[bytes], object] | None = None
            self.onWorkerGone: Callable[[bytes], object] | None = None
            self.onJobLost: Callable[[bytes, int], object] | None = None
            self.onJobFound: Callable[[bytes, int], object] | None = None

    def __init__(
        self,
        address: str,
        port: int | None,
        callbacks: Callbacks | None = None,
        *,
        terms: Terms | None = None,
        keys: Keys | None = None,
    ) -> None:
        """Listen at a host; `port` None takes any that is free from 50000 on, 0 any at all."""
        self.callbacks = callbacks or self.Callbacks()
        self.terms = terms or Terms()
        self._known: dict[bytes, _Known] = {}
        self._recalled: dict[bytes, float] = {}
        self._door = Door(address, port, keys)
        self.context, self.socket = self._door.context, self._door.socket
        self.poller, self.address = self._door.poller, self._door.address

    @property
    def workers(self) -> list[bytes]:
        """Return the names of the workers that are there."""
        return list(self._known)

    def facts(self, worker: str | bytes) -> Mapping[str, Any]:
        """Return what a worker has told of itself; nothing of one of the existing system."""
        known = self._known.get(as_bytes(worker))
        return known.facts if known else {}

    def beats(self, worker: str | bytes) -> bool:
        """Return whether a worker says at intervals that it lives."""
        known = self._known.get(as_bytes(worker))
        return known is not None and known.beats

    def destroy(self) -> None:
        """Tell all workers that the scheduler leaves, and let go of the socket."""
        if self.socket.closed:
            return
        for worker in self.workers:
            self._door.send(worker, self.SCHEDULER_SHUTDOWN)
        self._door.close()

    def execute(self, worker: str | bytes, job_id: int, configuration: Mapping[str, Any]) -> bool:
        """Give a job to a worker; return whether it is connected: if not, it is gone."""
        name = as_bytes(worker)
        text = json.dumps(configuration).encode()
        known = self._known.get(name)
        if known is not None:
            known.jobs[job_id] = known.serial
        sent = self._door.send(name, self.EXECUTE, str(job_id).encode(), text)
        if not sent and known is not None:
            self._gone(name)  # one that beats comes back by itself
        return sent

    def cancel(self, worker: str | bytes, job_id: int) -> bool:
        """Tell a worker to stop a job; return whether it is connected."""
        return self._door.send(as_bytes(worker), self.CANCEL, str(job_id).encode())

    def ack(self, worker: str | bytes) -> bool:
        """Let a worker know that it has been heard; return whether it is connected."""
        name = as_bytes(worker)
        known = self._known.get(name)
        if known is None or not known.beats:
            return self._door.send(name, self.ACK)
        known.serial += 1
        return self._door.send(name, self.ACK, self.terms.told(known.serial, known.beat))

    def adopt(self, worker: str | bytes, job_id: int) -> None:
        """Take a job that was found at a worker as one that it was given."""
        known = self._known.get(as_bytes(worker))
        if known is not None:
            known.jobs[job_id] = known.serial

    def expect(self, workers: Iterable[str | bytes]) -> None:
        """Wait for workers that an earlier scheduler had, and let them say again what they are.

        Those that do not, within their lease and a while, are gone.
        """
        until = clock.monotonic() + self.terms.lease_s + self.terms.return_s
        self._recalled.update({as_bytes(name): until for name in workers})

    def pending(self) -> bool:
        """Return whether a message has come that was not taken yet."""
        return self._door.pending()

    def process(self, timeout: int = 0) -> Outcome | None:
        """Return what a worker says: who, what, about which job, and the rest.

        Return None when nothing has come within `timeout` milliseconds, and also for all that is
        told to the callbacks: workers that come and go; and when something else can be read that
        was registered with `poller`.
        """
        self._look_after()
        dates = [known.until for known in self._known.values()]
        if self._recalled:
            dates.append(clock.monotonic() + self.terms.lease_s / 20)
        message = self._door.hear(_patience_ms(timeout, dates))
        if message is not None:
            return self._take(*message)
        self._look_after()
        return None

    def _take(self, worker: bytes, word: bytes = b"", *rest: bytes) -> Outcome | None:
        if not worker or worker[:1] == b"\0":
            # Nobody's name: it was said on a connection whose name another one has by now, by
            # the same worker, which says again what counts.
            logger.info("something is said by nobody: %r", word)
            return None
        known = self._known.get(worker)
        if known is not None:
            known.until = clock.monotonic() + known.term(self.terms)
            known.unreachable_since = None
        if word in self._COMING:
            self._comes(worker, word, known, frames.read_facts(rest))
            return None
        if word not in frames.WORDS:
            logger.warning("worker %r says what is not known: %r", worker, word)
        try:
            found = frames.outcome_of(worker, word, rest)
        except ValueError as error:
            logger.warning("%s", error)
            return None
        if known is not None and found[2] is not None and word != self.RECEIVED:
            known.jobs.pop(found[2], None)
        return found

    _COMING = frozenset({frames.READY, frames.EXIT, frames.BEAT})

    def _comes(
        self, worker: bytes, word: bytes, known: _Known | None, facts: dict[str, Any]
    ) -> None:
        if known is not None:
            known.beat = frames.number_of(facts, "beat")
        if word == self.READY:
            self._ready(worker, known, facts)
        elif word == self.EXIT:
            self._gone(worker)
        else:
            self._beat(worker, known, facts)

    def _ready(self, worker: bytes, known: _Known | None, facts: dict[str, Any]) -> None:
        recalled = self._recalled.pop(worker, None) is not None
        if known is not None:
            if known.facts.get("session") != facts.get("session") or (
                known.jobs and not facts and not recalled
            ):
                self._gone(worker)  # it was started anew, and what it had went with it
            else:
                self._beat(worker, known, facts)
                return
        beats = "session" in facts
        now = clock.monotonic()
        fresh = _Known(facts, beats, now, beat=frames.number_of(facts, "beat"))
        fresh.until = now + fresh.term(self.terms)
        self._known[worker] = fresh
        self.ack(worker)
        if self.callbacks.onWorkerReady is not None:
            self.callbacks.onWorkerReady(worker)
        if beats:
            self._compare(worker, fresh, facts)

    def _beat(self, worker: bytes, known: _Known | None, facts: dict[str, Any]) -> None:
        if known is None or known.facts.get("session") != facts.get("session"):
            # It knows an earlier scheduler; this way it says who it is.
            self._door.send(worker, self.SCHEDULER_SHUTDOWN)
            return
        if known.beats:
            self._compare(worker, known, facts)
        self.ack(worker)

    def _compare(self, worker: bytes, known: _Known, facts: Mapping[str, Any]) -> None:
        """Find out what a worker should have and has not, or has and should not."""
        running, seen = frames.running_of(facts), frames.number_of(facts, "seen")
        held = frames.held_of(facts)
        # What is found is told first: it may be one that was thought lost.
        for job in sorted(running - known.jobs.keys()):
            if self.callbacks.onJobFound is not None:
                self.callbacks.onJobFound(worker, job)
        for job, serial in list(known.jobs.items()):
            # What was sent before an answer that it has seen, it has seen too.
            if job not in held and seen > serial:
                del known.jobs[job]
                if self.callbacks.onJobLost is not None:
                    self.callbacks.onJobLost(worker, job)

    def _gone(self, worker: bytes) -> None:
        if self._known.pop(worker, None) is None and worker not in self._recalled:
            logger.info("a worker that is not known leaves: %r", worker)
            return
        self._recalled.pop(worker, None)
        if self.callbacks.onWorkerGone is not None:
            self.callbacks.onWorkerGone(worker)

    def _look_after(self) -> None:
        """Find workers whose lease has run out, and ask those for a word that never beat."""
        now = clock.monotonic()
        for worker, until in list(self._recalled.items()):
            if worker in self._known or now >= until:
                del self._recalled[worker]
                if worker not in self._known and self.callbacks.onWorkerGone is not None:
                    self.callbacks.onWorkerGone(worker)
            else:
                self._door.send(worker, self.SCHEDULER_SHUTDOWN)
        for worker, known in list(self._known.items()):
            if now >= known.until:
                self._overdue(worker, known, now)

    def _overdue(self, worker: bytes, known: _Known, now: float) -> None:
        if known.beats:
            logger.warning("worker %r is silent", worker)
            self._gone(worker)
            return
        known.until = now + known.term(self.terms)
        if self._door.send(worker, self.ACK):  # which it does not mind
            known.unreachable_since = None
            return
        since = known.unreachable_since = known.unreachable_since or now
        if now - since >= self.terms.lease_s:
            logger.warning("worker %r is not connected any more", worker)
            self._gone(worker)


def _patience_ms(timeout: int, dates: Iterable[float]) -> int:
    """Return for how long to wait at most, as something is due at `dates`."""
    first = min(dates, default=None)
    if first is None:
        return timeout
    due = max(0, int((first - clock.monotonic()) * 1000) + 1)
    return due if timeout < 0 else min(timeout, due)
