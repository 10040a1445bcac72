"""The one tree of errors; every branch says who is at fault.

`UsageError` means the caller did something wrong (the command line exits with 2), `RunError` that
a graph which was fine failed while it ran (exit code 1). Names ending in `Exception` are those of
the published interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from dlg.graph.problems import Problem


class DaliugeException(Exception):
    """The root of all errors raised by this project."""

    tells_all: ClassVar[bool] = False
    """Whether the text says all that people need; a traceback would only hide it."""


class UsageError(DaliugeException):
    """The caller asked for something impossible or said it wrongly."""

    tells_all = True


class RunError(DaliugeException):
    """Something failed while a correct graph was running."""


class InvalidGraphException(UsageError):
    """A graph cannot be used as it is; `problems` lists everything wrong with it."""

    def __init__(self, message: str, problems: Sequence[Problem] = (), source: str = "") -> None:
        super().__init__(message)
        self.problems = tuple(problems)
        self.source = source


class InvalidDropException(UsageError):
    """A drop cannot be made from the parameters given."""

    def __init__(self, drop: object, reason: str = "") -> None:
        who = getattr(drop, "uid", drop)
        super().__init__(f"drop {who}: {reason}" if reason else str(who))
        self.drop, self.reason = drop, reason


class InvalidRelationshipException(UsageError):
    """Two drops may not be linked in the way that was asked for."""

    def __init__(self, rel: object, reason: str) -> None:
        super().__init__(f"{rel}: {reason}")
        self.rel, self.reason = rel, reason


class InvalidPath(UsageError):
    """A path of a drop leaves its root, does not exist, or uses an unset variable."""


class NoDropException(UsageError):
    """A drop was asked for that the session or graph does not hold."""

    def __init__(self, uid: str, reason: str = "") -> None:
        super().__init__(f"no drop {uid!r}" + (f": {reason}" if reason else ""))
        self.uid = uid


class NoSessionException(UsageError):
    """A session was asked for that does not exist."""

    def __init__(self, session_id: str, reason: str = "") -> None:
        super().__init__(f"no session {session_id!r}" + (f": {reason}" if reason else ""))
        self.session_id = session_id


class SessionAlreadyExistsException(UsageError):
    """A session was to be created under an id that is taken."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"session {session_id!r} exists already")
        self.session_id = session_id


class InvalidSessionState(UsageError):
    """A session was asked for a step that its present state does not allow."""


class UnexpectedEventError(UsageError):
    """An event came that the present state of a drop does not allow."""

    def __init__(self, state: object, event: object, who: str = "", hint: str = "") -> None:
        text = f"{event} cannot follow {state}" + (f": {hint}" if hint else "")
        super().__init__(f"drop {who}: {text}" if who else text)
        self.state, self.event, self.who = state, event, who


class MissingExtraError(UsageError):
    """An optional library is needed that is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module} is needed here: install it with  pip install 'dlg[{extra}]'")
        self.module, self.extra = module, extra


class InvalidAssetError(UsageError, RuntimeError):
    """An asset of BEAT has a wrong name, is invalid, or lacks what was asked of it.

    A `RuntimeError` too, as that is what programs written for the existing packages catch.
    """


class DropChecksumException(RunError):
    """The data of a drop is not what its checksum says."""


class DataVanishedError(RunError):
    """The data of a completed drop is not where it was, and there is no replica of it."""

    def __init__(self, message: str, uid: str = "") -> None:
        super().__init__(message, uid)  # both, or it could not be unpickled
        self.uid = uid

    def __str__(self) -> str:
        return str(self.args[0])


class WorkerDiedError(RunError):
    """A worker process ended while it was running an app drop."""


class ErrorManagerCaughtException(RunError):
    """A failure that is known not to go away by trying again; it is not retried."""


class SubManagerException(RunError):
    """A manager below another could not do its part; `reasons` tells why, by its name.

    `fault` names the class of the error if it is the user's, and that of all that failed.
    """

    def __init__(
        self, message: str, reasons: Mapping[str, str] | None = None, fault: str = ""
    ) -> None:
        super().__init__(message)
        self.reasons = dict(reasons or {})
        self.fault = fault
