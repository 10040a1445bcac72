"""What goes wrong in a request, the status each mistake gives, and how it is told.

Every error is a JSON object: `error` is a sentence, `problems` lists all that is wrong, each with
its place in the graph where it has one. A service adds rows to the table of statuses, and may tell
errors in another form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dlg.exceptions import InvalidGraphException, RunError, UsageError
from dlg.graph.problems import Problem


class BadRequestError(UsageError):
    """A request says something wrongly; `problems` lists all of it."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class UnauthorizedError(UsageError):
    """A request came without the token, or with a wrong one."""


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


class SlowError(UsageError):
    """A request was begun, and then nothing more came, or too little of it."""


class TooLargeError(UsageError):
    """A request has more in it than the service takes."""


class MediaTypeError(UsageError):
    """A body is of a type, or packed in a way, that the route does not take."""


class BusyError(RunError):
    """More work is waiting than the service can do soon."""


Statuses = Mapping[type[BaseException], int]
StatusOf = Callable[[BaseException, Statuses], int]
"""Which status an error has, by the table or by what it says itself."""
Describe = Callable[[BaseException, int], Mapping[str, Any]]
"""How an error with this status is told."""

INTERNAL = 500
STATUS: Statuses = {
    UsageError: 400,
    UnauthorizedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    MethodError: 405,
    SlowError: 408,
    ConflictError: 409,
    TooLargeError: 413,
    MediaTypeError: 415,
    MisdirectedError: 421,
    BusyError: 503,
}
"""The status of each class of errors; those that are not here have that of their nearest base.

A service extends it: `{**STATUS, SubManagerException: 555}`.
"""
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNTOLD = "the service failed; its log says why"


def status_of(error: BaseException, statuses: Statuses = STATUS) -> int:
    """Return the HTTP status that tells of `error`: that of the nearest class in the table."""
    return next((statuses[kind] for kind in type(error).__mro__ if kind in statuses), INTERNAL)


def describe(error: BaseException, status: int) -> dict[str, Any]:
    """Return `error` as answers have it: a sentence, and a list of problems."""
    if status == INTERNAL:
        # Its words are for those who run the service; they stand in the log.
        return {"error": _UNTOLD, "problems": []}
    text = str(error)
    if isinstance(error, InvalidGraphException | BadRequestError) and error.problems:
        return {"error": text.partition("\n")[0], "problems": told(error.problems)}
    problem = Problem(code=code_of(error), message=text)
    return {"error": text, "problems": told([problem])}


def describe_with_class(error: BaseException, status: int) -> dict[str, Any]:
    """Return `error` with its class and arguments before what `describe` says.

    Clients of the existing managers make exceptions of these two again.
    """
    arguments = [] if status == INTERNAL else [_plain(argument) for argument in error.args]
    return {"type": type(error).__name__, "args": arguments, **describe(error, status)}


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


def _plain(value: object) -> Any:
    """Return what JSON can hold: `value` itself, or its words."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    return str(value)
