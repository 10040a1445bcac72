"""What a check finds: whether all is well, what is so, and what to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, or may, and not as well as it should."""
    PROBLEM = "problem"
    """Something will fail."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that was found."""

    outcome: Outcome
    says: str
    todo: str = ""
    """What to do about it; never empty unless all is well."""

    def __post_init__(self) -> None:
        if bool(self.todo) is (self.outcome is Outcome.OK):
            raise ValueError(f"what is not well, and only that, has something to do: {self}")


def ok(says: str) -> Verdict:
    """Return that something is as it should be."""
    return Verdict(Outcome.OK, says)


def warning(says: str, todo: str) -> Verdict:
    """Return what may become a problem."""
    return Verdict(Outcome.WARNING, says, todo)


def problem(says: str, todo: str) -> Verdict:
    """Return what will fail."""
    return Verdict(Outcome.PROBLEM, says, todo)


def worst(verdicts: list[Verdict]) -> Outcome:
    """Return the worst outcome; OK of nothing."""
    order = list(Outcome)
    return max((verdict.outcome for verdict in verdicts), key=order.index, default=Outcome.OK)
