"""Drawing graphs: what is to be drawn, where it goes, and writers for several formats.

A front end makes a `Sketch` (boxes, frames around them, lines between them); `arrange` turns it
into a `Picture` in which all have places; `svg`, `html`, `png` and `dot` write one of the two.
"""

from __future__ import annotations

from dlg.graph.drawing.arrange import arrange
from dlg.graph.drawing.physical import sketch_physical
from dlg.graph.drawing.sketch import Box, Frame, Kind, Line, LineKind, Sketch

__all__ = [
    "Box",
    "Frame",
    "Kind",
    "Line",
    "LineKind",
    "Sketch",
    "arrange",
    "sketch_physical",
]
