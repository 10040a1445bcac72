"""Outlines as lists of strokes, which every format can draw: move, line, curve, close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dlg.graph.drawing.sketch import Kind

Point = tuple[float, float]


class Stroke(NamedTuple):
    """One stroke: `M` and `L` to a point, `C` a cubic curve (two controls, end), `Z` closes."""

    op: str
    points: tuple[Point, ...] = ()


Outline = list[Stroke]

SLANT = 7.0
"""How far the sides of a data box lean."""
ROUND = 5.0
_LEVEL = 0.05


class Rect(NamedTuple):
    """An upright rectangle, by its upper left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def middle(self) -> Point:
        """Return the point in the middle."""
        return self.x + self.w / 2, self.y + self.h / 2


def outline_of(kind: Kind, box: Rect) -> Outline:
    """Return the outline of a box of that kind: data leans, apps are round, control is pointed."""
    x, y, w, h = box
    if kind is Kind.DATA:
        corners = [(x + SLANT, y), (x + w, y), (x + w - SLANT, y + h), (x, y + h)]
        return rounded(corners, ROUND)
    if kind is Kind.APP:
        return rounded(_corners(box), min(h / 2, 14.0))
    if kind is Kind.CONTROL:
        point = h / 2.6
        corners = [
            (x + point, y), (x + w - point, y), (x + w, y + h / 2),
            (x + w - point, y + h), (x + point, y + h), (x, y + h / 2),
        ]  # fmt: skip
        return rounded(corners, 3.0)
    return rounded(_corners(box), 2.0 if kind is Kind.NOTE else ROUND)


def pill(box: Rect) -> Outline:
    """Return the outline of a mark, as round as it can be, up to a limit."""
    return rounded(_corners(box), max(0.1, min(box.h / 2, box.w / 2, 7.0)))


def frame_outline(box: Rect) -> Outline:
    """Return the outline of a frame."""
    return rounded(_corners(box), 9.0)


def rounded(corners: Sequence[Point], radius: float) -> Outline:
    """Return the outline through `corners`, each of them rounded."""
    strokes: Outline = []
    for i, corner in enumerate(corners):
        before, after = corners[i - 1], corners[(i + 1) % len(corners)]
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        strokes.append(Stroke("L" if strokes else "M", (start,)))
        inner = 0.55  # a quarter of a circle, nearly
        c1 = _between(start, corner, inner)
        c2 = _between(end, corner, inner)
        strokes.append(Stroke("C", (c1, c2, end)))
    return [*strokes, Stroke("Z")]


def curve(points: Sequence[Point], *, leftward: bool = False) -> Outline:
    """Return a line that leaves and reaches each pair of points level: a curve, then straight.

    Points come in pairs: a curve leads from the first to the second of a pair, a straight piece on
    to the next pair. A line that is not `leftward` leaves and arrives going right, also where it
    has to swing round for it.
    """
    strokes = [Stroke("M", (points[0],))]
    for i in range(0, len(points) - 1, 2):
        (x0, y0), (x1, y1) = points[i], points[i + 1]
        if i:
            strokes.append(Stroke("L", ((x0, y0),)))
        with_the_flow = leftward or x1 > x0
        bow = (x1 - x0) / 2 if with_the_flow else max(40.0, (x0 - x1) / 4)
        if abs(y1 - y0) < _LEVEL and with_the_flow:
            strokes.append(Stroke("L", ((x1, y1),)))
        else:
            strokes.append(Stroke("C", ((x0 + bow, y0), (x1 - bow, y1), (x1, y1))))
    return strokes


def _corners(box: Rect) -> list[Point]:
    x, y, w, h = box
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    share = min(0.5, distance / length) if length else 0.0
    return _between(start, end, share)


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
