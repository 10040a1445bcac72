"""Alias: names of files made from templates, outside of a session.

Inside a session a file drop does this itself, by the rules of `dlg.data.file_names`.
"""

from __future__ import annotations

import datetime as dates
import posixpath
import re

from dlg.data import file_names
from dlg.support import clock

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_KEY = re.compile(r"[^\w.-]")


def find_dlg_fstrings(filename: str) -> list[str]:
    """Return the names in braces in `filename`, in their order."""
    return _PLACEHOLDER.findall(filename)


def base_uid_pathname(uid: str, humanReadableKey: str) -> str:
    """Return a name made of the date in a drop's uid and of its label."""
    return f"{uid.partition('_')[0]}_{_KEY.sub('_', humanReadableKey)}"


def filepath_from_string(filename: str, dirname: str | None = None, **kwargs: str) -> str:
    """Return `filename` with its placeholders filled in, in `dirname`.

    Keywords say what the placeholders stand for; `{datetime}` is today's date unless they say
    otherwise. Raises `InvalidPath` for a placeholder nobody explains.
    """
    today = dates.datetime.fromtimestamp(clock.now(), dates.UTC).astimezone().date()
    name = file_names.fill_template(filename, {"datetime": today.isoformat(), **kwargs})
    return posixpath.join(dirname or "", name)


__all__ = ["base_uid_pathname", "filepath_from_string", "find_dlg_fstrings"]
