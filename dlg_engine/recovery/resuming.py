"""Whether a session can go on, and what it needs for that from this process."""

from __future__ import annotations

import sys
from pathlib import Path

from dlg.exceptions import UsageError
from dlg_engine.recovery.about import About, How


class NotResumableError(UsageError):
    """There is nothing from which a session could go on."""


def resumable_session(directory: Path) -> tuple[About, How]:
    """Return the files of the session in `directory`, and how it was run.

    Modules can be imported from where it imported them. Raises `NotResumableError` if it has not
    been run as one that can go on, and `UsageError` if others could have written what it has left.
    """
    about = About(directory)
    if not directory.is_dir():
        raise NotResumableError(f"there is no session {directory}")
    if not about.is_there:
        why = "it was ended before it began" if about.place.is_dir() else _CURE
        raise NotResumableError(f"{directory} cannot be resumed: {why}")
    about.check_safe()
    how = about.how()
    if not how.resumable:
        cure = f"run {how.source} again with --reuse, or the next time with --resumable"
        raise NotResumableError(f"{directory} cannot be resumed, as it kept no journal: {cure}")
    for place in how.code:
        if place not in sys.path and Path(place).is_dir():
            sys.path.append(place)
    return about, how


_CURE = "only what was run with --resumable can (from Python: run_graph(..., resumable=True))"
