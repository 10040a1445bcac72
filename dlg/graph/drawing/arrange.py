"""Giving everything in a sketch a place.

Frames are arranged from the inside out: the inside of each is laid out as a graph of its own, in
which the frames it holds are nodes. A line that crosses borders is cut there into pieces, one for
each frame it passes through, and where a piece meets a border is known to the frame around it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from dlg.graph.drawing import marks
from dlg.graph.drawing.marks import BADGE_HEIGHT, Entry
from dlg.graph.drawing.marks import LEAST_ROOM as LEGEND_ROOM
from dlg.graph.drawing.shapes import SLANT, Point, Rect
from dlg.graph.drawing.sketch import Box, Frame, Kind, Line, Sketch
from dlg.graph.drawing.text import clean, fit, fit_lines, width_of
from dlg.graph.drawing.theme import DETAIL_PX, LABEL_PX, NOTE_PX, TITLE_PX
from dlg.graph.layout import Edges, Layout, Nodes, Spacing, lay_out

TEXT_ROOM, BOX_PAD, LEAST_WIDTH = 168.0, 17.0, 64.0
NOTE_LINES = 5
FRAME_PAD, FRAME_HEAD = 16.0, 30.0
MARGIN, HEAD = 24.0, 62.0
LOOSE_ROW = 900.0
"""How wide rows of boxes without links get, where nothing else is wider."""
SPACING = Spacing()


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box with its place and its texts, cut to fit."""

    box: Box
    rect: Rect
    lines: list[str]
    detail: str


@dataclass(frozen=True, slots=True)
class PlacedFrame:
    """A frame with its place; `depth` is 0 for one that stands in no other."""

    frame: Frame
    rect: Rect
    title: str
    depth: int


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line with the points it passes through, in pairs as `shapes.curve` takes them."""

    line: Line
    points: list[Point]
    backward: bool
    """It leads to the left, from the left side of a box to the right side of another."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing in which everything has a place, in pixels."""

    title: str
    note: str
    width: float
    height: float
    boxes: list[PlacedBox]
    frames: list[PlacedFrame]
    """Outer ones before those inside them."""
    lines: list[PlacedLine]
    legend: list[Entry] = field(default_factory=list)
    """What the numbers of the parts stand for."""


def arrange(sketch: Sketch) -> Picture:
    """Return `sketch` with places for everything in it."""
    return _Arrangement(sketch).picture()


class _Piece(NamedTuple):
    """The part of a line inside one frame; None for an end at the border of the frame."""

    line: int
    src: str | None
    dst: str | None


@dataclass(slots=True)
class _Inside:
    """What is inside a frame, laid out; the middle of its left border is given by `size`."""

    size: tuple[float, float]
    places: dict[str, Point] = field(default_factory=dict)
    """The middle of each member, from the frame's upper left corner."""
    routes: dict[int, list[Point]] = field(default_factory=dict)
    backward: set[int] = field(default_factory=set)
    doors: dict[tuple[int, bool], float] = field(default_factory=dict)
    """How high a line goes through the border, by line and whether it leaves."""


