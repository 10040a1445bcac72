"""Log records that say for which session and drop they were written.

Nothing is set up when this is imported, and libraries set up nothing: a program (the command line,
a manager) makes a handler here and attaches it where it wants.
"""

from __future__ import annotations

import logging
from typing import TextIO

from dlg.support import context

FORMAT = "%(asctime)s %(levelname)-7s %(where)s%(name)s: %(message)s"


class ContextFilter(logging.Filter):
    """Add `session_id`, `drop_uid` and `where`, the two as one word, to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mark `record`, which always passes."""
        session, drop = context.session_id.get(), context.drop_uid.get()
        record.session_id, record.drop_uid = session, drop
        place = "/".join(part for part in (session, drop) if part)
        record.where = f"[{place}] " if place else ""
        return True


def stream_handler(stream: TextIO, level: str | int = logging.INFO) -> logging.Handler:
    """Return a handler that writes marked records from `level` on to `stream`, a line each."""
    handler = logging.StreamHandler(stream)
    handler.setLevel(level)
    handler.addFilter(ContextFilter())
    handler.setFormatter(logging.Formatter(FORMAT))
    return handler
