"""What may happen to experiments, blocks, jobs and splits, and in which order: four tables.

Pure. The letters of experiments and blocks are those that the existing system keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from dlg.exceptions import UnexpectedEventError


class ExperimentState(StrEnum):
    """How an experiment stands."""

    PENDING = "P"
    SCHEDULED = "S"
    RUNNING = "R"
    DONE = "D"
    FAILED = "F"
    CANCELLING = "C"


class BlockState(StrEnum):
    """How a block of an experiment stands."""

    PENDING = "N"
    PROCESSING = "P"
    DONE = "C"
    FAILED = "F"
    CANCELLED = "L"


class JobState(StrEnum):
    """How the work for a block stands."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Its results were there already."""
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class SplitState(StrEnum):
    """How a part of a job stands, which one worker does."""

    QUEUED = "queued"
    ASSIGNED = "assigned"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What may happen to any of them."""

    SCHEDULE = "being scheduled"
    ASSIGN = "being given to a worker"
    START = "starting"
    FINISH = "finishing"
    SKIP = "being skipped"
    FAIL = "failing"
    LOSE = "losing its worker"
    CANCEL = "being cancelled"
    STOP = "having been stopped"
    RESET = "being reset"


E, B, J, S = ExperimentState, BlockState, JobState, SplitState

Table = Mapping[tuple[Any, Event], Any]

EXPERIMENTS: Table = {
    (E.PENDING, Event.SCHEDULE): E.SCHEDULED,
    (E.SCHEDULED, Event.START): E.RUNNING,
    (E.SCHEDULED, Event.FINISH): E.DONE,  # all its results were there, or others made them
    (E.RUNNING, Event.FINISH): E.DONE,
    (E.SCHEDULED, Event.FAIL): E.FAILED,
    (E.RUNNING, Event.FAIL): E.FAILED,
    (E.SCHEDULED, Event.CANCEL): E.CANCELLING,
    (E.RUNNING, Event.CANCEL): E.CANCELLING,
    (E.CANCELLING, Event.STOP): E.PENDING,
    (E.DONE, Event.RESET): E.PENDING,
    (E.FAILED, Event.RESET): E.PENDING,
}
"""What becomes of an experiment."""

BLOCKS: Table = {
    (B.PENDING, Event.START): B.PROCESSING,
    (B.PENDING, Event.FINISH): B.DONE,
    (B.PENDING, Event.SKIP): B.DONE,
    (B.PROCESSING, Event.FINISH): B.DONE,
    (B.PENDING, Event.FAIL): B.FAILED,
    (B.PROCESSING, Event.FAIL): B.FAILED,
    (B.PENDING, Event.STOP): B.CANCELLED,
    (B.PROCESSING, Event.STOP): B.CANCELLED,
    (B.PROCESSING, Event.LOSE): B.PENDING,
    **{(state, Event.RESET): B.PENDING for state in B if state is not B.PROCESSING},
}
"""What becomes of a block."""

JOBS: Table = {
    (J.QUEUED, Event.START): J.PROCESSING,
    (J.QUEUED, Event.FINISH): J.COMPLETED,  # a mirror that has not been told of the start
    (J.QUEUED, Event.SKIP): J.SKIPPED,
    (J.PROCESSING, Event.FINISH): J.COMPLETED,
    (J.PROCESSING, Event.LOSE): J.QUEUED,
    (J.QUEUED, Event.FAIL): J.FAILED,
    (J.PROCESSING, Event.FAIL): J.FAILED,
    (J.QUEUED, Event.CANCEL): J.CANCELLING,
    (J.PROCESSING, Event.CANCEL): J.CANCELLING,
    (J.CANCELLING, Event.STOP): J.CANCELLED,
}
"""What becomes of a job."""

SPLITS: Table = {
    (S.QUEUED, Event.ASSIGN): S.ASSIGNED,
    (S.ASSIGNED, Event.START): S.PROCESSING,
    (S.ASSIGNED, Event.FINISH): S.COMPLETED,  # what runs that quickly need not be told of
    (S.PROCESSING, Event.FINISH): S.COMPLETED,
    (S.ASSIGNED, Event.FAIL): S.FAILED,
    (S.PROCESSING, Event.FAIL): S.FAILED,
    (S.ASSIGNED, Event.LOSE): S.QUEUED,
    (S.PROCESSING, Event.LOSE): S.QUEUED,
    (S.QUEUED, Event.CANCEL): S.CANCELLED,
    (S.ASSIGNED, Event.CANCEL): S.CANCELLING,
    (S.PROCESSING, Event.CANCEL): S.CANCELLING,
    # Whatever it comes to meanwhile, nobody waits for it any more.
    (S.CANCELLING, Event.FINISH): S.CANCELLED,
    (S.CANCELLING, Event.FAIL): S.CANCELLED,
    (S.CANCELLING, Event.LOSE): S.CANCELLED,
    (S.CANCELLING, Event.STOP): S.CANCELLED,
    # A worker gives work up that nobody has told it to.
    (S.ASSIGNED, Event.STOP): S.CANCELLED,
    (S.PROCESSING, Event.STOP): S.CANCELLED,
}
"""What becomes of a split."""

TABLES: Mapping[type[StrEnum], Table] = {E: EXPERIMENTS, B: BLOCKS, J: JOBS, S: SPLITS}

WAITED_FOR = (E.SCHEDULED, E.RUNNING)
"""Experiments of which something may run."""
UNFINISHED = (J.QUEUED, J.PROCESSING)
"""Jobs that are waited for."""
AT_WORK = (S.ASSIGNED, S.PROCESSING, S.CANCELLING)
"""Splits that a worker has, with the cores and the memory for them."""


def step(state: StrEnum, event: Event, who: str = "") -> Any:
    """Return what `event` makes of `state`; raise UnexpectedEventError where it cannot happen."""
    found = TABLES[type(state)].get((state, event))
    if found is None:
        kind = type(state).__name__.removesuffix("State").lower()
        raise UnexpectedEventError(
            f"{kind} {who} that is {state.name.lower()}".replace("  ", " "), event.value
        )
    return found
