"""Pictures as SVG: shapes with classes, styled in one place, readable by every viewer.

Colours also stand as attributes on the shapes, so that a page whose security policy forbids style
sheets still shows them. Nothing from a graph gets into the file unescaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

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
from dlg.graph.drawing.text import clean

STACKED = (6.0, 3.0)
"""How far behind a box the copies lie that stand for more drops of its kind."""


def to_svg(picture: Picture) -> str:
    """Return `picture` as a complete SVG document."""
    return "\n".join(_document(picture)) + "\n"


def _document(picture: Picture) -> Iterator[str]:
    w, h = _n(picture.width), _n(picture.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" '
        f'viewBox="0 0 {w} {h}" font-family={quoteattr(theme.FONT)} role="img">'
    )
    yield f"<title>{_text(picture.title)}</title>"
    yield f'<rect class="paper" width="{w}" height="{h}" fill="{theme.PAPER}"/>'
    yield from _heading(picture)
    if picture.legend:
        yield '<g class="legend">'
        for entry in picture.legend:
            yield from map(_mark, entry.marks)
            yield _words(entry.words, entry.x, entry.y, LEGEND_PX, theme.INK)
        yield "</g>"
    yield '<g class="scene">'
    for frame in picture.frames:
        yield from _frame(frame)
    yield '<g class="lines" fill="none">'
    for line in picture.lines:
        yield from _line(line)
    yield "</g>"
    for box in picture.boxes:
        yield from _box(box)
    yield "</g>"
    yield "</svg>"


def _heading(picture: Picture) -> Iterator[str]:
    if picture.title:
        yield _words(picture.title, 24, 30, theme.TITLE_PX, theme.INK, 'font-weight="600"')
    if picture.note:
        yield _words(picture.note, 24, 49, theme.NOTE_PX, theme.MUTED)


def _frame(placed: PlacedFrame) -> Iterator[str]:
    frame, rect = placed.frame, placed.rect
    colour = theme.frame_edge(frame.category)
    path = path_of(frame_outline(rect))
    yield f'<g class="frame" data-id={quoteattr(clean(frame.id))}>'
    yield _facts([frame.label, *frame.facts])
    yield (
        f'<path d="{path}" fill="{colour}" fill-opacity="0.055" stroke="{colour}" '
        f'stroke-width="{theme.FRAME_EDGE}"/>'
    )
    more = 'font-weight="600"'
    yield _words(placed.title, rect.x + 16, rect.y + 20, theme.LABEL_PX - 0.5, colour, more)
    yield "</g>"


def _line(placed: PlacedLine) -> Iterator[str]:
    line, points = placed.line, placed.points
    kind = LineKind.LOOP if placed.backward and line.kind is LineKind.PLAIN else line.kind
    colour = theme.LINE_COLOURS[kind]
    dashes = " ".join(map(_n, theme.DASHES[kind]))
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    tip, head = arrow(points, leftward=placed.backward)
    path = path_of(curve([*points[:-1], tip], leftward=placed.backward))
    ends = f"data-from={quoteattr(clean(line.src))} data-to={quoteattr(clean(line.dst))}"
    yield f'<g class="line" {ends} stroke="{colour}" stroke-width="{theme.LINE_WIDTH}">'
    facts = [line.label, f"{line.count:,} links" if line.count > 1 else ""]
    if any(facts):
        yield _facts([fact for fact in facts if fact])
    yield f'<path d="{path}"{dashed}/>'
    corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in head)
    yield f'<polygon points="{corners}" fill="{colour}" stroke="none"/>'
    yield "</g>"


def arrow(
    points: Sequence[tuple[float, float]], *, leftward: bool
) -> tuple[tuple[float, float], list[tuple[float, float]]]:
    """Return where a line ends and the corners of the arrow head there; it arrives level."""
    x, y = points[-1]
    way = -1.0 if leftward else 1.0
    back = x - way * theme.ARROW_LENGTH
    corners = [(x, y), (back, y - theme.ARROW_HALF), (back, y + theme.ARROW_HALF)]
    return (back + way, y), corners


def _box(placed: PlacedBox) -> Iterator[str]:
    box, rect = placed.box, placed.rect
    colours = colours_of(box)
    style = f'fill="{colours.fill}" stroke="{colours.edge}" stroke-width="{theme.BOX_EDGE}"'
    parts = " ".join(str(part) for part, _ in box.shares)
    told = f' data-parts="{parts}"' if parts else ""
    yield f'<g class="box {box.kind}" data-id={quoteattr(clean(box.id))}{told}>'
    yield _facts([box.label, box.detail, *box.facts])
    for x, y in (STACKED, (STACKED[0] / 2, STACKED[1] / 2)) if box.count > 1 else ():
        behind = Rect(rect.x + x, rect.y + y, rect.w, rect.h)
        yield f'<path d="{path_of(outline_of(box.kind, behind))}" {style}/>'
    yield f'<path d="{path_of(outline_of(box.kind, rect))}" {style}/>'
    for text, y, size, faint in text_lines(placed):
        more = 'text-anchor="middle"' + (' opacity="0.72"' if faint else "")
        yield _words(text, rect.middle[0], y, size, colours.text, more)
    yield from map(_mark, marks_of(box, rect))
    yield "</g>"


def _mark(mark: Mark) -> str:
    shape = f'<path d="{path_of(pill(mark.rect))}" fill="{mark.fill}" stroke="{mark.edge}"/>'
    more = 'font-weight="600" text-anchor="middle"'
    x, y = mark.rect.middle[0], mark.rect.y + BADGE_HEIGHT - 4.0
    words = _words(mark.text, x, y, BADGE_PX, mark.ink, more) if mark.text else ""
    return f'<g class="mark">{shape}{words}</g>'


def text_lines(placed: PlacedBox) -> list[tuple[str, float, float, bool]]:
    """Return the texts of a box: what, the height of the base line, the size, whether faint."""
    rect, top = placed.rect, placed.rect.y + 21.0
    small = placed.detail
    if not small:
        top = rect.y + (rect.h - 16.0 * len(placed.lines)) / 2 + 12.5
    lines = [(t, top + 16.0 * k, theme.LABEL_PX, False) for k, t in enumerate(placed.lines)]
    if small:
        lines.append((small, top + 16.0 * len(placed.lines) - 2.0, theme.DETAIL_PX, True))
    return lines


def path_of(outline: Outline) -> str:
    """Return an outline as the value of a `d` attribute."""
    return " ".join(
        stroke.op + " ".join(f"{_n(x)} {_n(y)}" for x, y in stroke.points) for stroke in outline
    )


def _words(text: str, x: float, y: float, size: float, colour: str, more: str = "") -> str:
    place = f'x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{colour}"'
    return f"<text {place} {more}>{_text(text)}</text>".replace(" >", ">")


def _facts(lines: Sequence[str]) -> str:
    return f"<title>{_text(chr(10).join(line for line in lines if line))}</title>"


def _text(text: str) -> str:
    return escape(clean(text))


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
