"""Labels for Graphviz: blocks as tables, with a cell for each input and output.

All of this is text of Graphviz's own HTML; names go in as they are, so a caller who has them from
elsewhere escapes them first. `dlg.beat.diagrams` draws whole toolchains with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

__all__ = [
    "create_layout_ports_table",
    "create_port_table",
    "lighten_color",
    "make_label",
    "make_layout_label",
    "text_color",
]

LIGHTER = 120
"""How much a channel of a colour is raised for the ground behind its ports."""
CELL_WIDTH, CELL_HEIGHT = 100, 20
HALF = 0.5


def text_color(c: str) -> str:
    """Return #000000 or #ffffff: whichever is read better on the colour `c` (#rrggbb)."""
    red, green, blue = _channels(c)
    darkness = 1 - (0.299 * red + 0.587 * green + 0.114 * blue) / 255
    return "#000000" if darkness < HALF else "#ffffff"


def lighten_color(n: str) -> str:
    """Return the colour `n` (#rrggbb) made lighter by the same amount in each channel."""
    return "#" + "".join(f"{min(value + LIGHTER, 255):02x}" for value in _channels(n))


def create_port_table(type: str, names: Sequence[str], color: str) -> str:  # noqa: A002
    """Return a cell with one row for each port; `type` is input, output or result."""
    rows = "".join(f"<tr>{_port(type, name, color, name)}</tr>" for name in names)
    ground = lighten_color(color)
    return f'<td><table border="0" cellspacing="5" bgcolor="{ground}">{rows}</table></td>'


def create_layout_ports_table(
    color: str, input_names: Sequence[str] = (), output_names: Sequence[str] = ()
) -> str:
    """Return a cell with inputs at the left and outputs at the right, numbered, of fixed size."""
    both = bool(input_names) and bool(output_names)
    width = CELL_WIDTH if both else 2 * CELL_WIDTH
    size = f' fixedsize="true" width="{width}" height="{CELL_HEIGHT}"'
    rows = []
    for number, (left, right) in enumerate(zip_longest(input_names, output_names)):
        cells = ""
        if left is not None:
            cells += _port("input", left, color, str(number), size)
        if right is not None:
            cells += _port("output", right, color, str(number), size)
        rows.append(f"<tr>{cells}</tr>")
    ground = lighten_color(color)
    return f'<td><table border="0" bgcolor="{ground}">{"".join(rows)}</table></td>'


def make_label(inputs: Sequence[str], name: str, outputs: Sequence[str], color: str) -> str:
    """Return the label of a block: its inputs, its name, its outputs, side by side."""
    ground = lighten_color(color)
    cells = create_port_table("input", inputs, color) if inputs else ""
    cells += f'<td><font color="{text_color(ground)}">{name}</font></td>'
    cells += create_port_table("output", outputs, color) if outputs else ""
    table = f'<table border="0" cellspacing="0" bgcolor="{ground}"><tr>{cells}</tr></table>'
    return f"<{table}>"


def make_layout_label(inputs: Sequence[str], name: str, outputs: Sequence[str], color: str) -> str:
    """Return the label of a block whose ports have a fixed size, below its name."""
    ground = lighten_color(color)
    head = f'<tr><td><font color="{text_color(ground)}">{name}</font></td></tr>'
    ports = create_layout_ports_table(color, inputs, outputs)
    return f'<<table border="0" bgcolor="{ground}">{head}<tr>{ports}</tr></table>>'


def _port(prefix: str, name: str, color: str, text: str, size: str = "") -> str:
    # A name with markup in it is only shown; nothing is connected to it.
    port = "" if "<" in name else f' port="{prefix}_{name}"'
    font = f'<font color="{text_color(color)}">{text}</font>'
    return f'<td{port} bgcolor="{color}" border="1"{size}>{font}</td>'


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
