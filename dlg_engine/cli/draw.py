"""`dlg draw`: a picture of a graph, logical or physical."""

from __future__ import annotations

from pathlib import Path

import click

from dlg.exceptions import UsageError
from dlg.graph.drawing import Sketch, arrange, sketch_physical
from dlg.graph.reading import read_physical_graph
from dlg.support.examples import ExampleCommand
from dlg_engine.cli.group import HELP
from dlg_engine.cli.loading import GRAPH_PATH, STDIN, label_of, pick_source, write_bytes

FORMATS = ("svg", "png", "html", "dot")

EXAMPLES = """
Examples:
  dlg draw my.graph -o my.svg
  dlg draw my.graph -o my.html             a page to move about in, zoom and search
  dlg draw my.pg -o my.png --all           every drop, however many there are
  dlg draw my.graph -o - -f dot | dot -Tpdf -o my.pdf
"""


@click.command(cls=ExampleCommand, epilog=EXAMPLES, context_settings=HELP)
@click.argument("graph", type=GRAPH_PATH)
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE", help="Where to write; its ending says the format.",
)  # fmt: skip
@click.option(
    "-f", "--format", "wanted", type=click.Choice(FORMATS), help="The format, if not by ending."
)
@click.option(
    "--all/--collapse", "every", default=None,
    help="Draw every drop of a physical graph, or those of one kind as one. "
    "By default that depends on how many there are.",
)  # fmt: skip
def draw(*, graph: str, output: str, wanted: str | None, every: bool | None) -> None:
    """Draw GRAPH, logical or physical ('-': standard input), as SVG, PNG, HTML or DOT.

    Of a graph that is divided or mapped, boxes have the colour and the number of their part.

    PNG needs matplotlib: pip install 'dlg[plots]'.
    """
    kind = wanted or _format_of(output)
    write_bytes(output, rendered(_sketch(graph, every), kind))
    if output != STDIN:
        click.echo(f"drawn in {output}", err=True)


def rendered(sketch: Sketch, kind: str) -> bytes:
    """Return `sketch` in one of the formats; raise `MissingExtraError` without its library."""
    # Each writer is loaded when it is asked for.
    if kind == "dot":
        from dlg.graph.drawing.dot import to_dot  # noqa: PLC0415

        return to_dot(sketch).encode()
    picture = arrange(sketch)
    if kind == "png":
        from dlg.graph.drawing.png import to_png  # noqa: PLC0415

        return to_png(picture)
    if kind == "html":
        from dlg.graph.drawing.page import to_html  # noqa: PLC0415

        return to_html(picture).encode()
    from dlg.graph.drawing.svg import to_svg  # noqa: PLC0415

    return to_svg(picture).encode()


def _sketch(graph: str, every: bool | None) -> Sketch:
    source, physical = pick_source(graph)
    if physical:
        collapse = None if every is None else not every
        read = read_physical_graph(source, label_of(source), runs_here=False)
        return sketch_physical(read, collapse=collapse, with_parts=True)
    # Physical graphs are drawn without loading the translator.
    from dlg_translator.formats import read_all  # noqa: PLC0415
    from dlg_translator.formats.document import called  # noqa: PLC0415
    from dlg_translator.formats.views import sketch_logical  # noqa: PLC0415

    with called(label_of(source)):
        return sketch_logical(read_all(source))


def _format_of(output: str) -> str:
    ending = Path(output).suffix.lower().removeprefix(".")
    if ending in FORMATS:
        return ending
    known = ", ".join(f".{name}" for name in FORMATS)
    raise UsageError(f"{output}: a name ending in one of {known} is expected, or --format")
