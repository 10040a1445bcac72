"""When an app drop fires, and what a data drop becomes once its producers have spoken.

Pure; the whole rule in two functions. An input can end in four ways: completed, in error,
cancelled, or skipped. Errors and cancellations count against the app's tolerance
(`input_error_threshold`, per cent of the effective inputs); skips are no fault of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dlg.ddap_protocol import DROPStates as S


class Decision(StrEnum):
    """What an app drop does about its inputs."""

    WAIT = "wait"
    RUN = "run"
    SKIP = "skip"
    FAIL = "fail"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class FiringOptions:
    """How tolerant a drop is of what comes before it."""

    input_error_threshold: int = 0
    """Per cent (0 to 100) of the effective inputs that may fail before the app fails too."""
    block_skip: bool = False
    """Whether a drop skips only when everything before it was skipped, not when something was."""


@dataclass(slots=True)
class Tally:
    """How many of a drop's inputs or producers came to a bad end, and whose fault it was first."""

    errors: int = 0
    cancelled: int = 0
    skipped: int = 0
    error_cause: int = -1
    """The row whose own failure came through first; -1 for none. Same for the other two."""
    cancel_cause: int = -1
    skip_cause: int = -1

    def add(self, state: S, cause: int) -> None:
        """Count one more drop that ended in `state`."""
        if state == S.ERROR:
            self.errors += 1
            self.error_cause = cause if self.error_cause < 0 else self.error_cause
        elif state == S.SKIPPED:
            self.skipped += 1
            self.skip_cause = cause if self.skip_cause < 0 else self.skip_cause
        else:
            self.cancelled += 1
            self.cancel_cause = cause if self.cancel_cause < 0 else self.cancel_cause


NOTHING_BAD = Tally()


def decide(ended: int, effective: int, tally: Tally, options: FiringOptions) -> Decision:
    """Return what an app does when `ended` of the `effective` inputs it needs have ended."""
    if ended < effective:
        return Decision.WAIT
    lost = tally.errors + tally.cancelled
    if lost and lost * 100 // effective > options.input_error_threshold:
        return Decision.FAIL if tally.errors else Decision.CANCEL
    if is_skipped(effective, tally, options):
        return Decision.SKIP
    return Decision.RUN


def outcome(producers: int, tally: Tally, options: FiringOptions) -> S:
    """Return what a data drop becomes when all its producers have ended."""
    if tally.errors:
        return S.ERROR
    if tally.cancelled:
        return S.CANCELLED
    return S.SKIPPED if is_skipped(producers, tally, options) else S.COMPLETED


def is_skipped(total: int, tally: Tally, options: FiringOptions) -> bool:
    """Return whether enough was skipped before a drop to skip it as well."""
    if options.block_skip:
        return tally.skipped >= total > 0
    return tally.skipped > 0
