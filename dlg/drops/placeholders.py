"""Placeholders in commands: what `%i0` or `{port}` stands for.

Two generations are understood, also side by side. Positional: `%i0`, `%o[uid]` for paths,
`%iDataURL0`, `%oDataURL[uid]` for URLs. By name: `{port}`, `{uid}` or `{argument}`. A brace that
holds none of the known names is left alone, so `awk '{print $1}'` survives.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlg.exceptions import UsageError

_POSITIONAL = re.compile(
    r"%(?P<side>[io])(?P<url>DataURL)?(?:(?P<number>\d+)|\[(?P<uid>[^\]]+)\])"
)
_NAMED = re.compile(r"\{(?P<name>[^{}\s'\"$]+)\}")
_ANY = re.compile(f"{_POSITIONAL.pattern}|{_NAMED.pattern}")
_SPECIAL = re.compile(r'([\\"$`])')
"""What means something within double quotes."""

Sides = Mapping[str, Sequence[Any]]


def replace_path_placeholders(cmd: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> str:
    """Return `cmd` with `%iN`, `%i[uid]`, `%oN` and `%o[uid]` replaced by the paths of drops.

    Raises `UsageError` for a number or uid that is not there, or a drop that has no path.
    """
    return _replace(cmd, {"i": inputs, "o": outputs}, url=False)


def replace_dataurl_placeholders(cmd: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> str:
    """Return `cmd` with `%iDataURLN`, `%iDataURL[uid]` and the same of outputs replaced by URLs.

    Raises `UsageError` for a number or uid that is not there.
    """
    return _replace(cmd, {"i": inputs, "o": outputs}, url=True)


def fill_command(
    cmd: str,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    named: Mapping[str, Callable[[], Any]],
) -> str:
    """Return the shell command that `cmd` stands for, with what is put in quoted where needed.

    `named` gives the value of each known name when it is asked for. What is put in is looked at
    no more: a path may have braces in it.
    """
    sides = {"i": inputs, "o": outputs}
    around = quotes_around(cmd)

    def value(match: re.Match[str]) -> str:
        if match["side"]:
            drop = _find(match, sides[match["side"]])
            found: Any = str(drop.dataURL) if match["url"] else _path(drop, match)
        elif match["name"] in named:
            found = named[match["name"]]()
        else:
            return match[0]
        return quote(found, around[match.start()])

    return _ANY.sub(value, cmd)


def quotes_around(cmd: str) -> list[str]:
    """Return for each character of a shell command the quote it stands in, or an empty text.

    A command substitution within double quotes begins anew. Where quotes do not match, as an
    apostrophe in a comment makes it look, nothing counts as quoted.
    """
    around, stack, escaped = [], [""], False
    for place, character in enumerate(cmd):
        top = stack[-1]
        around.append(top if top in {"'", '"'} else "")
        if escaped:
            escaped = False
        elif top != "'" and character == "\\":
            escaped = True
        elif (character, top) in {("'", "'"), ('"', '"'), ("`", "`"), (")", "(")}:
            stack.pop()
        elif _opens(character, top, before=cmd[place - 1] if place else ""):
            stack.append(character)
    return around if stack == [""] else [""] * len(cmd)


def _opens(character: str, top: str, before: str) -> bool:
    if top == "'":
        return False
    if top == '"':
        return character == "`" or (character == "(" and before == "$")
    return character in {"'", '"', "`", "("}


def names_in(cmd: str) -> set[str]:
    """Return the names that stand in braces in `cmd`, known or not."""
    return set(_NAMED.findall(cmd))


def quote(value: Any, around: str = "") -> str:
    """Return `value` as one word of a shell command, or as several where it is a list.

    `around` is the quote in which it is put, if there is one.
    """
    if isinstance(value, list | tuple):
        return " ".join(quote(item, around) for item in value)
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    text = str(value).rstrip("\n")
    if around == "'":
        return text.replace("'", "'\\''")
    if around == '"':
        return _SPECIAL.sub(r"\\\1", text)
    return shlex.quote(text) if text else ""


def _replace(cmd: str, sides: Sides, *, url: bool) -> str:
    def value(match: re.Match[str]) -> str:
        if bool(match["url"]) != url:
            return match[0]
        drop = _find(match, sides[match["side"]])
        return str(drop.dataURL) if url else _path(drop, match)

    return _POSITIONAL.sub(value, cmd)


def _find(match: re.Match[str], drops: Sequence[Any]) -> Any:
    kind = "inputs" if match["side"] == "i" else "outputs"
    if match["uid"] is not None:
        found = next((drop for drop in drops if match["uid"] in {drop.uid, drop.oid}), None)
        if found is None:
            known = ", ".join(drop.uid for drop in drops) or "none"
            raise UsageError(f"{match[0]}: no such drop among the {kind}; they are: {known}")
        return found
    number = int(match["number"])
    if number >= len(drops):
        raise UsageError(f"{match[0]}: there are only {len(drops)} {kind}, counted from 0")
    return drops[number]


def _path(drop: Any, match: re.Match[str]) -> str:
    placeholder, path = match[0], getattr(drop, "path", None)
    if path is None:
        kind = type(drop).__name__
        text = f"{placeholder}: drop {drop.uid} ({kind}) has no path"
        raise UsageError(f"{text}; use a file drop, or the value by {{port name}}")
    if match["side"] == "i":
        drop.look_for_data()
    return str(path)
