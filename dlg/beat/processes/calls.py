"""What a job is made of, and what became of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlg.beat.processes.limits import Limits


@dataclass(frozen=True, slots=True)
class Call:
    """A process to be made: a function of ours with its payload, or a command.

    `function` is `module:name`; it gets the payload and the sockets of the job's links that are
    its own. `directory` is where the process works, `environment` its variables if not ours.
    """

    limits: Limits
    function: str = ""
    payload: Any = None
    command: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = ""

    def as_message(self) -> dict[str, Any]:
        """Return the call for the process."""
        message: dict[str, Any] = {"limits": self.limits.as_message()}
        if self.directory:
            message["directory"] = self.directory
        if self.command:
            if self.environment:
                message["environment"] = self.environment
            return {**message, "command": list(self.command)}
        return {**message, "call": self.function, "payload": self.payload}


@dataclass(frozen=True, slots=True)
class Helper:
    """What became of a process beside the main one."""

    answer: Any
    code: int | None
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a job.

    `answer` is what the main function returned, None if it did not come to that: then `limit`
    names what it passed (and `text` says how), or `cancelled` is true, or `code` is the exit code
    of its process (negative: the signal that killed it). `usage` has seconds (`user_s`,
    `system_s`, `wall_s`), bytes (`memory_b`) and counts (`voluntary`, `involuntary` switches,
    `processes` at one time).
    """

    answer: Any = None
    code: int | None = None
    limit: str = ""
    text: str = ""
    cancelled: bool = False
    helpers: tuple[Helper, ...] = ()
    stdout: str = ""
    stderr: str = ""
    usage: dict[str, float] = field(default_factory=dict)


class Stop:
    """Lets another thread end a job, also one that has not begun yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._action: Callable[[], None] | None = None
        self._asked = False

    @property
    def asked(self) -> bool:
        """Whether somebody has asked for it."""
        return self._asked

    def arm(self, action: Callable[[], None]) -> None:
        """Let `action` be what stopping does; do it if that was asked for already."""
        with self._lock:
            self._action = action
            asked = self._asked
        if asked:
            action()

    def disarm(self) -> None:
        """There is nothing to be stopped any more."""
        with self._lock:
            self._action = None

    def __call__(self) -> None:
        """Stop it."""
        with self._lock:
            self._asked = True
            action = self._action
        if action is not None:
            action()
