"""What came of a run: states, times, errors with their causes, and the results."""

from __future__ import annotations

import json
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlg.ddap_protocol import DROPStates
from dlg.drops.live import LiveGraph
from dlg.exceptions import NoDropException, UsageError
from dlg.jobs.errors import QualityControlError
from dlg_engine.sessions.evidence import FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class DropError:
    """A drop that failed by itself."""

    uid: str
    name: str
    exception: str
    """The kind of exception and its text."""
    traceback: str
    causes: tuple[str, ...] = ()
    """The exceptions that led to it, nearest first."""
    stopped: int = 0
    """How many drops did not come to be because of this one."""
    node: str = ""
    """The node it was on, where that is not this process."""
    error: BaseException | None = field(default=None, repr=False, compare=False)
    """The exception itself, where the run was in this process."""


class Drops(Mapping[str, Any]):
    """The drops of a run by uid; the objects are made when they are asked for."""

    def __init__(self, live: LiveGraph) -> None:
        self.live = live

    def __getitem__(self, uid: str) -> Any:
        """Return the drop with `uid`; raise `NoDropException` (a `KeyError`) if there is none."""
        return self.live.drop(self.live.row_of(uid))

    def __contains__(self, uid: object) -> bool:
        return uid in set(self.live.uids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.live.uids)

    def __len__(self) -> int:
        return len(self.live.uids)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What came of running a graph."""

    status: str
    """FINISHED, FAILED or CANCELLED."""
    counts: Mapping[str, int]
    """How many drops are in each state."""
    timings: Mapping[str, float]
    """Seconds spent: `load_s`, `create_s`, `execute_s`."""
    errors: tuple[DropError, ...]
    session_id: str
    session_dir: Path
    drops: Drops = field(repr=False)
    reason: str = ""
    """Why a run that is not FINISHED ended, where no drop's error says it."""
    waiting: tuple[str, ...] = ()
    """Drops that never ended because nothing triggered them (the first hundred)."""
    warnings: tuple[str, ...] = ()
    """What went wrong without being the failure of a drop."""
    reused: tuple[str, ...] = ()
    """Apps that did not run, as what they make was taken from a store."""
    restored: tuple[str, ...] = ()
    """Apps that did not run, as the session had done so before it was resumed."""
    again: Mapping[str, str] = field(default_factory=dict)
    """Apps that a resumed session had begun to run before, and why they were run again."""

    def result(self, uid: str) -> Any:
        """Return the value of data drop `uid`: the object an app put there, or its bytes.

        Raises `NoDropException` if there is no such data drop and `UnexpectedEventError` if it was
        not completed or has been released since.
        """
        drop = self.drops[uid]
        if not hasattr(drop, "value"):
            raise NoDropException(uid, "it is an app, and only data has a value")
        return drop.value()

    def evidence(self) -> list[Any]:
        """Return what the run left behind to be compared: drops by oid, and the whole."""
        path = self.session_dir / FILE
        try:
            return list(json.loads(path.read_bytes()))
        except OSError as error:
            text = f"session {self.session_id} left no evidence: {error.strerror}"
            raise UsageError(f"{text}; ask for a level of reproducibility") from error

    @property
    def states(self) -> dict[str, DROPStates]:
        """The state of each drop by its uid."""
        live = self.drops.live
        return {
            uid: DROPStates(state) for uid, state in zip(live.uids, live.flow.status, strict=True)
        }

    @property
    def quality(self) -> dict[str, bool | None]:
        """The verdict of quality control on each product of a job, by the uid of its drop.

        None is one that nobody has judged: it has no criterion, or was not made.
        """
        live = self.drops.live
        judging = {k for k, cls in enumerate(live.classes) if getattr(cls, "judges", False)}
        if not judging:
            return {}
        found: dict[str, bool | None] = {}
        for app, kind in enumerate(live.class_ids):
            if kind in judging:
                for row in live.flow.after[app]:
                    if live.spec(row).get("persist"):
                        verdict, uid = _verdict(live, app, row), live.uids[row]
                        if found.get(uid) is None:  # of two that may make it, one was skipped
                            found[uid] = verdict
        return found

    @property
    def leaves(self) -> list[str]:
        """The uids of the results: completed data that no app consumes."""
        flow, uids = self.drops.live.flow, self.drops.live.uids
        done = int(DROPStates.COMPLETED)
        return [
            uids[r] for r, after in enumerate(flow.after)
            if not after and not flow.exec_status[r] and flow.status[r] == done
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        errors = [
            {k: getattr(e, k) for k in ("uid", "name", "exception", "traceback", "stopped")}
            | {"causes": list(e.causes)}
            for e in self.errors
        ]
        return {
            "session_id": self.session_id,
            "status": self.status,
            "reason": self.reason,
            "counts": dict(self.counts),
            "timings": dict(self.timings),
            "errors": errors,
            "waiting": list(self.waiting),
            "warnings": list(self.warnings),
            "reused": list(self.reused),
            "restored": list(self.restored),
            "again": dict(self.again),
            "quality": self.quality,
            "session_dir": str(self.session_dir),
        }


def _verdict(live: LiveGraph, app: int, row: int) -> bool | None:
    """Return what an app that judges has found of a product; None if it has not come to that."""
    if live.spec(app).get("qc_criterion") is None:
        return None
    if live.flow.status[row] == DROPStates.COMPLETED:
        return True
    return False if isinstance(live.flow.failures.get(app), QualityControlError) else None


def count_states(live: LiveGraph) -> dict[str, int]:
    """Return how many drops are in each state, leaving out states nobody is in."""
    status = bytes(live.flow.status)
    counts = {state.name: status.count(int(state)) for state in DROPStates}
    return {name: count for name, count in counts.items() if count}


def collect_errors(live: LiveGraph) -> tuple[DropError, ...]:
    """Return the drops that failed by themselves, those that stopped most first."""
    stopped = Counter(live.flow.stopped_by.values())
    found = [
        _describe(live, row, error, stopped[row])
        for row, error in list(live.flow.failures.items())
    ]
    return tuple(sorted(found, key=lambda e: (-e.stopped, e.uid)))


def _describe(live: LiveGraph, row: int, error: BaseException, stopped: int) -> DropError:
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < 20:  # noqa: PLR2004  a circle of causes is possible
        causes.append(_one_line(cause))
        cause = cause.__cause__ or cause.__context__
    spec = live.spec(row)
    return DropError(
        uid=live.uids[row],
        name=str(spec.get("name") or live.uids[row]),
        exception=_one_line(error),
        traceback="".join(traceback.format_exception(error)),
        causes=tuple(causes),
        stopped=stopped,
        error=error,
    )


def _one_line(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()
