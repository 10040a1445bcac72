"""Drawings of toolchains for Graphviz.

The one owner of the `graphviz` library, which makes the text of a graph; the programs of Graphviz
are needed only by who renders it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dlg.beat.drawing import make_label, make_layout_label
from dlg.beat.wiring import Connection, Kind, Node, Wiring
from dlg.exceptions import MissingExtraError, UsageError

if TYPE_CHECKING:
    import graphviz

__all__ = ["Labels", "MissingColorError", "diagram"]

FONT = {"fontname": "Helvetica", "fontsize": "12"}


class MissingColorError(UsageError, KeyError):
    """A channel has no colour, so what is on it cannot be drawn."""

    def __init__(self, channel: str) -> None:
        super().__init__(
            f"/representation/channel_colors/{channel}: is missing from object descriptor - "
            "fix it before drawing"
        )

    def __str__(self) -> str:
        return str(self.args[0])


class Labels(NamedTuple):
    """What makes the labels: of a node (kind, name), of an output, of the results of an analyzer.

    What is None makes plain names, no labels and no results.
    """

    node: Callable[[str, str], str] | None = None
    edge: Callable[[str], str] | None = None
    results: Callable[[str], Sequence[str]] | None = None


def diagram(
    wiring: Wiring,
    colors: Mapping[str, str],
    name: str,
    title: str,
    labels: Labels,
    is_layout: bool = False,
) -> graphviz.Digraph:
    """Return the drawing of a toolchain; `colors` are those of the channels, as #rrggbb."""
    try:
        import graphviz  # noqa: PLC0415  optional, and only to draw
    except ImportError as error:
        raise MissingExtraError("graphviz", "beat") from error
    dot = graphviz.Digraph(name=name)
    dot.attr(
        "graph",
        label=title,
        labelloc="t",
        rankdir="LR",
        compound="true",
        fontname="Helvetica",
        fontsize="36",
        nodesep="0.5" if is_layout else "0.25",
        splines="line" if is_layout else "polyline",
    )
    with dot.subgraph(name="dataset_cluster") as cluster:
        cluster.attr("graph", rank="same", label="datasets")
        for node in wiring.nodes:
            if node.kind is Kind.DATASET:
                _draw_node(cluster, node, colors, labels, is_layout)
    arriving: dict[str, list[Connection]] = defaultdict(list)
    for one in wiring.connections:
        arriving[one.end].append(one)
    for node in wiring.running():
        _draw_node(dot, node, colors, labels, is_layout)
        for one in arriving[node.name]:
            _draw_edge(dot, one, (colors, node.channel), labels, is_layout)
    # What draws for others expects this group, though what is in it is drawn above.
    with dot.subgraph(name="analyzer_cluster") as cluster:
        cluster.attr("graph", rank="same", label="analyzers")
    return dot


def _draw_node(
    dot: graphviz.Digraph,
    node: Node,
    colors: Mapping[str, str],
    labels: Labels,
    is_layout: bool,
) -> None:
    outputs: Sequence[str] = node.outputs
    if node.kind is Kind.ANALYZER and labels.results:
        outputs = labels.results(node.name)
    if labels.node:
        text = labels.node(node.kind.name.lower(), node.name)
    else:
        text = node.name if is_layout else f"<b><u>{node.name}</u></b>"
    make = make_layout_label if is_layout else make_label
    label = make(node.inputs, text, outputs, _color(colors, node.channel))
    dot.node(node.name, label, shape="none", **FONT)


def _draw_edge(
    dot: graphviz.Digraph,
    one: Connection,
    paint: tuple[Mapping[str, str], str],
    labels: Labels,
    is_layout: bool,
) -> None:
    """Draw a connection in the colour of its channel, its label in that of the block's."""
    colors, channel = paint
    color = _color(colors, one.channel)
    start = one.source.replace(".", ":output_", 1)
    end = one.target.replace(".", ":input_", 1)
    if is_layout:
        dot.edge(f"{start}:e", f"{end}:w", color=color)
        return
    label = labels.edge(one.source) if labels.edge else ""
    dot.edge(start, end, label=label, color=color, fontcolor=_color(colors, channel), **FONT)


def _color(colors: Mapping[str, str], channel: str) -> str:
    try:
        return colors[channel]
    except KeyError:
        raise MissingColorError(channel) from None
