"""Where the file of a drop is: templates, variables, and roots that no path leaves. Pure.

A relative path starts at the session's directory and may not leave it; an absolute one is the
user's own decision, made in the graph, and is taken as it is.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from dlg.exceptions import InvalidPath

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_UNSAFE = re.compile(r"[^\w.+-]")


def expand_variables(path: str, variables: Mapping[str, str]) -> str:
    """Return `path` with `$NAME` and `${NAME}` replaced; raise `InvalidPath` for an unset one."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in variables:
            raise InvalidPath(f"{path}: the variable ${name} is not set")
        return variables[name]

    return _VARIABLE.sub(value, path)


def fill_template(path: str, facts: Mapping[str, str]) -> str:
    """Return `path` with `{uid}` and the like replaced by `facts`.

    Raises `InvalidPath` for a placeholder that is not among the facts.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in facts:
            known = ", ".join(f"{{{name}}}" for name in facts)
            raise InvalidPath(f"{path}: there is no placeholder {match[0]}; known are {known}")
        return facts[match[1]]

    return _PLACEHOLDER.sub(value, path)


def safe_name(text: str) -> str:
    """Return `text` as one component of a path: separators and oddities become underscores."""
    name = _UNSAFE.sub("_", text).strip(".")[:200]
    return name or "_"


def inside(path: str, root: str) -> str:
    """Return `path`, relative to `root`, made absolute; raise `InvalidPath` if it leaves it."""
    if posixpath.isabs(path):
        return posixpath.normpath(path)
    whole = posixpath.normpath(posixpath.join(root, path))
    top = posixpath.normpath(root)
    if whole != top and not whole.startswith(top.rstrip("/") + "/"):
        raise InvalidPath(f"{path}: leaves the directory of the session; use an absolute path")
    return whole


def resolve(
    given: str, root: str, default: str, facts: Mapping[str, str], variables: Mapping[str, str]
) -> str:
    """Return the absolute path that `given` in a graph means.

    Empty: a generated name, `default`, in `root`. A trailing slash: `default` in that directory.
    """
    path = fill_template(expand_variables(given, variables), facts) if given else ""
    if not path or path.endswith("/"):
        path += default
    return inside(path, root)
