"""What can be wrong with tasks, products and queues."""

from __future__ import annotations

from dlg.exceptions import RunError, UsageError


class TaskSystemError(UsageError):
    """The task system was asked for something impossible."""


class NoSuchEntryError(TaskSystemError, LookupError):
    """The database has no entry of the kind and number, or name, that was asked for."""

    def __init__(self, kind: str, key: object, hint: str = "") -> None:
        super().__init__(f"there is no {kind} {key!r}" + (f": {hint}" if hint else ""))
        self.kind, self.key = kind, key


class EntryExistsError(TaskSystemError):
    """There is such an entry already."""


class MetadataValueError(TaskSystemError):
    """A value of metadata is of a kind that cannot be kept."""


class VerdictError(TaskSystemError):
    """A verdict was stated that contradicts those on products, or the failure of an attempt."""


class DumpError(TaskSystemError):
    """A file is not a dump of a task database, or is one of other tables."""


class DamagedFileError(RunError):
    """A file in the store is not what was registered."""


class LeaseLostError(RunError):
    """An attempt is not, or no longer, in the hands of who wanted to change it."""


class QueueUnavailableError(RunError):
    """The broker of a task queue cannot be reached."""


class DatabaseUnavailableError(RunError):
    """The database of tasks was there, and has not come back in time."""
