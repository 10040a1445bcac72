"""What an executor returns of a run, made from what is known of its processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

from dlg.beat.processes.calls import Outcome
from dlg.beat.processes.limits import Limits
from dlg.beat.stats import io_statistics

FAILED = 1
KILLED = -int(signal.SIGKILL)
_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP", "SIGXCPU")
TIME = "time"


def result_of(outcome: Outcome, limits: Limits) -> dict[str, Any]:
    """Return the dictionary for a block that was run in a watched process."""
    report = outcome.answer if isinstance(outcome.answer, dict) else {}
    status, user_error, system_error = _verdict(outcome, report)
    data = report.get("statistics") or io_statistics({})
    return {
        "status": status,
        "stdout": outcome.stdout,
        "stderr": outcome.stderr,
        "timed_out": outcome.limit == TIME,
        "statistics": statistics_of(data, outcome.usage, limits),
        "system_error": system_error,
        "user_error": user_error,
    }


def _verdict(outcome: Outcome, report: Mapping[str, Any]) -> tuple[int, str, str]:
    """Return status, user error and system error."""
    if outcome.limit:
        return KILLED, f"The block was ended: {outcome.text}", ""
    if outcome.cancelled:
        return KILLED, "", "The block was cancelled"
    if "failed" in report:
        return FAILED, "", str(report["failed"])
    if report.get("lost") and outcome.helpers:
        return ended_by_itself(outcome.helpers[0].code, of_view=True)
    if report:
        status = report.get("status", FAILED)
        return status, report.get("user_error", ""), report.get("system_error", "")
    return ended_by_itself(outcome.code)


def ended_by_itself(code: int | None, of_view: bool = False) -> tuple[int, str, str]:
    """Return the same for a process, of the block or its views, that ended without answer."""
    where = "While a view of a database was running: " if of_view else ""
    if code is None:
        return FAILED, "", where + "The process of the block has ended, nobody knows how"
    if code >= 0:
        text = f"The user's code ended its process with exit code {code} before it was done"
        return code or FAILED, where + text, ""
    name = signal.Signals(-code).name
    if name in _CRASHES:
        return code, f"{where}The user's code crashed: its process was killed by {name}", ""
    return code, "", f"{where}The process of the block was killed by {name}, not for any limit"


def statistics_of(
    data: Mapping[str, Any], usage: Mapping[str, float], limits: Limits
) -> dict[str, Any]:
    """Return the statistics of a run; seconds, bytes, and percent of one processor."""
    user, system = usage.get("user_s", 0.0), usage.get("system_s", 0.0)
    wall, memory = usage.get("wall_s", 0.0), int(usage.get("memory_b", 0))
    return {
        "data": dict(data),
        "cpu": {
            "user": user,
            "system": system,
            "total": wall,
            "percent": 100.0 * (user + system) / wall if wall > 0 else 0.0,
            "processors": os.cpu_count() or 1,
            "context_switches": {
                "voluntary": int(usage.get("voluntary", 0)),
                "involuntary": int(usage.get("involuntary", 0)),
            },
        },
        "memory": {
            "rss": memory,
            "limit": limits.memory_b,
            "percent": 100.0 * memory / limits.memory_b if limits.memory_b else 0.0,
        },
    }
