"""Which session and drop the code that is running works for.

A session or a drop says so with `working_for`; log records, and nobody else, read it, but for the
number of the try, which code of users may want to know. What is set here is seen by everything
called from there in the same thread or task, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

session_id: ContextVar[str] = ContextVar("dlg_session_id", default="")
drop_uid: ContextVar[str] = ContextVar("dlg_drop_uid", default="")
try_number: ContextVar[int] = ContextVar("dlg_try_number", default=1)
"""How often what is running has been tried, with this time."""


@contextmanager
def working_for(*, session: str | None = None, drop: str | None = None) -> Iterator[None]:
    """Work for `session` and `drop` inside the `with`; None leaves what is set."""
    tokens = [
        (variable, variable.set(value))
        for variable, value in ((session_id, session), (drop_uid, drop))
        if value is not None
    ]
    try:
        yield
    finally:
        for variable, token in tokens:
            variable.reset(token)
