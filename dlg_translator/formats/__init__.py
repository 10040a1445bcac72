"""Files in, files out: logical graphs of every generation, palettes, configurations."""

from __future__ import annotations

from dlg_translator.formats.filling import configure_graph, fill_graph
from dlg_translator.formats.loading import (
    is_logical_graph,
    read_all,
    read_drawn,
    read_logical_graph,
)
from dlg_translator.formats.palette import Palette, read_palette, write_palette
from dlg_translator.formats.writing import save, to_document

__all__ = [
    "Palette",
    "configure_graph",
    "fill_graph",
    "is_logical_graph",
    "read_all",
    "read_drawn",
    "read_logical_graph",
    "read_palette",
    "save",
    "to_document",
    "write_palette",
]
