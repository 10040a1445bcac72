"""What the directory of a job that has ended tells: how it went, and what its logs complain of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from dlg.exceptions import UsageError
from dlg_engine.launch.jobs import LOGS, REPORT, Job, read_job

_RECORD = re.compile(r"^\S+ \S+ (WARNING|ERROR|CRITICAL) +(.*)")
_TRACEBACK = "Traceback (most recent call last):"
SHOWN = 3
"""How many complaints of each log are told."""


@dataclass(frozen=True)
class LogFile:
    """What is in one log."""

    name: str
    counts: Mapping[str, int]
    """Records by level, of warnings and what is worse, and tracebacks."""
    first: tuple[str, ...] = ()
    """The first complaints."""


@dataclass(frozen=True)
class Analysis:
    """What came of a job."""

    job: Job
    state: str
    """Of its session; "" if it did not come so far as to have one."""
    report: Mapping[str, Any] = field(default_factory=dict)
    logs: tuple[LogFile, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "job": self.job.name,
            "facility": self.job.facility,
            "ranks": self.job.ranks,
            "state": self.state,
            "report": dict(self.report),
            "logs": {log.name: dict(log.counts) for log in self.logs},
        }


def analyse(directory: Path) -> Analysis:
    """Return what the directory of a job tells; UsageError if it is none."""
    job = read_job(directory)
    report = _report(directory / REPORT)
    found = sorted((directory / LOGS).glob("*.log"))
    return Analysis(job, str(report.get("state", "")), report, tuple(map(read_log, found)))


def _report(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(f"{path} is no report: {error}") from error


def read_log(path: Path) -> LogFile:
    """Return what a log complains of."""
    counts: Counter[str] = Counter()
    first: list[str] = []
    for kind, text in _complaints(path):
        counts[kind] += 1
        if len(first) < SHOWN:
            first.append(text)
    return LogFile(path.name, counts, tuple(first))


def _complaints(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the level and text of each complaint, reading line by line: logs may be big."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found = _RECORD.match(line)
            if found:
                yield found[1], found[2].strip()
            elif line.startswith("dlg: "):  # how commands say why they end
                yield "ERROR", line.strip()
            elif line.startswith(_TRACEBACK):
                yield "traceback", line.strip()
