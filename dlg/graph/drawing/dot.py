"""Sketches in the language of Graphviz, for whoever wants another layout."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from dlg.graph.drawing import theme
from dlg.graph.drawing.marks import colours_of
from dlg.graph.drawing.sketch import Box, Kind, LineKind, Part, Sketch

_SHAPES: Mapping[Kind, str] = {
    Kind.DATA: "parallelogram",
    Kind.APP: "box",
    Kind.CONTROL: "hexagon",
    Kind.CONTAINER: "folder",
    Kind.NOTE: "note",
}
_STYLES: Mapping[LineKind, str] = {
    LineKind.PLAIN: "solid",
    LineKind.STREAMING: "dashed",
    LineKind.LOOP: "dashed",
    LineKind.HOLDS: "dotted",
}


def to_dot(sketch: Sketch) -> str:
    """Return `sketch` as a Graphviz document; constructs are clusters."""
    return "\n".join(_document(sketch)) + "\n"


def _document(sketch: Sketch) -> Iterator[str]:
    yield "digraph {"
    yield "  rankdir=LR; compound=true;"
    yield f"  label={_quoted(sketch.title)}; labelloc=t; fontname=Helvetica;"
    yield "  node [fontname=Helvetica, fontsize=11]; edge [fontname=Helvetica, fontsize=9];"
    boxes: dict[str | None, list[Box]] = defaultdict(list)
    frames = {frame.id: frame for frame in sketch.frames}
    for box in sketch.boxes:
        boxes[box.parent if box.parent in frames else None].append(box)
    todo: list[tuple[str, str | None, int]] = [("open", None, 0)]
    while todo:
        step, frame, depth = todo.pop()
        pad = "  " * (depth + 1)
        if step == "close":
            yield f"{pad[2:]}}}"
            continue
        if frame is not None:
            yield from _cluster_head(frame, frames[frame].label, frames[frame].category, depth)
            todo.append(("close", frame, depth))
        for box in boxes[frame]:
            yield pad + _node(box)
        inner = [
            f.id for f in sketch.frames if (f.parent if f.parent in frames else None) == frame
        ]
        todo += [("open", child, depth + 1) for child in reversed(inner) if child != frame]
    for line in sketch.lines:
        label = f', label="{line.count:,}"' if line.count > 1 else ""
        style = f"style={_STYLES[line.kind]}, color={_quoted(theme.LINE_COLOURS[line.kind])}"
        yield f"  {_quoted(line.src)} -> {_quoted(line.dst)} [{style}{label}];"
    if sketch.parts:
        yield from _legend(sketch.parts)
    yield "}"


def _cluster_head(frame: str, label: str, category: str, depth: int) -> Iterator[str]:
    pad = "  " * depth
    yield f"{pad}subgraph {_quoted(f'cluster_{frame}')} {{"
    yield f"{pad}  label={_quoted(label)}; color={_quoted(theme.frame_edge(category))};"
    yield f'{pad}  {_quoted(frame)} [shape=point, style=invis, label=""];'


def _node(box: Box) -> str:
    colours = colours_of(box)
    many = f" (x {box.count:,})" if box.count > 1 else ""
    label = "\n".join(text for text in (box.label + many, box.detail, _parts(box)) if text)
    return (
        f"{_quoted(box.id)} [label={_quoted(label)}, shape={_SHAPES[box.kind]}, "
        f"style=filled, fillcolor={_quoted(colours.fill)}, color={_quoted(colours.edge)}];"
    )


def _parts(box: Box) -> str:
    numbers = ", ".join(str(part) for part, _ in box.shares)
    return f"part{'s' if len(box.shares) > 1 else ''} {numbers}" if numbers else ""


def _legend(parts: Sequence[Part]) -> Iterator[str]:
    """Yield a cluster of boxes that say which part is which."""
    yield '  subgraph "cluster_parts of the graph" {'
    yield '    label="parts"; color="#7b8794";'
    for part in parts:
        colours = theme.part_colours(part.number)
        label = _quoted(f"{part.number}  {part.label}")
        style = f"fillcolor={_quoted(colours.fill)}, color={_quoted(colours.edge)}"
        name = _quoted(f"part {part.number}")
        yield f"    {name} [label={label}, shape=box, style=filled, {style}];"
    yield "  }"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
