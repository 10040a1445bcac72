"""Which texts may be the id of a session: it names a directory on each node. Pure."""

from __future__ import annotations

import re

from dlg.exceptions import UsageError

SESSION_ID = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")


def check_session_id(session_id: str) -> None:
    """Raise UsageError for an id that cannot name a directory."""
    if not SESSION_ID.fullmatch(session_id) or not session_id.strip(". "):
        raise UsageError(f"{session_id!r} cannot be the id of a session: it names a directory")
