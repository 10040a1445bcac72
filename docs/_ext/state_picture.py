"""A table of states as a picture: columns of boxes from left to right, arrows between them.

An arrow that passes other columns gets a free slot in each of them, so that it runs around the
boxes; the order within a column is that of the mean height of what its members hang on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import IntEnum, StrEnum
from html import escape
from itertools import pairwise

Table = Mapping[tuple[IntEnum, StrEnum], IntEnum]
Slot = tuple[object, ...]  # (state,) for a box, (from, to, column) for the slot of an arrow
Point = tuple[float, float]

BOX_W, BOX_H, STEP_X, BOX_STEP, SLOT_STEP, MARGIN, SWEEPS = 132, 46, 240, 84, 34, 18, 8

HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}"
 height="{h:.0f}" font-family="DejaVu Sans, Verdana, sans-serif" text-anchor="middle">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8"
 orient="auto"><path d="M0 0 8 4 0 8z" fill="#56657a"/></marker></defs>
<rect width="100%" height="100%" rx="8" fill="#ffffff"/>
"""
ARROW = '<path d="{d}" fill="none" stroke="#56657a" stroke-width="1.3" marker-end="url(#tip)"/>\n'
LABEL = (
    '<text x="{x:.0f}" y="{y:.0f}" font-size="12" fill="#0b4f8a" stroke="#ffffff" '
    'stroke-width="4" paint-order="stroke">{text}</text>\n'
)
BOX = (
    '<rect x="{x:.0f}" y="{y:.0f}" width="{w}" height="{h}" rx="7" fill="#eef4fb" '
    'stroke="#3b6ea5"/>\n'
    '<text x="{cx:.0f}" y="{ty:.0f}" font-size="13" font-weight="600" fill="#16324f">'
    "{name}</text>\n"
)
NOTE = '<text x="{cx:.0f}" y="{y:.0f}" font-size="10" fill="#6b7684">{text}</text>\n'


def picture(table: Table) -> str:
    """Return the SVG of `table`."""
    arrows: dict[tuple[IntEnum, IntEnum], list[str]] = defaultdict(list)
    staying: dict[IntEnum, list[str]] = defaultdict(list)
    for (state, event), after in table.items():
        if after == state:
            staying[state].append(event)
        else:
            arrows[state, after].append(event)
    ways = _ways(list(arrows))
    places = _places(_columns(ways))
    width = max(x for x, _ in places.values()) + BOX_W + MARGIN
    height = max(y for _, y in places.values()) + BOX_H + MARGIN
    drawn = [
        _arrow([places[slot] for slot in ways[arrow]], events) for arrow, events in arrows.items()
    ]
    lines, labels = zip(*drawn, strict=True)
    states = dict.fromkeys(state for arrow in arrows for state in arrow)
    boxes = [_box(state, places[(state,)], staying[state]) for state in states]
    return HEAD.format(w=width, h=height) + "".join([*lines, *boxes, *labels]) + "</svg>\n"


def _ranks(arrows: Sequence[tuple[IntEnum, IntEnum]]) -> dict[IntEnum, int]:
    """Return the column of each state: the longest way to it."""
    rank = dict.fromkeys((state for arrow in arrows for state in arrow), 0)
    for _ in range(len(rank)):
        for before, after in arrows:
            rank[after] = max(rank[after], rank[before] + 1)
    return rank


def _ways(arrows: Sequence[tuple[IntEnum, IntEnum]]) -> dict[tuple[IntEnum, IntEnum], list[Slot]]:
    """Return the slots each arrow goes through, one a column, its boxes included."""
    rank = _ranks(arrows)
    return {
        (a, b): [(a,), *((a, b, column) for column in range(rank[a] + 1, rank[b])), (b,)]
        for a, b in sorted(arrows, key=lambda arrow: rank[arrow[0]])
    }


def _columns(ways: Mapping[tuple[IntEnum, IntEnum], list[Slot]]) -> list[list[Slot]]:
    """Return the slots of each column from top to bottom, with few crossings."""
    rank = _ranks(list(ways))
    columns: list[list[Slot]] = [[] for _ in range(max(rank.values()) + 1)]
    before: dict[Slot, list[Slot]] = defaultdict(list)
    after: dict[Slot, list[Slot]] = defaultdict(list)
    for (a, _), way in ways.items():
        for step, slot in enumerate(way):
            column = columns[rank[a] + step]
            if slot not in column:
                column.append(slot)
        for left, right in pairwise(way):
            before[right].append(left)
            after[left].append(right)
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        height = {slot: y - len(c) / 2 for c in columns for y, slot in enumerate(c)}
        for column in columns if forth else reversed(columns):
            linked = before if forth else after
            mean = {s: _mean([height[o] for o in linked[s]], height[s]) for s in column}
            column.sort(key=mean.__getitem__)
            height |= {slot: y - len(column) / 2 for y, slot in enumerate(column)}
    return columns


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _places(columns: list[list[Slot]]) -> dict[Slot, Point]:
    """Return the upper left corner of each slot; columns are centred."""
    steps = [[BOX_STEP if len(slot) == 1 else SLOT_STEP for slot in c] for c in columns]
    tallest = max(map(sum, steps))
    places: dict[Slot, Point] = {}
    for number, (column, heights) in enumerate(zip(columns, steps, strict=True)):
        y = MARGIN + (tallest - sum(heights)) / 2
        for slot, step in zip(column, heights, strict=True):
            # The middle of a box and that of a slot are reckoned alike: from a box's corner.
            places[slot] = (MARGIN + number * STEP_X, y + (step - BOX_STEP) / 2)
            y += step
    top = min(y for _, y in places.values())
    return {slot: (x, y - top + MARGIN) for slot, (x, y) in places.items()}


def _arrow(corners: Sequence[Point], events: Sequence[str]) -> tuple[str, str]:
    """Return a curve through the slots at `corners`, and its label on the first piece."""
    points = [(corners[0][0] + BOX_W, corners[0][1] + BOX_H / 2)]
    for x, y in corners[1:-1]:
        points += [(x, y + BOX_H / 2), (x + BOX_W, y + BOX_H / 2)]
    points.append((corners[-1][0] - 1, corners[-1][1] + BOX_H / 2))
    d = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    for i, ((x1, y1), (x2, y2)) in enumerate(pairwise(points)):
        if i % 2:
            d += f" L{x2:.0f} {y2:.0f}"
        else:
            middle = (x1 + x2) / 2
            d += f" C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    (x1, y1), (x2, y2) = points[:2]
    at = 0.62  # nearer to where the arrows have parted
    x, y = x1 + (x2 - x1) * at, y1 + (y2 - y1) * (3 * at**2 - 2 * at**3)
    return ARROW.format(d=d), LABEL.format(x=x, y=y + 4, text=escape(", ".join(events)))


def _box(state: IntEnum, at: Point, staying: Sequence[str]) -> str:
    x, y = at
    middle = x + BOX_W / 2
    drawn = BOX.format(x=x, y=y, w=BOX_W, h=BOX_H, cx=middle, ty=y + 28, name=escape(state.name))
    if staying:
        text = escape("stays on " + ", ".join(staying))
        drawn += NOTE.format(cx=middle, y=y + BOX_H + 13, text=text)
    return drawn
