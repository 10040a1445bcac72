"""What went wrong in the code of users, in lines that are theirs."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

_OURS = str(Path(__file__).parents[1]) + "/"
_PYTHON = ("<frozen ",)


def of_user(error: BaseException, prefix: str = "") -> str:
    """Return the traceback of `error` with the lines of the user's code and what it called.

    Our own lines are left out, and so are errors behind it that have none of the user's. Names of
    files in `prefix` are shortened.
    """
    parts = [_described(one, prefix) for one in _chain(error)]
    return "\n\n".join(parts)


def is_of_user(error: BaseException) -> bool:
    """Return whether any line of the user's code has to do with `error`."""
    return any(_foreign(one) for one in _chain(error))


def _chain(error: BaseException) -> list[BaseException]:
    """Return the errors from the first cause to the last, those alone that say something new."""
    found = [error]
    while True:
        before = found[0].__cause__
        if before is None and not found[0].__suppress_context__:
            before = found[0].__context__
        if before is None or before in found:
            break
        found.insert(0, before)
    told: list[BaseException] = []
    for one in found:
        if one is error or (_foreign(one) and str(one) not in map(str, [*told, error])):
            told.append(one)
    return told


def _described(error: BaseException, prefix: str) -> str:
    lines = traceback.format_list(list(_shortened(_foreign(error), prefix)))
    lines += traceback.format_exception_only(error)
    return "".join(lines).strip()


def _foreign(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames that are neither ours nor of Python's import system."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f for f in frames if not f.filename.startswith((_OURS, *_PYTHON))]


def _shortened(
    frames: list[traceback.FrameSummary], prefix: str
) -> Iterator[traceback.FrameSummary]:
    root = prefix.rstrip("/") + "/" if prefix else "\0"
    for frame in frames:
        frame.filename = frame.filename.removeprefix(root)
        yield frame
