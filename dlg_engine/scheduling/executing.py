"""One split on a worker: an executor in a thread, which can be stopped from outside.

The code of users never runs in this process: an executor has processes of its own for that, which
end with it. The thread only waits for them.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dlg.beat import worker_frames as frames
from dlg.exceptions import DaliugeException, UsageError
from dlg.plugins import resolve

logger = logging.getLogger(__name__)

KINDS: Mapping[str, str] = {
    "local": "dlg.beat.execution:LocalExecutor",
    "subprocess": "dlg.beat.execution:SubprocessExecutor",
    "docker": "dlg.beat.execution:DockerExecutor",
}
"""Executors, which are loaded when the first block comes."""
HOST = "dlg.beat.dock:Host"


class Executor(Protocol):
    """What a worker asks of an executor."""

    errors: list[str]

    def process(
        self,
        virtual_memory_in_megabytes: int = 0,
        max_cpu_percent: int = 0,
        timeout_in_minutes: float = 0,
    ) -> dict[str, Any]:
        """Run the block and return what came of it."""

    def kill(self) -> bool:
        """End the block that is being run; return whether there was one."""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where and how a worker runs blocks."""

    prefix: Path
    cache: Path
    kind: str = "local"
    python_path: str | None = None
    """The Python for `subprocess`."""
    roots: Mapping[str, str] = field(default_factory=dict)
    """Where databases lie that do not lie where they say."""

    def executor(self, configuration: Mapping[str, Any]) -> Any:
        """Return an executor for a block; what is wrong with the block is in its `errors`."""
        if self.kind not in KINDS:
            raise UsageError(f"there is no executor {self.kind!r}; there are {', '.join(KINDS)}")
        made = resolve(KINDS[self.kind])
        block = {key: one for key, one in configuration.items() if key != "limits"}
        how: dict[str, Any] = {
            "cache": str(self.cache), "custom_root_folders": dict(self.roots),
        }  # fmt: skip
        if self.kind == "docker":
            return made(resolve(HOST)(), str(self.prefix), block, **how)
        if self.kind == "subprocess":
            how["python_path"] = self.python_path
        return made(str(self.prefix), block, **how)

    def prepare(self, configuration: Mapping[str, Any]) -> None:
        """Make what a block reads and nobody has made yet: the indices of sets."""
        from dlg.beat.indexing import index_sets  # noqa: PLC0415  starts processes

        index_sets(configuration, self.prefix, self.cache, self.roots)


Report = Callable[["Task"], None]


class Task:
    """A split that is being run. `report` is called in its thread when it is over."""

    def __init__(
        self, job_id: int, configuration: dict[str, Any], where: Workplace, report: Report
    ) -> None:
        self.job_id = job_id
        self._configuration, self._where, self._report = configuration, where, report
        self._executor: Executor | None = None
        self._stopping = threading.Event()
        self.word = frames.ERROR
        self.parts: tuple[bytes, ...] = ()
        self._thread = threading.Thread(target=self._run, name=f"dlg-split-{job_id}", daemon=True)

    @property
    def stopping(self) -> bool:
        """Return whether it has been told to end."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End it soon; may be called again and again, for a process may just be about to begin."""
        self._stopping.set()
        if self._executor is not None:
            self._executor.kill()

    def join(self, timeout_s: float) -> bool:
        """Wait until it is over; return whether it is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.word, self.parts = self._outcome()
        except Exception as error:  # whatever it is, the scheduler is told
            logger.exception("split %s has failed", self.job_id)
            self.word, self.parts = _failure(f"{type(error).__name__}: {error}")
        finally:
            self._report(self)

    def _outcome(self) -> tuple[bytes, tuple[bytes, ...]]:
        executor = self._executor = self._where.executor(self._configuration)
        if executor.errors:
            return frames.JOB_ERROR, tuple(error.encode() for error in executor.errors)
        if self._stopping.is_set():
            return frames.CANCELLED, ()
        try:
            self._where.prepare(self._configuration)
            result = self._process(executor)
        except DaliugeException as error:
            result = getattr(error, "result", None) or {
                "status": 1, "user_error": str(error), "system_error": "",
            }  # fmt: skip
        if self._stopping.is_set():
            return frames.CANCELLED, ()
        word = frames.DONE if result.get("status") == 0 else frames.JOB_ERROR
        return word, (encoded(result),)

    def _process(self, executor: Any) -> dict[str, Any]:
        limits = self._configuration.get("limits") or {}
        context: AbstractContextManager[Any] = executor
        with context:
            result: dict[str, Any] = executor.process(
                virtual_memory_in_megabytes=int(limits.get("virtual_memory_in_megabytes", 0)),
                max_cpu_percent=int(limits.get("max_cpu_percent", 0)),
                timeout_in_minutes=float(limits.get("timeout_in_minutes", 0)),
            )
        return result


def encoded(result: Mapping[str, Any]) -> bytes:
    """Return a result as JSON; what JSON does not know is written as its text."""
    return json.dumps(result, default=str).encode()


def _failure(text: str) -> tuple[bytes, tuple[bytes, ...]]:
    return frames.JOB_ERROR, (encoded({"status": 1, "user_error": "", "system_error": text}),)
