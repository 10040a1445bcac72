"""Runs blocks on this machine: each in a fresh process that was waiting for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlg.beat.execution.base import BaseExecutor
from dlg.beat.execution.wardens import RUN, run
from dlg.beat.processes.calls import Call, Stop
from dlg.exceptions import RunError

_REFUSALS = ("setup", "prepare")


class RefusedBlockError(RunError, RuntimeError):
    """The user's code refused to be set up or prepared; `result` has what is known of the run."""

    def __init__(self, text: str, result: dict[str, Any]) -> None:
        super().__init__(text)
        self.result = result


class LocalExecutor(BaseExecutor):
    """Runs the code of an execution block in a process of its own, views of databases included.

    `process` raises `RefusedBlockError` (a `RuntimeError`) if the user's code cannot be set up or
    prepared, or returns something false when it is to process.
    """

    _stop: Stop | None = None

    def process(
        self,
        virtual_memory_in_megabytes: int = 0,
        max_cpu_percent: int = 0,
        timeout_in_minutes: float = 0,
    ) -> dict[str, Any]:
        """Run the block; see `BaseExecutor.process`."""
        self._need_valid()
        limits = self._limits(virtual_memory_in_megabytes, max_cpu_percent, timeout_in_minutes)
        payload = self._payload()
        call = Call(limits, function=RUN, payload=payload, directory=str(Path.cwd()))
        self._stop = Stop()
        outcome = run([call], stop=self._stop)
        result = self._finish(outcome, limits)
        report = outcome.answer if isinstance(outcome.answer, dict) else {}
        refused = report.get("refused") or report.get("stage") in _REFUSALS
        if result["user_error"] and refused and not outcome.limit:
            raise RefusedBlockError(result["user_error"], result)
        return result

    def kill(self) -> bool:
        """End the block that is being run, from another thread; tell whether there is one."""
        stop = self._stop
        if stop is None:
            return False
        stop()
        return True
