"""Pictures as PNG, drawn by matplotlib from the same places and shapes as the SVG."""

from __future__ import annotations

import io
import math
import warnings
from typing import Any

from dlg.exceptions import MissingExtraError
from dlg.graph.drawing import theme
from dlg.graph.drawing.arrange import Picture, PlacedBox, PlacedFrame, PlacedLine
from dlg.graph.drawing.marks import (
    BADGE_HEIGHT,
    BADGE_PX,
    LEGEND_PX,
    Mark,
    colours_of,
    marks_of,
)
from dlg.graph.drawing.shapes import Outline, Rect, curve, frame_outline, outline_of, pill
from dlg.graph.drawing.sketch import LineKind
from dlg.graph.drawing.svg import STACKED, arrow, text_lines

SCALE = 2.0
"""Pixels of the file to a pixel of the picture, where the picture is not too big for it."""
MOST_PIXELS = 60_000_000
LONGEST_SIDE = 30_000
_DPI = 100.0
_POINTS = 72.0 / _DPI


def to_png(picture: Picture) -> bytes:
    """Return `picture` as a PNG file; raise `MissingExtraError` without matplotlib."""
    figure, axes, patches, path = _canvas(picture)
    pen = _Pen(axes, patches, path)
    for frame in picture.frames:
        pen.frame(frame)
    for line in picture.lines:
        pen.line(line)
    for box in picture.boxes:
        pen.box(box)
    for entry in picture.legend:
        for mark in entry.marks:
            pen.mark(mark)
        pen.words(entry.words, (entry.x, entry.y), LEGEND_PX, theme.INK)
    if picture.title:
        pen.words(picture.title, (24, 30), theme.TITLE_PX, theme.INK, weight="bold")
    if picture.note:
        pen.words(picture.note, (24, 49), theme.NOTE_PX, theme.MUTED)
    file = io.BytesIO()
    with warnings.catch_warnings():
        # Its font lacks many scripts and shows boxes for them: no reason to tell a hundred times.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(file, format="png", dpi=_DPI * _scale(picture))
    return file.getvalue()


def _scale(picture: Picture) -> float:
    area, side = picture.width * picture.height, max(picture.width, picture.height)
    return min(SCALE, math.sqrt(MOST_PIXELS / area), LONGEST_SIDE / side)


def _canvas(picture: Picture) -> tuple[Any, Any, Any, Any]:
    """Return a figure as big as the picture, its axes in pixels, and the modules that draw."""
    try:
        from matplotlib import patches, path  # noqa: PLC0415
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("matplotlib", "plots") from None
    figure = Figure(figsize=(picture.width / _DPI, picture.height / _DPI), facecolor=theme.PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    axes.axis("off")
    return figure, axes, patches, path


class _Pen:
    """Draws on the axes of a figure."""

    def __init__(self, axes: Any, patches: Any, path: Any) -> None:
        self._axes, self._patches, self._path = axes, patches, path

    def outline(self, outline: Outline, **style: Any) -> None:
        """Draw an outline; line widths are in pixels."""
        codes = {"M": self._path.Path.MOVETO, "L": self._path.Path.LINETO}
        codes |= {"C": self._path.Path.CURVE4, "Z": self._path.Path.CLOSEPOLY}
        points: list[tuple[float, float]] = []
        kinds: list[int] = []
        for stroke in outline:
            points += stroke.points or ((0.0, 0.0),)
            kinds += [codes[stroke.op]] * max(1, len(stroke.points))
        style["linewidth"] = style.get("linewidth", 1.0) * _POINTS
        self._axes.add_patch(self._patches.PathPatch(self._path.Path(points, kinds), **style))

    def words(
        self, text: str, at: tuple[float, float], size: float, colour: str, **more: Any
    ) -> None:
        """Write `text`; dollar signs are no formulas."""
        safe = text.replace("$", r"\$")
        self._axes.text(*at, safe, fontsize=size * _POINTS * 0.95, color=colour, **more)

    def frame(self, placed: PlacedFrame) -> None:
        """Draw a frame and its title."""
        colour, rect = theme.frame_edge(placed.frame.category), placed.rect
        shape = frame_outline(rect)
        self.outline(shape, facecolor=colour, alpha=0.055, edgecolor="none")
        self.outline(shape, facecolor="none", edgecolor=colour, linewidth=theme.FRAME_EDGE)
        at = rect.x + 16, rect.y + 20
        self.words(placed.title, at, theme.LABEL_PX - 0.5, colour, weight="bold")

    def line(self, placed: PlacedLine) -> None:
        """Draw a line and its arrow head."""
        kind = placed.line.kind
        kind = LineKind.LOOP if placed.backward and kind is LineKind.PLAIN else kind
        colour, dashes = theme.LINE_COLOURS[kind], theme.DASHES[kind]
        tip, head = arrow(placed.points, leftward=placed.backward)
        style: dict[str, Any] = {"linestyle": (0, dashes)} if dashes else {}
        path = curve([*placed.points[:-1], tip], leftward=placed.backward)
        style["linewidth"] = theme.LINE_WIDTH
        self.outline(path, facecolor="none", edgecolor=colour, **style)
        self._axes.add_patch(self._patches.Polygon(head, facecolor=colour, edgecolor="none"))

    def box(self, placed: PlacedBox) -> None:
        """Draw a box, the copies behind it, and its texts."""
        kind, rect = placed.box.kind, placed.rect
        colours = colours_of(placed.box)
        many = (STACKED, (STACKED[0] / 2, STACKED[1] / 2), (0.0, 0.0))
        for x, y in many if placed.box.count > 1 else many[-1:]:
            outline = outline_of(kind, Rect(rect.x + x, rect.y + y, rect.w, rect.h))
            style = {"facecolor": colours.fill, "edgecolor": colours.edge}
            self.outline(outline, linewidth=theme.BOX_EDGE, **style)
        for text, y, size, faint in text_lines(placed):
            at, alpha = (rect.middle[0], y), 0.72 if faint else 1.0
            self.words(text, at, size, colours.text, ha="center", alpha=alpha)
        for mark in marks_of(placed.box, rect):
            self.mark(mark)

    def mark(self, mark: Mark) -> None:
        """Draw a mark and its text."""
        self.outline(pill(mark.rect), facecolor=mark.fill, edgecolor=mark.edge)
        if mark.text:
            at = mark.rect.middle[0], mark.rect.y + BADGE_HEIGHT - 4.0
            self.words(mark.text, at, BADGE_PX, mark.ink, ha="center", weight="bold")
