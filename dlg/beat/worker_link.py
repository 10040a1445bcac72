"""The side of the worker: its line to the scheduler, kept up though schedulers come and go.

A result is kept, and sent again to a scheduler that comes anew, until one has said that it heard
what was said after it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import zmq

from dlg.beat import worker_frames as frames
from dlg.beat.worker_frames import as_bytes
from dlg.exceptions import UsageError
from dlg.rpc.contract import Keys
from dlg.rpc.curve import secure
from dlg.support import clock

ASK_AGAIN_S = 1.0
"""How often a worker of which no scheduler has taken notice says that it is there."""


@dataclass(slots=True)
class _Kept:
    """A result that nobody is known to have heard."""

    parts: tuple[bytes, ...]
    after_beat: int


@dataclass(frozen=True, slots=True)
class Order:
    """What a scheduler wants: that a job is executed, or cancelled."""

    word: bytes
    job_id: int
    text: bytes = b""


@dataclass(slots=True)
class _Standing:
    """How a worker stands with its scheduler."""

    accepted: bool = False
    heartbeat_s: float | None = None
    """How often it is to say that it lives; None if the scheduler does not care."""
    lease_s: float = 15.0
    due: float = 0.0
    """When it has to say something."""
    heard: float = 0.0
    """When the scheduler was last heard."""
    serial: int = 0
    beat: int = 0
    kept: dict[int, _Kept] = field(default_factory=dict)


class WorkerLink:
    """A worker's line to a scheduler. It belongs to one thread."""

    def __init__(
        self, name: str, address: str, facts: Mapping[str, Any], keys: Keys | None = None
    ) -> None:
        """Connect to the scheduler at `address`, now or when there is one.

        Raises UsageError for an address that is none.
        """
        self.name, self.address = name, address
        self._facts = {**facts, "session": secrets.token_hex(8)}
        self._keys = keys
        self._context = zmq.Context()
        self._standing = _Standing()
        self._running: set[int] = set()
        self.poller = zmq.Poller()
        self._socket = self._connect()

    def _connect(self) -> Any:
        socket = self._context.socket(zmq.DEALER)
        socket.identity = as_bytes(self.name)
        socket.linger = 500
        socket.reconnect_ivl, socket.reconnect_ivl_max = 50, 1000
        socket.heartbeat_ivl, socket.heartbeat_timeout = 2500, 10_000
        if self._keys is not None:
            secure(socket, self._keys, serving=False)
        try:
            socket.connect(self.address)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise UsageError(
                f"{self.address!r} is no address of a scheduler ({error}); "
                "one looks like tcp://127.0.0.1:50000"
            ) from error
        self.poller.register(socket, zmq.POLLIN)
        return socket

    @property
    def is_accepted(self) -> bool:
        """Return whether a scheduler has taken notice."""
        return self._standing.accepted

    def due_s(self) -> float:
        """Return in how many seconds something has to be said."""
        return max(0.0, self._standing.due - clock.monotonic())

    def speak(self) -> None:
        """Say what is due: that the worker is there, or that it still lives."""
        now, standing = clock.monotonic(), self._standing
        if now < standing.due:
            return
        if standing.heartbeat_s is None:
            if not standing.accepted:
                self._say(frames.READY, self._told())
            standing.due = now + ASK_AGAIN_S if not standing.accepted else float("inf")
            return
        if now - standing.heard > standing.lease_s:
            # Whoever answers is asked for its terms again: it may be another scheduler.
            self._begin_anew()
            return
        self._say(frames.BEAT, self._told())
        standing.due = now + standing.heartbeat_s

    def _told(self) -> bytes:
        standing = self._standing
        standing.beat += 1
        told = {
            "running": sorted(self._running), "kept": sorted(standing.kept),
            "seen": standing.serial, "beat": standing.beat,
        }  # fmt: skip
        return json.dumps({**self._facts, **told}).encode()

    def _say(self, *parts: bytes) -> None:
        # Where nobody has taken anything for long it is dropped: who comes is told all again.
        with suppress(zmq.Again):
            self._socket.send_multipart(parts, zmq.NOBLOCK)

    def received(self, job_id: int) -> None:
        """Say that a job has been begun."""
        self._running.add(job_id)
        if self._standing.heartbeat_s is not None:
            self._say(frames.RECEIVED, str(job_id).encode())

    def ended(self, word: bytes, job_id: int, *rest: bytes) -> None:
        """Say what has become of a job."""
        self._running.discard(job_id)
        parts = (word, str(job_id).encode(), *rest)
        if self._standing.accepted:
            self._say(*parts)
        standing = self._standing
        if standing.heartbeat_s is not None or not standing.accepted:
            standing.kept[job_id] = _Kept(parts, standing.beat)

    def complain(self, *texts: str) -> None:
        """Say that something is wrong."""
        self._say(frames.ERROR, *(text.encode() for text in texts))

    def hear(self) -> Order | None:
        """Return what the scheduler wants next; None if nothing, or it was about the line."""
        try:
            word, *rest = self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None
        standing = self._standing
        standing.heard = clock.monotonic()
        if word == frames.ACK:
            self._accept(frames.read_facts(rest))
        elif word == frames.SHUTDOWN:
            self._begin_anew()
        elif word in (frames.EXECUTE, frames.CANCEL) and rest and frames.is_number(rest[0]):
            return Order(word, int(rest[0]), rest[1] if len(rest) > 1 else b"")
        else:
            self.complain(f"what is not understood: {word!r}")
        return None

    def pending(self) -> bool:
        """Return whether something can be heard at once."""
        return bool(self._socket.getsockopt(zmq.EVENTS) & zmq.POLLIN)

    def _accept(self, terms: Mapping[str, Any]) -> None:
        standing = self._standing
        first, standing.accepted = not standing.accepted, True
        if "heartbeat_s" in terms:
            standing.heartbeat_s = frames.seconds_of(terms, "heartbeat_s", 2.5)
            standing.lease_s = frames.seconds_of(terms, "lease_s", 15.0)
            standing.serial = frames.number_of(terms, "serial")
            answered = frames.number_of(terms, "beat")
            for job_id, one in list(standing.kept.items()):
                if not first and answered > one.after_beat:
                    del standing.kept[job_id]
        if first:
            self._settle_in()

    def _settle_in(self) -> None:
        """Say to a scheduler that has just taken notice what an earlier one may not have heard."""
        standing = self._standing
        now = clock.monotonic()
        for job_id, one in list(standing.kept.items()):
            self._say(*one.parts)
            one.after_beat = standing.beat
            if standing.heartbeat_s is None:
                del standing.kept[job_id]  # nobody will ever say that it was heard
        pause = standing.heartbeat_s
        standing.due = float("inf") if pause is None else now + pause

    def _begin_anew(self) -> None:
        """Introduce ourselves again, on a connection of its own; what runs goes on."""
        self.poller.unregister(self._socket)
        self._socket.close(linger=500)
        self._socket = self._connect()
        kept = self._standing.kept
        beat = self._standing.beat
        self._standing = _Standing(kept=kept, beat=beat, heard=clock.monotonic())
        self.speak()

    def close(self) -> None:
        """Take leave, and let go of the line."""
        self._say(frames.EXIT)
        self._context.destroy(linger=500)


def as_frames(errors: Sequence[str]) -> list[bytes]:
    """Return texts as frames."""
    return [error.encode() for error in errors]
