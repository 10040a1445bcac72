"""What can be wrong with a job and its expressions, and how that is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlg.exceptions import RunError, UsageError

_SHOWN = 20
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class JobProblem:
    """One thing that is wrong with a job; `pointer` is the place (a JSON pointer)."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"at {self.pointer or '/'}: {self.message}"


class JobError(UsageError):
    """A job is wrong, or what it is made from."""


class InvalidJobError(JobError):
    """A job cannot be used as it is; `problems` lists what is wrong with it."""

    def __init__(self, problems: Sequence[JobProblem], source: str = "job") -> None:
        found = list(dict.fromkeys(problems))
        lines = [f"{source}: this job cannot be used:", *map(str, found[:_SHOWN])]
        if len(found) > _SHOWN:
            lines.append(f"and {len(found) - _SHOWN} more")
        super().__init__("\n  ".join(lines))
        self.problems, self.source = tuple(found), source


class ExpressionError(JobError):
    """An expression says what it must not, or cannot be evaluated.

    `column` is where in `expression`, from 0; -1 if it is all of it.
    """

    def __init__(self, reason: str, expression: str = "", column: int = -1) -> None:
        super().__init__(reason, expression, column)
        self.reason, self.expression, self.column = reason, expression, column

    def __str__(self) -> str:
        if not self.expression:
            return self.reason
        place = f", at character {self.column + 1}" if self.column >= 0 else ""
        return f"expression {_shortened(self.expression, self.column)}{place}: {self.reason}"


class RepeatLimitError(RunError):
    """A loop that goes on while its criterion holds has come to its last iteration."""


class QualityControlError(RunError):
    """What a task made is not as it must be; what depends on it does not run."""


def _shortened(text: str, column: int) -> str:
    if len(text) <= _LONGEST:
        return text
    start = max(0, min(column - _LONGEST // 2, len(text) - _LONGEST))
    end = start + _LONGEST
    return ("..." if start else "") + text[start:end] + ("..." if end < len(text) else "")
