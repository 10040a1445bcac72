"""What workers say of splits, and what becomes of them when a worker is lost."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from dlg.support import clock
from dlg_engine.scheduling import cache, jobs
from dlg_engine.scheduling.binding import lock_jobs
from dlg_engine.scheduling.models import Job, JobSplit, Result
from dlg_engine.scheduling.states import AT_WORK, UNFINISHED, Event, SplitState

MOST_ATTEMPTS = 3
"""How often a split is given to workers that are lost, or that fail by no fault of the user."""
DEEPEST = 30
"""How deep what workers tell may be nested; what is deeper is left out."""
MOST = (1 << 31) - 1
"""The largest number that a column holds."""
CACHE_PATIENCE_S = 60.0
"""How long files may take from the host that wrote them to this one."""


def lock_split(session: Session, split: JobSplit) -> None:
    """Let nobody else change a split, nor how jobs stand."""
    lock_jobs(session)
    session.refresh(split, with_for_update=True)


def started(session: Session, split: JobSplit) -> None:
    """Note that a worker has begun with a split."""
    lock_split(session, split)
    if split.status is SplitState.CANCELLING:
        return
    jobs.move(split, Event.START)
    split.started = clock.now()
    jobs.begin(split.job)


def done(session: Session, split: JobSplit, result: Mapping[str, Any]) -> None:
    """Note that a worker has finished a split; with the last one its job is done."""
    lock_split(session, split)
    job = split.job
    if split.status is SplitState.ASSIGNED:
        jobs.begin(job)
    _end(session, split, Event.FINISH, result)
    if job.status in UNFINISHED and split.status is SplitState.COMPLETED:
        _finish_if_whole(job)
    else:
        jobs.stopped(job)


def failed(session: Session, split: JobSplit, result: Mapping[str, Any]) -> None:
    """Note that a worker has failed with a split.

    What is not the user's fault, such as a process that was killed, is tried again.
    """
    lock_split(session, split)
    if split.status is not SplitState.CANCELLING and _is_worth_another(split, result):
        _put_back(split)
        return
    if split.status is SplitState.ASSIGNED:
        jobs.begin(split.job)
    _end(session, split, Event.FAIL, result)
    if split.status is SplitState.FAILED and split.job.status in UNFINISHED:
        jobs.fail(split.job, reason_of(result))
    else:
        jobs.stopped(split.job)


def cancelled(session: Session, split: JobSplit) -> None:
    """Note that a worker has stopped a split; one that nobody told it to stop stops the job."""
    lock_split(session, split)
    if split.status is SplitState.QUEUED:
        jobs.move(split, Event.CANCEL)
    elif split.status in AT_WORK:
        _end(session, split, Event.STOP, None)
    job = split.job
    if job.status in UNFINISHED:
        jobs.give_up(job)
        experiment = job.block.experiment
        experiment.failure = experiment.failure or f"{job.block.name}: its worker gave it up"
        jobs.abandon(experiment)
    jobs.stopped(job)


def lost(session: Session, split: JobSplit, reason: str) -> None:
    """Note that nobody works on a split any more: it is given to another worker, not for ever."""
    lock_split(session, split)
    if split.status not in AT_WORK:
        return
    if split.status is SplitState.CANCELLING:
        _end(session, split, Event.LOSE, None)
        jobs.stopped(split.job)
    elif split.attempts < MOST_ATTEMPTS:
        _put_back(split)
    else:
        text = f"{reason}; it was tried {split.attempts} times"
        _end(session, split, Event.FAIL, {"status": 1, "system_error": text})
        jobs.fail(split.job, text)


def recheck(session: Session, job: Job) -> None:
    """Look again whether the files of a job have arrived; fail it when they do not."""
    lock_jobs(session)
    session.refresh(job)
    if job.status in UNFINISHED and job.awaited_since is not None:
        _finish_if_whole(job)


def reason_of(result: Mapping[str, Any]) -> str:
    """Return the last line of what went wrong."""
    if result.get("timed_out"):
        return "it took longer than its queue allows"
    text = clean(str(result.get("user_error") or result.get("system_error") or "")).strip()
    return text.splitlines()[-1] if text else f"it ended with status {result.get('status')}"


def _is_worth_another(split: JobSplit, result: Mapping[str, Any]) -> bool:
    theirs = bool(result.get("user_error")) or bool(result.get("timed_out"))
    crashed = bool(result.get("system_error")) and not theirs
    return crashed and split.attempts < MOST_ATTEMPTS


def _put_back(split: JobSplit) -> None:
    jobs.move(split, Event.LOSE)
    _release(split)


def _release(split: JobSplit) -> None:
    if split.assignment is not None:
        split.assignment.ended = clock.now()
        split.assignment.outcome = split.status.value
    split.assignment = split.worker = None
    split.cores = split.memory_mb = 0
    split.stop_told = False


def _end(
    session: Session, split: JobSplit, event: Event, result: Mapping[str, Any] | None
) -> None:
    jobs.move(split, event)
    split.ended = clock.now()
    worker = split.worker
    _release(split)
    split.worker = worker  # who did it is of interest
    if result is not None:
        session.add(_result(split, result))
    session.flush()


def _result(split: JobSplit, result: Mapping[str, Any]) -> Result:
    status = result.get("status")
    return Result(
        split=split,
        status=status if is_small(status) else 1,
        timed_out=bool(result.get("timed_out")),
        statistics=clean(result.get("statistics")),
        **{
            name: clean(str(result.get(name) or ""))
            for name in ("stdout", "stderr", "user_error", "system_error")
        },
    )


def clean(value: Any, depth: int = DEEPEST) -> Any:
    """Return `value` without what databases refuse: some characters, what is no number, depth."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        return {clean(str(key)): clean(one, depth - 1) for key, one in value.items()}
    return [clean(one, depth - 1) for one in value]


