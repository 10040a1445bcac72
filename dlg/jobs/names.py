"""Which names tasks and files of a job may have."""

from __future__ import annotations

import re
from typing import Any

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\:*?\"<>|${}]")
_LONGEST_NAME = 200
_LONGEST_PATH = 1000


def check_type(name: Any) -> str:
    """Return what is wrong with the name of a type of tasks; empty if nothing is."""
    if isinstance(name, str) and _TYPE.fullmatch(name):
        return ""
    return f"{name!r} is no type of tasks: letters, digits and _ are expected"


def check_name(name: Any) -> str:
    """Return what is wrong with the name of an entry; empty if nothing is."""
    if not isinstance(name, str) or not name.isprintable() or "/" in name:
        return f"{name!r} is no name: it can be printed, and has no /"
    if not 0 < len(name) <= _LONGEST_NAME:
        return f"a name has 1 to {_LONGEST_NAME} characters"
    return ""


def check_file(name: Any, folder: Any = "") -> str:
    """Return what is wrong with the name of a file in a folder of the job; empty if nothing is."""
    for what, one in (("file", name), ("working_directory", folder)):
        if not isinstance(one, str):
            return f"the name of a {what} is a text, not {one!r}"
        if one and (reason := _wrong(one)):
            return f"{one!r}: {reason}"
    if not name:
        return "the name of the file is empty"
    return "the path is too long" if len(name) + len(folder) > _LONGEST_PATH else ""


def _wrong(path: str) -> str:
    if path.startswith("/"):
        return "it must be relative, so that it stays where the job works"
    if _FORBIDDEN.search(path):
        return "it has characters that file names of a job may not have"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f"{part!r} is no name in a path"
        if len(part.encode(errors="surrogatepass")) > _LONGEST_NAME:
            return "a name in it is too long"
    return "" if path.isprintable() else "it has characters that cannot be printed"
