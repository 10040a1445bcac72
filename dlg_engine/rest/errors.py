"""Which status an error gives, and how it is told: as existing clients expect it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.exceptions import (
    DaliugeException,
    InvalidDropException,
    InvalidGraphException,
    InvalidRelationshipException,
    InvalidSessionState,
    NoDropException,
    NoSessionException,
    SessionAlreadyExistsException,
    SubManagerException,
)
from dlg.http.errors import STATUS, Statuses, describe

SUB_MANAGER = 555

STATUSES: Statuses = {
    **STATUS,
    NoSessionException: 404,
    NoDropException: 404,
    SessionAlreadyExistsException: 409,
    InvalidDropException: 409,
    InvalidRelationshipException: 409,
    InvalidGraphException: 400,
    InvalidSessionState: 400,
    SubManagerException: SUB_MANAGER,
}


def describe_as_clients_expect(error: BaseException, status: int) -> dict[str, Any]:
    """Return an error as JSON: its class and arguments, a sentence, and all that is wrong."""
    told: Mapping[str, Any] = describe(error, status)
    return {"type": type(error).__name__, "args": _arguments(error), **told}


def _arguments(error: BaseException) -> list[Any]:
    if isinstance(error, SubManagerException):
        return [str(error), dict(error.reasons)]
    known = isinstance(error, DaliugeException)
    return [a if isinstance(a, str | int | float) else str(a) for a in error.args] if known else []
