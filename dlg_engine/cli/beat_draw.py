"""`dlg beat draw`: a picture of a toolchain or an experiment."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from dlg.beat.asset import Asset
from dlg.beat.catalogue import Catalogue
from dlg.beat.diagrams import Labels, diagram
from dlg.beat.experiment import Experiment
from dlg.beat.experiment_labels import ExperimentLabels
from dlg.beat.toolchain import Toolchain
from dlg.beat.wiring import Kind, Wiring
from dlg.exceptions import InvalidAssetError, UsageError
from dlg.graph.drawing import Box, Line, Sketch
from dlg.graph.drawing import Kind as Shape
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.beat import chosen_prefix, prefix_option
from dlg_engine.cli.beat_names import completes
from dlg_engine.cli.draw import FORMATS, rendered
from dlg_engine.cli.group import HELP
from dlg_engine.cli.loading import STDIN, write_bytes

EXAMPLES = """
Examples:
  dlg beat draw user/user/tc/1/exp -o exp.svg
  dlg beat draw user/tc/1 -o tc.html                   a page to move about in
  dlg beat draw user/tc/1 -o - -f dot | dot -Tpdf -o tc.pdf
"""
SHAPES = {
    Kind.DATASET: Shape.DATA,
    Kind.BLOCK: Shape.APP,
    Kind.LOOP: Shape.CONTROL,
    Kind.ANALYZER: Shape.NOTE,
}
COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#17becf", "#bcbd22", "#7f7f7f")
"""The colours of channels that the declaration gives none."""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("name", shell_complete=completes("experiment", "toolchain"))
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE", help="Where to write; its ending says the format.",
)  # fmt: skip
@click.option(
    "-f", "--format", "wanted", type=click.Choice(FORMATS), help="The format, if not by ending."
)
@prefix_option
def draw(*, name: str, output: str, wanted: str | None, prefix: Path | None) -> None:
    """Draw the toolchain or experiment NAME as SVG, PNG, HTML or DOT.

    DOT is drawn as the existing packages do, with a port for each input and output.
    """
    catalogue = Catalogue(chosen_prefix(prefix))
    asset = catalogue.load(catalogue.find(name, ("experiment", "toolchain")))
    kind = wanted or Path(output).suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise UsageError(f"{output}: which format? Give --format {'|'.join(FORMATS)}")
    drawn = to_dot(asset).encode() if kind == "dot" else rendered(sketch(asset), kind)
    write_bytes(output, drawn)
    if output != STDIN:
        click.echo(f"drawn in {output}", err=True)


def to_dot(asset: Asset) -> str:
    """Return a toolchain or an experiment as a graph for Graphviz; colours may be missing."""
    toolchain, labels = _parts(asset)
    colors = _colors(toolchain)
    title = f"{asset.kind.capitalize()}: {asset.name}"
    made: str = diagram(toolchain.wiring, colors, toolchain.name, title, labels).source
    return made


def sketch(asset: Asset) -> Sketch:
    """Return a toolchain or an experiment as a sketch: what is used is told below the names."""
    toolchain, _ = _parts(asset)
    used = _used(asset)
    boxes = []
    for node in toolchain.wiring.nodes:
        facts = (*_ports("in", node.inputs), *_ports("out", node.outputs))
        detail = ", ".join(used.get(node.name, ())) or node.kind.name.lower()
        boxes.append(
            Box(id=node.name, label=node.name, detail=detail, kind=SHAPES[node.kind], facts=facts)
        )
    counts = Counter((one.start, one.end) for one in toolchain.wiring.connections)
    lines = [Line(src=start, dst=end, count=count) for (start, end), count in counts.items()]
    return Sketch(
        title=asset.name,
        note=_note(toolchain.wiring),
        boxes=boxes,
        lines=lines,
    )


def _parts(asset: Asset) -> tuple[Toolchain, Labels]:
    """Return the toolchain to draw, with labels; raise `InvalidAssetError` if there is none."""
    if not asset.valid:
        reasons = "\n".join(asset.errors)
        raise InvalidAssetError(f"{asset.kind} {asset.name} is not valid:\n{reasons}")
    if isinstance(asset, Experiment) and asset.toolchain is not None:
        told = ExperimentLabels(asset.data, asset.uses, asset.algorithms, asset.databases)
        return asset.toolchain, Labels(told.of_node, told.of_output, told.of_results)
    if isinstance(asset, Toolchain):
        return asset, Labels()
    raise InvalidAssetError(f"{asset.kind} {asset.name} cannot be drawn")


def _used(asset: Asset) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if isinstance(asset, Experiment):
        for use in asset.uses:
            found.setdefault(use.block, []).append(use.algorithm)
        for name, one in asset.data["datasets"].items():
            found[name] = [f"{one['database']} {one['protocol']}/{one['set']}"]
    return found


def _colors(toolchain: Toolchain) -> dict[str, str]:
    datasets = list(toolchain.datasets)
    made = {name: COLORS[index % len(COLORS)] for index, name in enumerate(datasets)}
    made |= toolchain.data["representation"]["channel_colors"]
    return made


def _ports(way: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return (f"{way}: {', '.join(names)}",) if names else ()


def _note(wiring: Wiring) -> str:
    counts = {kind: sum(node.kind is kind for node in wiring.nodes) for kind in Kind}
    return ", ".join(
        f"{count:,} {kind.value if count > 1 else kind.name.lower()}"
        for kind, count in counts.items()
        if count
    )
