"""Which status an error gives, and how it is told: as existing clients expect it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg import exceptions
from dlg.clients.http import ManagerFailedError, ManagerUnreachableError
from dlg.exceptions import (
    DaliugeException,
    InvalidDropException,
    InvalidGraphException,
    InvalidRelationshipException,
    InvalidSessionState,
    MissingExtraError,
    NoDropException,
    NoSessionException,
    SessionAlreadyExistsException,
    SubManagerException,
    UsageError,
)
from dlg.http import errors
from dlg.http.errors import STATUS, Statuses, describe
from dlg.rpc import CallTimeoutError, PeerLostError

SUB_MANAGER = 555
OTHER_MANAGER = 556
"""What a daemon or an island that is asked over REST could not do."""

STATUSES: Statuses = {
    **STATUS,
    NoSessionException: 404,
    NoDropException: 404,
    SessionAlreadyExistsException: 409,
    InvalidDropException: 409,
    InvalidRelationshipException: 409,
    InvalidGraphException: 400,
    InvalidSessionState: 400,
    MissingExtraError: 501,
    SubManagerException: SUB_MANAGER,
    ManagerUnreachableError: OTHER_MANAGER,
    ManagerFailedError: OTHER_MANAGER,
    PeerLostError: SUB_MANAGER,
    CallTimeoutError: SUB_MANAGER,
}


def status_of(error: BaseException, statuses: Statuses = STATUSES) -> int:
    """Return the status of an error; what a user did wrong is his fault on every level.

    A manager above says who refused what, but 555 is for managers below that fail.
    """
    if isinstance(error, SubManagerException) and error.fault:
        kind = getattr(exceptions, error.fault, UsageError)
        return next((statuses[one] for one in kind.__mro__ if one in statuses), SUB_MANAGER)
    return errors.status_of(error, statuses)


def describe_as_clients_expect(error: BaseException, status: int) -> dict[str, Any]:
    """Return an error as JSON: its class and arguments, a sentence, and all that is wrong."""
    told: Mapping[str, Any] = describe(error, status)
    return {"type": type(error).__name__, "args": _arguments(error), **told}


def _arguments(error: BaseException) -> list[Any]:
    if isinstance(error, SubManagerException):
        return [str(error), dict(error.reasons)]
    known = isinstance(error, DaliugeException)
    return [a if isinstance(a, str | int | float) else str(a) for a in error.args] if known else []
