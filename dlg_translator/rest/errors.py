"""What goes wrong in the translator's service besides what any service refuses."""

from __future__ import annotations

from typing import Any

from dlg.exceptions import RunError
from dlg.http import errors
from dlg.http.errors import STATUS, Statuses


class ManagerError(RunError):
    """A manager could not be reached, or refused."""


STATUSES: Statuses = {**STATUS, ManagerError: 502}
"""The status of each class of errors."""


def status_of(error: BaseException) -> int:
    """Return the HTTP status that tells of `error`."""
    return errors.status_of(error, STATUSES)


def describe(error: BaseException) -> dict[str, Any]:
    """Return `error` as answers have it."""
    return errors.describe(error, status_of(error))
