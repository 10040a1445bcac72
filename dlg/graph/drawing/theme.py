"""Colours, sizes and shapes, shared by all formats so that a drawing looks the same in each."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

from dlg.graph.drawing.sketch import Kind, LineKind

FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"
LABEL_PX, DETAIL_PX, TITLE_PX, NOTE_PX = 13.0, 10.5, 18.0, 12.0
INK, MUTED, PAPER, LINE_INK = "#1f2933", "#66727f", "#ffffff", "#7b8794"


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of a box or frame."""

    fill: str
    edge: str
    text: str


BOX_COLOURS: Mapping[Kind, Colours] = {
    Kind.DATA: Colours("#e3f0fa", "#4a8fc2", "#123a56"),
    Kind.APP: Colours("#fdecd8", "#d8832a", "#5a3206"),
    Kind.CONTROL: Colours("#f1e6fa", "#8f55bf", "#3f1c5c"),
    Kind.CONTAINER: Colours("#e4f4e7", "#4c9a5a", "#173d1f"),
    Kind.NOTE: Colours("#fffbe8", "#cdb95e", "#5c5320"),
}

PART_COLOURS = (
    ("#bfdcf6", "#1f6fb5"), ("#fcd3a8", "#bf640c"), ("#c2e5b8", "#36852a"),
    ("#f7c4d7", "#b3306a"), ("#d9cdf4", "#6745b3"), ("#f5e79d", "#8a7000"),
    ("#b3e6df", "#177a6e"), ("#f8c0b8", "#b23527"), ("#e2cfbb", "#7a522c"),
    ("#ddeca6", "#5f7a10"), ("#d5dbe1", "#515e6b"), ("#eec6f0", "#8d3595"),
)  # fmt: skip
"""Fill and edge of the first parts of a divided graph, the same as on the translator's page."""
GOLDEN_ANGLE = 137.508
"""From a hue to the next, in degrees: neighbours differ however many there are."""

FRAME_EDGES: Mapping[str, str] = {
    "Scatter": "#2f8f6b",
    "Gather": "#3a76b3",
    "GroupBy": "#2b8fa3",
    "Loop": "#8f55bf",
    "MKN": "#a3742b",
    "Service": "#b3593a",
}
"""The colour of a construct's border and title; grey for all others."""
FRAME_GREY = "#7b8794"

LINE_COLOURS: Mapping[LineKind, str] = {
    LineKind.PLAIN: LINE_INK,
    LineKind.STREAMING: "#1f8a8a",
    LineKind.LOOP: "#8f55bf",
    LineKind.HOLDS: "#9fb3a3",
}
DASHES: Mapping[LineKind, tuple[float, ...]] = {
    LineKind.PLAIN: (),
    LineKind.STREAMING: (7, 3),
    LineKind.LOOP: (3, 3),
    LineKind.HOLDS: (1.5, 3.5),
}
LINE_WIDTH, BOX_EDGE, FRAME_EDGE = 1.3, 1.4, 1.4
ARROW_LENGTH, ARROW_HALF = 7.5, 3.6


def part_colours(number: int) -> Colours:
    """Return the colours of a part; those after the first are made by rule, and may look alike."""
    if number < len(PART_COLOURS):
        fill, edge = PART_COLOURS[number]
        return Colours(fill, edge, INK)
    hue = number * GOLDEN_ANGLE % 360 / 360
    fill = _hex(hue, 0.80 if number % 2 else 0.87, 0.62)
    return Colours(fill, _hex(hue, 0.34, 0.60), INK)


def _hex(hue: float, lightness: float, saturation: float) -> str:
    rgb = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{round(255 * value):02x}" for value in rgb)


def frame_edge(category: str) -> str:
    """Return the colour of the border of a construct."""
    return FRAME_EDGES.get(category, FRAME_GREY)