class _Arrangement:
    """One sketch being arranged."""

    def __init__(self, sketch: Sketch) -> None:
        self.sketch = sketch
        self.parents = {frame.id: frame.parent for frame in sketch.frames}
        known = set(self.parents)
        self.parents |= {box.id: box.parent for box in sketch.boxes}
        for thing, parent in self.parents.items():
            if parent is not None and parent not in known:
                self.parents[thing] = None
        self.members: dict[str | None, list[str]] = defaultdict(list)
        for thing, parent in self.parents.items():
            self.members[parent].append(thing)
        self.texts = {box.id: _texts(box) for box in sketch.boxes}
        self.sizes = {box.id: _box_size(self.texts[box.id]) for box in sketch.boxes}
        self.slants = {box.id: SLANT / 2 for box in sketch.boxes if box.kind is Kind.DATA}
        self.heads = {frame.id: _frame_title(frame) for frame in sketch.frames}
        self.lines = [x for x in sketch.lines if {x.src, x.dst} <= self.parents.keys()]
        self.inside: dict[str | None, _Inside] = {}

    def picture(self) -> Picture:
        """Return the picture: sizes from the inside out, then places from the outside in."""
        pieces: dict[str | None, list[_Piece]] = defaultdict(list)
        for k, line in enumerate(self.lines):
            for frame, piece in self._cut(k, line):
                pieces[frame].append(piece)
        order = self._outside_in()
        for frame in reversed(order):
            self.inside[frame] = self._lay_out(frame, pieces[frame])
            if frame is not None:
                self.sizes[frame] = self.inside[frame].size
        return self._assemble(order)

    # -- cutting lines --------------------------------------------------------------------

    def _around(self, thing: str) -> list[str | None]:
        """Return the frames around `thing`, from the inside out; the last is the drawing."""
        around: list[str | None] = []
        here = self.parents[thing]
        while here is not None and here not in around:
            around.append(here)
            here = self.parents[here]
        return [*around, None]

    def _cut(self, k: int, line: Line) -> Iterator[tuple[str | None, _Piece]]:
        """Yield the pieces of a line in drawing order, each with the frame it is in."""
        out, into = self._around(line.src), self._around(line.dst)
        within_dst, within_src = line.dst in out, line.src in into
        common = next(frame for frame in out if frame in into)
        if line.src == line.dst:
            return
        here = line.src
        for frame in out:
            if frame == common and not within_dst:
                break
            yield frame, _Piece(k, here, None)
            if frame == line.dst:
                return
            here = str(frame)
        path = into[: into.index(line.src) + 1] if within_src else into[: into.index(common)]
        entered = [line.dst, *map(str, path)]
        if not within_src:
            yield common, _Piece(k, here, entered[-1])
        for outer, inner in zip(reversed(path), reversed(entered[:-1]), strict=True):
            yield outer, _Piece(k, None, inner)

    def _outside_in(self) -> list[str | None]:
        """Return all frames, each before those inside it; the whole drawing is the first."""
        frames = {frame.id for frame in self.sketch.frames}
        order: list[str | None] = [None]
        for frame in order:  # grows while it is walked
            order += [thing for thing in self.members[frame] if thing in frames]
        return order

    # -- one frame ------------------------------------------------------------------------

    def _lay_out(self, frame: str | None, pieces: Sequence[_Piece]) -> _Inside:
        """Return the inside of a frame, whose own frames have been laid out before."""
        linked = {end for piece in pieces for end in piece[1:] if end is not None}
        members = [thing for thing in self.members[frame] if thing in linked]
        loose = [thing for thing in self.members[frame] if thing not in linked]
        layout = lay_out(*self._as_graph(members, pieces), SPACING)
        pad, head = (0.0, 0.0) if frame is None else (FRAME_PAD, FRAME_HEAD)
        inside = _Inside((layout.width, layout.height))
        for thing, x, y in zip(members, layout.x.tolist(), layout.y.tolist(), strict=False):
            inside.places[thing] = x + pad, y + head
        if loose:
            inside.size = _add_rows(inside, [(t, self.sizes[t]) for t in loose], (pad, head))
        title = 0.0 if frame is None else width_of(self.heads[frame], LABEL_PX, bold=True)
        width = max(inside.size[0], LEAST_WIDTH, title) + 2 * pad
        inside.size = width, inside.size[1] + head + pad
        self._keep_routes(inside, layout, (members, pieces), (pad, head))
        return inside

    def _as_graph(self, members: list[str], pieces: Sequence[_Piece]) -> tuple[Nodes, Edges]:
        """Return nodes for the members, then for each end of a piece at the frame's border."""
        row = {thing: k for k, thing in enumerate(members)}
        sizes = [self.sizes[thing] for thing in members]
        pinned = [0] * len(members)
        ends: list[tuple[int, int, float, float]] = []
        for piece in pieces:
            at = []
            for end, side in ((piece.src, -1), (piece.dst, 1)):
                if end is None:
                    at.append(len(sizes))
                    sizes.append((0.0, 0.0))
                    pinned.append(side)
                else:
                    at.append(row[end])
            leave, enter = (
                self._door(piece.src, piece.line, leaves=True),
                self._door(piece.dst, piece.line, leaves=False),
            )
            ends.append((at[0], at[1], leave, enter))
        shape = np.asarray(sizes, dtype=float).reshape(-1, 2)
        links = np.asarray(ends, dtype=float).reshape(-1, 4)
        rows = links[:, :2].astype(np.int64)
        edges = Edges(rows[:, 0], rows[:, 1], links[:, 2], links[:, 3])
        return Nodes(shape[:, 0], shape[:, 1], np.asarray(pinned, dtype=np.int64)), edges

    def _door(self, thing: str | None, line: int, *, leaves: bool) -> float:
        """Return how far below the middle of `thing` a line leaves or enters it."""
        inside = None if thing is None else self.inside.get(thing)
        if inside is None or (line, leaves) not in inside.doors:
            return 0.0
        return inside.doors[line, leaves] - inside.size[1] / 2

    def _keep_routes(
        self,
        inside: _Inside,
        layout: Layout,
        graph: tuple[list[str], Sequence[_Piece]],
        shift: tuple[float, float],
    ) -> None:
        """Note how each piece runs, and where it meets the border."""
        members, pieces = graph
        border = len(members)
        starts = layout.bend_start.tolist()
        for k, piece in enumerate(pieces):
            bends = [
                point
                for j in range(starts[k], starts[k + 1])
                for point in (
                    (float(layout.bend_left[j]) + shift[0], float(layout.bend_y[j]) + shift[1]),
                    (float(layout.bend_right[j]) + shift[0], float(layout.bend_y[j]) + shift[1]),
                )
            ]
            if layout.backward[k]:
                bends.reverse()
            if layout.backward[k] and self.texts.keys() >= set(piece[1:]):
                inside.backward.add(piece.line)
            ends: list[Point] = []
            for end, leaves in ((piece.src, True), (piece.dst, False)):
                if end is None:
                    y = float(layout.y[border]) + shift[1]
                    border += 1
                    inside.doors[piece.line, not leaves] = y
                    ends.append((0.0 if leaves else inside.size[0], y))
                else:
                    ends.append(self._end(inside, end, piece.line, leaves=leaves))
            inside.routes[piece.line] = [ends[0], *bends, ends[1]]

    def _end(self, inside: _Inside, thing: str, line: int, *, leaves: bool) -> Point:
        """Return where a piece begins or ends at a member: at its right or left side."""
        x, y = inside.places[thing]
        half = self.sizes[thing][0] / 2 - self.slants.get(thing, 0.0)
        if line in inside.backward:  # below the line that leads forward, if there is one
            return x - (half if leaves else -half), y + self.sizes[thing][1] * 0.3
        return x + (half if leaves else -half), y + self._door(thing, line, leaves=leaves)

    # -- the whole ------------------------------------------------------------------------

    def _assemble(self, order: Sequence[str | None]) -> Picture:
        """Return everything with its place in the drawing."""
        whole = self.inside[None]
        head = HEAD if self.sketch.title or self.sketch.note else MARGIN
        legend = marks.legend(self.sketch.parts, (MARGIN, head), max(whole.size[0], LEGEND_ROOM))
        # A badge stands out of its box, so a drawing with badges begins a little lower.
        head = max(head, marks.end_of(legend) + BADGE_HEIGHT)
        origins: dict[str | None, Point] = {None: (MARGIN, head)}
        rects: dict[str, Rect] = {}
        depth: dict[str | None, int] = {None: -1}
        for frame in order:
            x0, y0 = origins[frame]
            for thing, (x, y) in self.inside[frame].places.items():
                w, h = self.sizes[thing]
                rects[thing] = Rect(x0 + x - w / 2, y0 + y - h / 2, w, h)
                origins[thing] = rects[thing][:2]
                depth[thing] = depth[frame] + 1
        by_id = {frame.id: frame for frame in self.sketch.frames}
        texts = [width_of(self.sketch.title, TITLE_PX, bold=True)]
        texts.append(width_of(self.sketch.note, NOTE_PX))
        right = marks.right_of(legend) - MARGIN
        return Picture(
            title=clean(self.sketch.title),
            note=clean(self.sketch.note),
            width=max(whole.size[0], min(max(texts), 900.0), right) + 2 * MARGIN,
            height=whole.size[1] + head + MARGIN,
            boxes=[PlacedBox(b, rects[b.id], *self.texts[b.id]) for b in self.sketch.boxes],
            frames=[PlacedFrame(by_id[f], rects[f], self.heads[f], depth[f]) for f in order if f],
            lines=[
                PlacedLine(line, *self._route(k, line, origins))
                for k, line in enumerate(self.lines)
                if line.src != line.dst
            ],
            legend=legend,
        )

    def _route(
        self, k: int, line: Line, origins: dict[str | None, Point]
    ) -> tuple[list[Point], bool]:
        """Return the points of a whole line, and whether it leads backward anywhere."""
        points: list[Point] = []
        backward = False
        for frame, _ in self._cut(k, line):
            x0, y0 = origins[frame]
            inside = self.inside[frame]
            points += [(x0 + x, y0 + y) for x, y in inside.routes[k]]
            backward |= k in inside.backward
        return points, backward


