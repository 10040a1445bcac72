"""One notation for parameters of SQL statements, whatever a database driver wants.

A statement is written with `{}` (the next value) or `{2}` (the value of that index, from 0) and
`{{` or `}}` for braces themselves.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

from dlg.exceptions import UsageError

# From a value's index to what stands for it, by the `paramstyle` of PEP 249.
STYLES: dict[str, Callable[[int], str]] = {
    "qmark": lambda _: "?",
    "format": lambda _: "%s",
    "numeric": lambda i: f":{i + 1}",
    "named": lambda i: f":p{i}",
    "pyformat": lambda i: f"%(p{i})s",
}


class StatementError(UsageError):
    """A statement and its values do not fit together."""


def prepare_sql(
    sql: str, paramstyle: str, data: Sequence[Any] = ()
) -> tuple[str, list[Any] | dict[str, Any]]:
    """Return `sql` and `data` as a driver of `paramstyle` wants them.

    The values are a dictionary for the styles `named` and `pyformat`, else a list. Refused are
    unknown styles, placeholders without a value and values without a placeholder.
    """
    if paramstyle not in STYLES:
        raise StatementError(f"paramstyle {paramstyle!r} is not one of {', '.join(STYLES)}")
    literals, used = _parse(sql, len(data))
    if "format" in paramstyle:  # these styles take a percent sign for their own
        literals = [text.replace("%", "%%") for text in literals]
    marks = [*map(STYLES[paramstyle], used), ""]
    statement = "".join(text + mark for text, mark in zip(literals, marks, strict=True))
    if paramstyle in {"named", "pyformat"}:
        return statement, {f"p{i}": value for i, value in enumerate(data)}
    if paramstyle == "numeric":
        return statement, list(data)
    return statement, [data[i] for i in used]


def _parse(sql: str, n_values: int) -> tuple[list[str], list[int]]:
    """Return the texts between the placeholders, and the index of the value of each of those."""
    texts, used, last = [""], [], -1
    try:
        pieces = list(string.Formatter().parse(sql))
    except ValueError as error:
        raise StatementError(f"{sql}: {error}") from None
    for text, name, layout, conversion in pieces:
        texts[-1] += text
        if name is None:
            continue
        if layout or conversion or (name and not name.isdecimal()):
            raise StatementError(f"{sql}: a placeholder is {{}} or {{0}}, {{1}}, ...")
        last = int(name) if name else last + 1
        used.append(last)
        texts.append("")
    if set(used) != set(range(n_values)):
        raise StatementError(f"{sql}: the placeholders do not fit {n_values} values")
    return texts, used
