"""How long attempts take, by the clock and of the processor."""

from __future__ import annotations

import resource
import time
from types import TracebackType
from typing import Self

from dlg.support import clock
from dlg_engine.tasks.task_database import TaskDatabaseConnection


class TaskTimer:
    """Notes when an attempt begins and ends, and the time it took; nothing for quality control."""

    def __init__(
        self,
        task_attempt_id: int,
        is_qc_task: bool,
        tasks: TaskDatabaseConnection | None = None,
    ) -> None:
        self._attempt_id, self._is_qc = task_attempt_id, is_qc_task
        self._own = tasks is None
        self._tasks = TaskDatabaseConnection() if tasks is None else tasks
        self._begun: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._begun = self.measure_time()
        if not self._is_qc:
            now = clock.now()
            self._tasks.execution_attempt_update(
                self._attempt_id, start_time=now, latest_heartbeat_time=now, is_running=True
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._is_qc:
            took = times_since(self._begun)
            self._tasks.execution_attempt_update(
                self._attempt_id,
                end_time=clock.now(),
                run_time_wall_clock=took["wall_s"],
                run_time_cpu=took["cpu_s"],
                run_time_cpu_inc_children=took["cpu_with_children_s"],
                is_finished=error is None or None,
                error_fail=None if error is None else True,
            )
        if self._own:
            self._tasks.close_db()

    @staticmethod
    def measure_time() -> dict[str, float]:
        """Return the times of this process so far, in seconds; differences have a meaning."""
        return measure()


def measure() -> dict[str, float]:
    """Return the times of this process so far, in seconds; differences have a meaning."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return {
        "wall_s": clock.monotonic(),
        "cpu_s": time.process_time(),
        "cpu_with_children_s": used,
    }


def times_since(begun: dict[str, float]) -> dict[str, float]:
    """Return what has passed since `measure` returned `begun`."""
    now = measure()
    return {name: now[name] - begun[name] for name in begun}
