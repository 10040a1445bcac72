"""Rows as text in columns, for people."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

import click

NUMBER = re.compile(r"-|[\d,.]+( [A-Za-z]+)?")
"""A number, perhaps with a unit, or that there is none."""


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a heading and the rows, each column as wide as its widest entry; numbers to the right.

    Texts may be coloured: colours take no room.
    """
    columns = list(zip(head, *rows, strict=True))
    widths = [max(len(click.unstyle(text)) for text in column) for column in columns]
    right = [bool(rows) and all(_is_number(text) for text in column[1:]) for column in columns]
    for row in (head, *rows):
        cells = []
        for text, width, to_the_right in zip(row, widths, right, strict=True):
            blank = " " * (width - len(click.unstyle(text)))
            cells.append(blank + text if to_the_right else text + blank)
        yield "  ".join(cells).rstrip()


def _is_number(text: str) -> bool:
    return NUMBER.fullmatch(click.unstyle(text)) is not None


def clock_time(seconds: float | None) -> str:
    """Return a time since the epoch as people here write it; nothing for None."""
    if seconds is None:
        return "-"
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def amount(size: float | None) -> str:
    """Return an amount of bytes in the unit that suits it; `-` where it is not known."""
    if size is None:
        return "-"
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:  # noqa: PLR2004
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
