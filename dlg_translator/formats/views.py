"""A sketch of a logical graph, for whoever draws it: constructs are frames around their nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dlg.graph.drawing.sketch import Box, Frame, Kind, Line, LineKind, Sketch
from dlg_translator.model.categories import TYPES
from dlg_translator.model.logical import EmbeddedApp, Field, Link, LogicalGraph, Node
from dlg_translator.model.names import COPIES, DROP_CLASS, GATHER_WIDTH, GROUP_KEY, ITERATIONS

_KINDS: Mapping[str, Kind] = {
    "Data": Kind.DATA,
    "Application": Kind.APP,
    "Control": Kind.CONTROL,
    "Service": Kind.APP,
    "Global": Kind.NOTE,
    "Other": Kind.NOTE,
}
_NUMBERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Scatter": ("{} copies", COPIES),
    "Gather": ("{} inputs each", GATHER_WIDTH),
    "GroupBy": ("by {}", GROUP_KEY),
    "Loop": ("{} times", ITERATIONS),
}
"""What a construct's title says besides its category, and the fields that have the number."""
_SHOWN_FIELDS = 12
_TELLING = ("func_name", "command", "image", "filepath")
"""Fields that tell more about a node than its category does."""
_MUTE_FIELDS = frozenset({"x", "y", "group_start", "group_end", "num_cpus"})


def sketch_logical(graph: LogicalGraph) -> Sketch:
    """Return the nodes, constructs and links of `graph`; links to nothing are left out."""
    frames: list[Frame] = []
    boxes: list[Box] = []
    for node in graph.nodes.values():
        if node.is_group:
            frames.append(_frame(node))
            boxes += _embedded(node)
        else:
            boxes.append(_box(node))
    numbers = {"node": len(boxes), "construct": len(frames), "link": len(graph.links)}
    sizes = ", ".join(f"{n} {noun}" + "s" * (n != 1) for noun, n in numbers.items())
    return Sketch(
        title=graph.name or graph.source,
        note=f"logical graph: {sizes}",
        boxes=boxes,
        frames=frames,
        lines=[_line(graph, link) for link in graph.links],
    )


def _frame(node: Node) -> Frame:
    words, names = _NUMBERS.get(node.category, ("", ()))
    number = node.value(*names) if names else None
    detail = node.category
    if number not in (None, ""):
        detail += ", " + words.format(number)
    return Frame(
        id=node.id,
        label=node.name,
        detail=detail,
        category=node.category,
        parent=node.parent,
        facts=tuple(_facts(node.fields)),
    )


def _box(node: Node) -> Box:
    kind = _KINDS.get(TYPES.get(node.category, node.category_type), Kind.APP)
    is_text = node.category in {"Comment", "Description"}
    text = node.value("comment", "text", "description") or node.raw.get("description")
    return Box(
        id=node.id,
        label=str(text) if is_text and text else node.name,
        detail="" if is_text else _detail(node.category, node.fields),
        kind=Kind.CONTROL if node.category == "Branch" else kind,
        parent=node.parent,
        facts=tuple(_facts(node.fields)),
    )


def _embedded(node: Node) -> Iterator[Box]:
    """Yield the applications of a construct, which stand inside its frame."""
    for side, app in (("input", node.input_app), ("output", node.output_app)):
        if app is not None and not app.is_placeholder:
            yield Box(
                id=_embedded_id(node, side),
                label=app.name,
                detail=_detail(app.category, app.fields),
                kind=Kind.APP,
                parent=node.id,
                facts=(f"{side} application of {node.name}", *_facts(app.fields)),
            )


def _embedded_id(node: Node, side: str) -> str:
    return f"{node.id}/{side}"


def _line(graph: LogicalGraph, link: Link) -> Line:
    kind = LineKind.PLAIN
    if link.streaming:
        kind = LineKind.STREAMING
    elif link.closes_loop:
        kind = LineKind.LOOP
    ports = [name for name in (link.src_port_name, link.dst_port_name) if name]
    return Line(
        src=_end(graph, link.src, link.src_port),
        dst=_end(graph, link.dst, link.dst_port),
        kind=kind,
        label=" to ".join(dict.fromkeys(ports)),
    )


def _end(graph: LogicalGraph, node_id: str, port: str) -> str:
    """Return the box a link ends at: that of an embedded application if the port is one of its."""
    node = graph.nodes.get(node_id)
    if node is None or not node.is_group:
        return node_id
    for side, app in (("input", node.input_app), ("output", node.output_app)):
        if app is not None and not app.is_placeholder and _is_meant(app, port):
            return _embedded_id(node, side)
    return node_id


def _is_meant(app: EmbeddedApp, port: str) -> bool:
    return not port or app.has_port(port)


def _detail(category: str, fields: list[Field]) -> str:
    """Return what tells most about a node: its function or command, its class, its category.

    Data is told by the category, which says how it is stored.
    """
    values = {f.name: f.effective for f in fields}
    for name in _TELLING:
        found = values.get(name)
        if isinstance(found, str) and found.strip():
            return found.strip()
    classes = (values.get(name) for name in DROP_CLASS) if TYPES.get(category) != "Data" else ()
    named = next((str(found).strip() for found in classes if found), "")
    return named.rpartition(".")[2] or category


def _facts(fields: list[Field]) -> Iterator[str]:
    """Yield the values of fields, the first few."""
    shown = [f for f in fields if f.name not in _MUTE_FIELDS and f.effective not in (None, "")]
    for field in shown[:_SHOWN_FIELDS]:
        text = " ".join(str(field.effective).split())
        yield f"{field.name} = {text if len(text) <= 80 else text[:79] + '…'}"  # noqa: PLR2004
    if len(shown) > _SHOWN_FIELDS:
        yield f"and {len(shown) - _SHOWN_FIELDS} more fields"
