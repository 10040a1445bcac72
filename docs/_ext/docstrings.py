"""Let docstrings be plain text with `code` in backticks and indented examples.

Sphinx reads docstrings as reStructuredText, where a star, a bar or a trailing underscore starts
something and an indented example must be announced. Here these are escaped and announced, so that
nobody has to think of it while writing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

INLINE_CODE = re.compile(r"(`+)(.+?)\1")
SPECIAL = re.compile(r"[*|\\]|_(?=\W|$)")
ITEM = re.compile(r"\s*([*-]|\d+\.) ")


def _escaped(text: str) -> str:
    parts, end = [], 0
    for code in INLINE_CODE.finditer(text):
        parts += [SPECIAL.sub(r"\\\g<0>", text[end : code.start()]), f"``{code[2].strip()}``"]
        end = code.end()
        if text[end : end + 1].isalnum():
            parts.append("\\ ")  # an end of code that a letter follows must be marked
    return "".join([*parts, SPECIAL.sub(r"\\\g<0>", text[end:])])


def _marked(line: str) -> str:
    item = ITEM.match(line)
    start = item[0] if item else ""
    return start + _escaped(line[len(start) :])


def to_rst(lines: list[str]) -> list[str]:
    """Return the reStructuredText for the `lines` of a docstring."""
    result: list[str] = []
    after_blank, example = True, False
    for line in _whole_code(lines):
        indented = line.startswith("    ")
        if line.strip() and not indented:
            example = False
        if indented and after_blank and not example and not ITEM.match(line):
            example = True
            result += ["::", ""]
        result.append(line if example else _marked(_unannounced(line)))
        after_blank = not line.strip() or (after_blank and example)
    return result


def _unannounced(line: str) -> str:
    """Return a line without the second colon by which somebody announced an example after all."""
    return line.rstrip()[:-1] if line.rstrip().endswith("::") else line


def _whole_code(lines: list[str]) -> list[str]:
    """Return `lines` with no `code` broken over two of them."""
    result: list[str] = []
    for line in lines:
        if result and result[-1].count("`") % 2 and result[-1].strip():
            result[-1] = f"{result[-1]} {line.strip()}"
        else:
            result.append(line)
    return result


def _process(
    _app: Sphinx, _what: str, _name: str, _obj: Any, _opts: Any, lines: list[str]
) -> None:
    lines[:] = to_rst(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Have each docstring pass through here."""
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}
