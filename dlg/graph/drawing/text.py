"""How wide a text will be, without a font at hand: the usual widths of a sans-serif face.

Whatever face a viewer has instead is nearly as wide, and boxes leave a little room.
"""

from __future__ import annotations

import functools

_CLASSES = {
    0.24: "iljI|!.,:;'`",
    0.30: 'ftr()[]{}/\\- "',
    0.50: "ckszvxyJ*^",
    0.56: "abdeghnopqu0123456789_+=<>~?#$L",
    0.66: "ABEFKPSTVXYZ&",
    0.74: "CDHNRUwGOQ",
    0.86: "mM%W@",
}
_EM = {character: width for width, group in _CLASSES.items() for character in group}
_OTHER = 0.62
_WIDE_FROM = 0x1100
"""From here on characters are mostly as wide as they are high."""
ELLIPSIS = "…"
BOLD = 1.06


@functools.cache
def _em(character: str) -> float:
    return _EM.get(character, 1.0 if ord(character) >= _WIDE_FROM else _OTHER)


def width_of(text: str, size_px: float, *, bold: bool = False) -> float:
    """Return about how many pixels `text` takes."""
    return sum(map(_em, text)) * size_px * (BOLD if bold else 1.0)


def clean(text: str) -> str:
    """Return `text` without control characters, which XML forbids even when escaped."""
    return "".join(c for c in text if c >= " " or c in "\t\n")


def fit(text: str, size_px: float, room: float, *, bold: bool = False) -> str:
    """Return `text`, cut in the middle where it needs more than `room`.

    The end of a name often tells it from others, so it is kept.
    """
    text = " ".join(clean(text).split())
    if width_of(text, size_px, bold=bold) <= room:
        return text
    keep = len(text) - 1
    while keep > 2:  # noqa: PLR2004  a letter, the ellipsis, a letter
        head = (keep + 1) * 3 // 5
        short = text[:head].rstrip() + ELLIPSIS + text[len(text) - (keep - head) :].lstrip()
        if width_of(short, size_px, bold=bold) <= room:
            return short
        keep -= 1
    return text[:1] + ELLIPSIS


def fit_lines(text: str, size_px: float, room: float, limit: int = 2) -> list[str]:
    """Return `text` in up to `limit` lines, broken at spaces, dashes and underscores."""
    lines: list[str] = []
    rest = " ".join(clean(text).split())
    while len(lines) < limit - 1 and width_of(rest, size_px) > room:
        cut = _break(rest, size_px, room)
        if not cut:
            break
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*lines, fit(rest, size_px, room)]


def _break(text: str, size_px: float, room: float) -> int:
    """Return after how many characters a line of `room` ends; 0 if there is no good place."""
    best, width = 0, 0.0
    for i, character in enumerate(text):
        width += _em(character) * size_px
        if width > room:
            break
        if character in " -_./":
            best = i + 1
    return best
