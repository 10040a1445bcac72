"""How a drawing tells the parts of a divided graph: by colour, and always by number as well.

A box in one part has its colour and a badge with its number; one whose drops are in several parts
stays white and has a stripe for each, and a badge that lists or counts them. The legend above the
drawing says what the numbers stand for. Everything is made of marks: small rounded rectangles,
with or without a text, which each format can draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dlg.graph.drawing import theme
from dlg.graph.drawing.shapes import Rect
from dlg.graph.drawing.sketch import Box, Part
from dlg.graph.drawing.text import clean, fit, width_of

BADGE_PX, LEGEND_PX = 10.0, 12.0
BADGE_HEIGHT, STRIPE_HEIGHT, ROW_HEIGHT = 15.0, 7.0, 24.0
OVERHANG = 4.0
"""How far a badge stands out of its box to the right."""
MOST_NAMED = 4
"""Up to so many parts a badge lists; of more it has the number."""
MOST_IN_LEGEND = 24
LABEL_ROOM = 240.0
LEAST_ROOM = 520.0
"""How wide a legend may get above a narrow drawing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A rounded rectangle and the text in its middle."""

    rect: Rect
    fill: str
    edge: str
    text: str = ""
    ink: str = theme.PAPER


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the legend: its marks, and its words with the place where they begin."""

    marks: tuple[Mark, ...]
    words: str
    x: float
    y: float


def colours_of(box: Box) -> theme.Colours:
    """Return the colours of a box: those of its part, of its kind if there are no parts."""
    if not box.shares:
        return theme.BOX_COLOURS[box.kind]
    if len(box.shares) > 1:
        return theme.Colours(theme.PAPER, theme.MUTED, theme.INK)
    return theme.part_colours(box.shares[0][0])


def marks_of(box: Box, rect: Rect) -> Iterator[Mark]:
    """Yield what a box in `rect` bears to tell its parts."""
    if not box.shares:
        return
    if len(box.shares) > 1:
        yield from _stripes(box, rect)
        dark = theme.INK
    else:
        dark = theme.part_colours(box.shares[0][0]).edge
    numbers = [str(part) for part, _ in box.shares]
    text = ", ".join(numbers) if len(numbers) <= MOST_NAMED else f"{len(numbers)} parts"
    yield badge(text, rect.x + rect.w + OVERHANG, rect.y - BADGE_HEIGHT / 2, dark)


def _stripes(box: Box, rect: Rect) -> Iterator[Mark]:
    total = sum(drops for _, drops in box.shares)
    x, room = rect.x + 10.0, rect.w - 20.0
    for part, drops in box.shares:
        colours, width = theme.part_colours(part), room * drops / total
        stripe = Rect(x, rect.y + rect.h - STRIPE_HEIGHT / 2, width, STRIPE_HEIGHT)
        yield Mark(stripe, colours.fill, colours.edge)
        x += width


def badge(text: str, right: float, top: float, fill: str) -> Mark:
    """Return a badge with `text` whose right upper corner is there."""
    width = 9.0 + width_of(text, BADGE_PX, bold=True)
    return Mark(Rect(right - width, top, width, BADGE_HEIGHT), fill, theme.PAPER, text)


def legend(parts: Sequence[Part], corner: tuple[float, float], room: float) -> list[Entry]:
    """Return the entries of a legend, in rows of at most `room` from the upper left `corner`."""
    left, y = corner
    x = left
    entries: list[Entry] = []
    for part in parts[:MOST_IN_LEGEND]:
        colours = theme.part_colours(part.number)
        number = badge(str(part.number), 0.0, 0.0, colours.edge)
        noun = "drop" if part.drops == 1 else "drops"
        words = f"{fit(part.label, LEGEND_PX, LABEL_ROOM)}, {part.drops:,} {noun}"
        swatch = number.rect.w + 14.0
        width = swatch + 6.0 + width_of(words, LEGEND_PX) + 20.0
        if x > left and x + width > left + room:
            x, y = left, y + ROW_HEIGHT
        box = Mark(Rect(x, y, swatch, 19.0), colours.fill, colours.edge)
        inner = badge(number.text, x + swatch - 7.0, y + 2.0, colours.edge)
        entries.append(Entry((box, inner), words, x + swatch + 6.0, y + 14.0))
        x += width
    more = len(parts) - MOST_IN_LEGEND
    if more > 0:
        entries.append(Entry((), f"and {more:,} more parts", left, y + ROW_HEIGHT + 14.0))
    return [Entry(e.marks, clean(e.words), e.x, e.y) for e in entries]


def end_of(entries: Sequence[Entry]) -> float:
    """Return how far down a legend goes; 0 if it is empty."""
    return max((entry.y + 10.0 for entry in entries), default=0.0)


def right_of(entries: Sequence[Entry]) -> float:
    """Return how far to the right a legend goes; 0 if it is empty."""
    return max((e.x + width_of(e.words, LEGEND_PX) for e in entries), default=0.0)