def _texts(box: Box) -> tuple[list[str], str]:
    """Return the lines of the label, and the detail, cut to fit."""
    detail = fit(box.detail, DETAIL_PX, TEXT_ROOM)
    if box.count > 1:
        detail = f"× {box.count:,}  {detail}".rstrip()  # noqa: RUF001
    limit = NOTE_LINES if box.kind is Kind.NOTE else 2
    return fit_lines(box.label or box.id, LABEL_PX, TEXT_ROOM, limit), detail


def _box_size(texts: tuple[list[str], str]) -> tuple[float, float]:
    lines, detail = texts
    widest = max([width_of(line, LABEL_PX) for line in lines] + [width_of(detail, DETAIL_PX)])
    height = 16.0 + 16.0 * len(lines) + (13.0 if detail else 0.0)
    return max(LEAST_WIDTH, widest + 2 * BOX_PAD), height


def _frame_title(frame: Frame) -> str:
    title = fit(frame.label, LABEL_PX, 320)
    if title == frame.category:
        title = ""
    return "  ·  ".join(part for part in (title, frame.detail) if part)


def _add_rows(
    inside: _Inside, loose: list[tuple[str, tuple[float, float]]], shift: tuple[float, float]
) -> tuple[float, float]:
    """Put members without links into rows below the rest; return the size of it all."""
    width, top = inside.size
    room = max(width, min(LOOSE_ROW, sum(w + SPACING.between_nodes for _, (w, _) in loose)))
    gap = SPACING.between_nodes
    top += gap if top else 0.0
    x, highest = 0.0, 0.0
    for thing, (w, h) in loose:
        if x and x + w > room:
            x, top, highest = 0.0, top + highest + gap, 0.0
        inside.places[thing] = x + w / 2 + shift[0], top + h / 2 + shift[1]
        width, highest = max(width, x + w), max(highest, h)
        x += w + gap
    return width, top + highest
