"""What tasks of each type do: the types that are here, and those of users.

A task of type `X` that is none of ours is done by the function `run` of a module `task_X`, which
is looked for where all code of users is: beside the job, and in the code directory. A job can so
name nothing but what somebody has made to be a task. The function gets a `JobTask`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlg.exceptions import RunError, UsageError
from dlg.jobs.names import check_type
from dlg.support.symbols import UnknownModuleError, get_symbol

PREFIX = "task_"
FUNCTION = "run"
Handler = Callable[["JobTask"], Mapping[str, Any] | None]


class UnknownTaskTypeError(UsageError):
    """Nobody knows what tasks of a type are to do."""


class TaskFailedError(RunError):
    """A task was told to fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask:
    """What the function that does a task is given.

    What it returns, a mapping of names to plain values or None, is the result of the task, which
    others can ask for as `requested_metadata`.
    """

    type: str
    name: str
    job_name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Path | list[Path]] = field(default_factory=dict)
    """Files to read, by what they are to the task; a list where products were gathered."""
    outputs: Mapping[str, Path] = field(default_factory=dict)
    """Files to be made."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    requested_metadata: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 1
    """How often the task has been tried, with this time."""


def path_of(kind: str) -> str:
    """Return the import path of the function that does tasks of a type of users."""
    return f"{PREFIX}{kind}.{FUNCTION}"


def handler_of(kind: str) -> Handler:
    """Return the function that does tasks of a type; raise `UnknownTaskTypeError` for no type."""
    if kind in OURS:
        return OURS[kind]
    if reason := check_type(kind):
        raise UnknownTaskTypeError(reason)
    module = f"{PREFIX}{kind}"
    try:
        found = get_symbol(path_of(kind))
    except UnknownModuleError as error:
        known = ", ".join(OURS)
        raise UnknownTaskTypeError(
            f"nobody knows tasks of type {kind!r}: there is no module {module} beside the job or "
            f"in the code directory; known are {known}"
        ) from error
    if not callable(found):
        raise UnknownTaskTypeError(f"{module}.{FUNCTION} is no function")
    return found  # type: ignore[no-any-return]


def _null(task: JobTask) -> None:
    """Make empty files."""
    for path in task.outputs.values():
        path.write_bytes(b"")


def _error(task: JobTask) -> None:
    """Fail."""
    raise TaskFailedError(str(task.settings.get("message", "this task is there to fail")))


def _copy(task: JobTask) -> None:
    """Make every output of all that the inputs hold, one after the other."""
    paths: list[Path] = []
    for one in task.inputs.values():
        paths += one if isinstance(one, list) else [one]
    for target in task.outputs.values():
        with target.open("wb") as file:
            for path in paths:
                file.write(path.read_bytes())


def _report(task: JobTask) -> Mapping[str, Any]:
    """Return the settings, so that what was evaluated can be asked for."""
    _null(task)
    return dict(task.settings)


OURS: Mapping[str, Handler] = {
    "null": _null, "error": _error, "concatenate": _copy, "values": _report,
}  # fmt: skip
