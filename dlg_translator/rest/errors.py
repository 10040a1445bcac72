"""What goes wrong in a request, the status each mistake gives, and how it is told.

Every error is a JSON object: `error` is a sentence, `problems` lists all that is wrong, each with
its place in the graph where it has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlg.exceptions import InvalidGraphException, RunError, UsageError
from dlg.graph.problems import Problem


class BadRequestError(UsageError):
    """A request says something wrongly; `problems` lists all of it."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class NotFoundError(UsageError):
    """A route, a graph or a file was asked for that is not there."""


class ForbiddenError(UsageError):
    """A page of somebody else's asked for what only our own pages and programs may do."""


class MisdirectedError(UsageError):
    """The request names another host than this one, as a page does whose address was changed."""


class MethodError(UsageError):
    """A route was called by a method it does not answer to; `allowed` are those it does."""

    def __init__(self, message: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class ConflictError(UsageError):
    """What was asked for is there already."""


class TooLargeError(UsageError):
    """A request has more in it than the service takes."""


class BusyError(RunError):
    """More work is waiting than the service can do soon."""


class ManagerError(RunError):
    """A manager could not be reached, or refused."""


STATUS: Sequence[tuple[type[Exception], int]] = (
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (MethodError, 405),
    (ConflictError, 409),
    (TooLargeError, 413),
    (MisdirectedError, 421),
    (ManagerError, 502),
    (BusyError, 503),
    (UsageError, 400),
)
"""The status of each class of errors, the first that fits; 500 for all others."""

INTERNAL = 500
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def status_of(error: BaseException) -> int:
    """Return the HTTP status that tells of `error`."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), INTERNAL)


def describe(error: BaseException) -> dict[str, Any]:
    """Return `error` as the answer has it."""
    if status_of(error) == INTERNAL:
        # Its words are for those who run the service; they stand in the log.
        return {"error": "the service failed; its log says why", "problems": []}
    text = str(error)
    if isinstance(error, InvalidGraphException | BadRequestError) and error.problems:
        return {"error": text.partition("\n")[0], "problems": told(error.problems)}
    problem = Problem(code=code_of(error), message=text)
    return {"error": text, "problems": told([problem])}


def told(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Return problems as answers have them."""
    return [_one(problem) for problem in problems]


def _one(problem: Problem) -> dict[str, Any]:
    found: Mapping[str, Any] = {
        "code": problem.code,
        "severity": str(problem.severity),
        "message": problem.message,
        "hint": problem.hint,
        "pointer": problem.pointer,
        "name": problem.name,
        "id": problem.oid,
    }
    return dict(found)


def code_of(error: BaseException) -> str:
    """Return the kebab-case word for the kind of an error."""
    name = type(error).__name__.removesuffix("Error").removesuffix("Exception")
    return _WORDS.sub("-", name).lower()