def _finish_if_whole(job: Job) -> None:
    """Let a job be done if all its splits are and their files are here."""
    if any(split.status is not SplitState.COMPLETED for split in job.splits):
        return
    results = [split.result for split in job.splits if split.result is not None]
    units = units_of([one.statistics for one in results])
    directory = Path(job.block.experiment.cache)
    paths = cache.outputs_of(job.block.command)
    if all(cache.is_complete(path, units.get(path), directory) for path in paths):
        jobs.finish(job, summed([one.statistics for one in results]))
        return
    now = clock.now()
    job.awaited_since = now if job.awaited_since is None else job.awaited_since
    if now - job.awaited_since >= CACHE_PATIENCE_S:
        jobs.fail(job, f"its results are not in the cache, whole, {CACHE_PATIENCE_S:.0f} s later")


def units_of(all_statistics: Sequence[Any]) -> dict[str, int]:
    """Return how many units were written for each path, as far as workers have told."""
    found: dict[str, int] = {}
    for one in all_statistics:
        for file in _files_of(one):
            name, units = file.get("hash"), file.get("blocks")
            if isinstance(name, str) and type(units) is int:
                found[path_of(name)] = found.get(path_of(name), 0) + units
    return found


def _files_of(statistics: Any) -> list[Mapping[str, Any]]:
    """Return what statistics tell of files; workers may tell anything."""
    found: Any = statistics
    for name in ("data", "files"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def path_of(name: str) -> str:
    """Return the path in the cache of what has the hash `name`."""
    return name if "/" in name else f"{name[0:2]}/{name[2:4]}/{name[4:6]}/{name[6:]}"


LARGEST = frozenset({"rss", "limit", "percent", "processors", "max_cpu_percent"})
"""Figures of which the largest counts."""


def summed(all_statistics: Sequence[Any]) -> dict[str, Any] | None:
    """Return the statistics of several splits as those of one job."""
    known = [dict(one) for one in all_statistics if isinstance(one, Mapping)]
    return functools.reduce(_plus, known) if known else None


def _plus(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    keys = list(one) + [key for key in other if key not in one]
    return {key: _added(key, one.get(key), other.get(key)) for key in keys}


def _added(key: str, one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return _plus(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return max(one, other) if key in LARGEST else one + other
    return other if one is None else one


def is_small(number: Any) -> bool:
    """Return whether something is a whole number that a column can hold."""
    return type(number) is int and -MOST <= number <= MOST
