"""Random logical graphs: constructs in constructs, with short pipelines in them."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from dlg_translator.testing.drawing import Drawing

REPEATING = {"Scatter": "num_of_copies", "Loop": "num_of_iter", "SubGraph": ""}


@dataclass
class Drawn:
    """A drawing, and how often each of its nodes must come out."""

    drawing: Drawing = field(default_factory=Drawing)
    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)
    """The data in each construct (and outside of all, under the empty name)."""


@st.composite
def logical_graphs(draw: st.DrawFn, max_constructs: int = 5, gathers: bool = True) -> Drawn:
    """Draw constructs in each other, fill them with pipelines, and link outside to inside."""
    drawn = Drawn()
    drawing = drawn.drawing
    widths = {"": 1}
    parents: dict[str, str] = {}
    for number in range(draw(st.integers(0, max_constructs))):
        host = draw(st.sampled_from(sorted(widths)))
        kind = draw(st.sampled_from(sorted(REPEATING)))
        copies = draw(st.integers(1, 3)) if REPEATING[kind] else 1
        name = f"{kind}{number}"
        fields = {REPEATING[kind]: copies} if REPEATING[kind] else {}
        drawing.construct(name, kind, inside=host, **fields)
        widths[name], parents[name] = widths[host] * copies, host
    for host, width in widths.items():
        _fill(draw, drawn, host, width)
    for host, parent in parents.items():
        source = draw(st.sampled_from(drawn.places[parent]))
        drawing.link(source, f"app0 of {host}")
    if gathers:
        _gather(draw, drawn, widths)
    return drawn


def _fill(draw: st.DrawFn, drawn: Drawn, host: str, width: int) -> None:
    """Put a pipeline, of one to three applications, into a construct."""
    before = ""
    drawn.places[host] = []
    for step in range(draw(st.integers(1, 3))):
        app, data = f"app{step} of {host}", f"data{step} of {host}"
        drawn.drawing.app(app, inside=host)
        drawn.drawing.data(data, inside=host)
        drawn.drawing.link(app, data)
        if before:
            drawn.drawing.link(before, app)
        before = data
        drawn.counts[app] = drawn.counts[data] = width
        drawn.places[host].append(data)


def _gather(draw: st.DrawFn, drawn: Drawn, widths: dict[str, int]) -> None:
    """Bring the copies in some construct together again, outside of all."""
    host = draw(st.sampled_from(sorted(widths)))
    per = draw(st.integers(1, 4))
    drawn.drawing.gather("gather", per)
    drawn.drawing.embed("gather", "collect")
    drawn.drawing.link(drawn.places[host][-1], "gather")
    drawn.drawing.data("collected", inside="gather")
    drawn.drawing.link("gather", "collected")
    drawn.counts["gather"] = drawn.counts["collected"] = -(-widths[host] // per)
