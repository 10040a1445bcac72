"""Draw the smallest logical graph of each construct and of each pair of nested constructs.

    python graphs/constructs/draw.py [--accept]

writes the `.graph` files beside this program. The text beside each graph says what it unrolls to;
`--accept` writes it anew: read the difference before you commit it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from dlg_translator import unroll_graph
from dlg_translator.testing.drawing import Drawing
from dlg_translator.testing.readable import readable

HERE = Path(__file__).parent
FIELDS = {
    "Scatter": {"num_of_copies": 2},
    "Gather": {"num_of_inputs": 2},
    "GroupBy": {},
    "Loop": {"num_of_iter": 2},
    "MKN": {"m": 2, "k": 1, "n": 2},
    "SubGraph": {},
    "Service": {},
    "ExclusiveForceNode": {},
}
COLLECTS = {"Gather", "GroupBy"}


def nested(*kinds: str) -> Drawing:
    """Return constructs one in the other, with an application and its data in the innermost.

    What collects (gather, group-by) gets two pieces, which an application cuts for it.
    """
    drawing = Drawing()
    feed, host = drawing.data("source"), ""
    for kind in kinds:
        name = f"{'inner ' if host == kind.lower() else ''}{kind.lower()}"
        if kind in COLLECTS:
            feed = _pieces(drawing, f"for {name}", feed, host)
        drawing.construct(name, kind, inside=host, **FIELDS[kind])
        if kind in COLLECTS:
            drawing.link(feed, name)
            feed = ""
        host = name
    in_loop = kinds[-1] == "Loop"
    work = drawing.app("work", inside=host, group_start=in_loop)
    product = drawing.data("product", inside=host, group_end=in_loop)
    drawing.link(work, product)
    if feed:
        drawing.link(feed, work)
    return drawing


def _pieces(drawing: Drawing, purpose: str, feed: str, host: str) -> str:
    cut = drawing.app(f"cut {purpose}", inside=host)
    if feed:
        drawing.link(feed, cut)
    scatter = drawing.scatter(f"pieces {purpose}", 2, inside=host)
    piece = drawing.data(f"piece {purpose}", inside=scatter)
    drawing.link(cut, piece)
    return piece


def scatter_then_gather() -> Drawing:
    """Return a scatter with its application, and a gather with its own."""
    drawing = Drawing()
    drawing.data("source")
    drawing.scatter("scatter", 4)
    drawing.embed("scatter", "split")
    drawing.link("source", "scatter")
    drawing.data("part", inside="scatter")
    drawing.link("scatter", "part")
    drawing.gather("gather", 2)
    drawing.embed("gather", "bring together")
    drawing.data("bunch", inside="gather")
    drawing.link("part", "gather")
    drawing.link("gather", "bunch")
    return drawing


def group_by_after_two_scatters() -> Drawing:
    """Return a corner turn: scattered by beam and channel, grouped by channel."""
    drawing = Drawing()
    drawing.data("source")
    drawing.scatter("beams", 2)
    drawing.scatter("channels", 3, inside="beams")
    drawing.app("observe", inside="channels")
    drawing.data("visibilities", inside="channels")
    drawing.link("source", "observe")
    drawing.link("observe", "visibilities")
    drawing.construct("by channel", "GroupBy", group_key="channels")
    drawing.link("visibilities", "by channel")
    drawing.app("image", inside="by channel")
    drawing.data("cube", inside="by channel")
    drawing.link("image", "cube")
    return drawing


def carrying_loop() -> Drawing:
    """Return a loop that carries its model from one iteration to the next."""
    drawing = Drawing()
    drawing.data("start model")
    drawing.loop("major cycles", 3)
    drawing.app("improve", inside="major cycles", group_start=True)
    drawing.data("model", inside="major cycles", group_end=True)
    drawing.link("start model", "improve")
    drawing.link("improve", "model")
    drawing.link("model", "improve", closesLoop=True)
    drawing.app("publish")
    drawing.link("model", "publish")
    return drawing


def branch() -> Drawing:
    """Return a decision between two ways that come together again."""
    drawing = Drawing()
    drawing.data("question")
    drawing.app("decide", category="Branch", dropclass="dlg.apps.branch.BranchAppDrop")
    drawing.link("question", "decide")
    for way in ("yes", "no"):
        drawing.data(way)
        drawing.link("decide", way, port=way)
        drawing.app(f"do {way}")
        drawing.link(way, f"do {way}")
        drawing.data(f"{way} done")
        drawing.link(f"do {way}", f"{way} done")
    drawing.app("go on")
    drawing.link("yes done", "go on")
    drawing.link("no done", "go on")
    return drawing


def mpi() -> Drawing:
    """Return an MPI program of three processes."""
    drawing = Drawing()
    drawing.data("source")
    drawing.app("simulate", category="Mpi", num_of_procs=3, dropclass="dlg.apps.mpi.MPIApp")
    drawing.data("result")
    drawing.link("source", "simulate")
    drawing.link("simulate", "result")
    return drawing


def streaming() -> Drawing:
    """Return an application that reads its input while another still writes it."""
    drawing = Drawing()
    drawing.app("write")
    drawing.data("stream", streaming=True)
    drawing.app("read")
    drawing.link("write", "stream")
    drawing.link("stream", "read", is_stream=True)
    return drawing


def subgraph_with_applications() -> Drawing:
    """Return a sub-graph with an application before and one after it."""
    drawing = Drawing()
    drawing.data("source")
    drawing.construct("frame", "SubGraph")
    drawing.embed("frame", "before")
    drawing.embed("frame", "after", side="output")
    drawing.link("source", "frame")
    drawing.data("inside", inside="frame")
    drawing.link("frame", "inside")
    drawing.links.append(
        {"from": "inside", "fromPort": "", "to": "frame", "toPort": "frame/after.in"}
    )
    drawing.data("result")
    drawing.links.append(
        {"from": "frame", "fromPort": "frame/after.out", "to": "result", "toPort": ""}
    )
    return drawing


def mkn_stages() -> Drawing:
    """Return four inputs that two applications make six outputs of."""
    drawing = Drawing()
    drawing.app("read")
    drawing.construct("mkn", "MKN", m=4, k=2, n=6)
    drawing.data("input", inside="mkn")
    drawing.app("work", inside="mkn")
    drawing.data("output", inside="mkn")
    drawing.app("write")
    drawing.link("read", "input")
    drawing.link("input", "work")
    drawing.link("work", "output")
    drawing.link("output", "write")
    return drawing


def loop_aware() -> Drawing:
    """Return a loop that is entered in its first iteration only and left in its last."""
    drawing = carrying_loop()
    for link in drawing.links:
        if "publish" in link["to"] or "start model" in link["from"]:
            link["loop_aware"] = "1"
    return drawing


def loops_in_step() -> Drawing:
    """Return two loops of which the second follows the first step by step."""
    drawing = Drawing()
    drawing.data("source")
    for name in ("first", "second"):
        drawing.loop(name, 3)
        drawing.app(f"{name} work", inside=name, group_start=True)
        drawing.data(f"{name} product", inside=name, group_end=True)
        drawing.link(f"{name} work", f"{name} product")
    drawing.link("source", "first work")
    drawing.link("first product", "second work")
    return drawing


def three_scatters_gathered_in_turn() -> Drawing:
    """Return three nested scatters whose pieces two gathers bring together in turn."""
    drawing = Drawing()
    drawing.data("source")
    host = ""
    for axis in ("x", "y", "z"):
        host = drawing.scatter(axis, 2, inside=host)
    drawing.app("work", inside="z")
    drawing.data("piece", inside="z")
    drawing.link("source", "work")
    drawing.link("work", "piece")
    source = "piece"
    for name, width in (("columns", 2), ("planes", 2)):
        drawing.gather(name, width)
        drawing.embed(name, f"collect {name}")
        drawing.data(f"{name} data", inside=name)
        drawing.link(source, name)
        drawing.link(name, f"{name} data")
        source = f"{name} data"
    return drawing


SPECIAL: dict[str, Callable[[], Drawing]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        scatter_then_gather, three_scatters_gathered_in_turn, group_by_after_two_scatters,
        carrying_loop, loop_aware, loops_in_step, branch, mpi, mkn_stages, streaming,
        subgraph_with_applications,
    )
}  # fmt: skip


def drawings() -> dict[str, Drawing]:
    """Return every drawing by the name of its file."""
    made = {kind.lower(): nested(kind) for kind in FIELDS}
    for outer in FIELDS:
        for inner in FIELDS:
            made[f"{outer}-{inner}".lower()] = nested(outer, inner)
    return made | {name: draw() for name, draw in SPECIAL.items()}


def main() -> None:
    """Write the graphs, and with `--accept` also what they unroll to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true")
    accept = parser.parse_args().accept
    for name, drawing in drawings().items():
        path = HERE / f"{name}.graph"
        path.write_text(json.dumps(drawing.document(), indent=1) + "\n", encoding="utf-8")
        if accept:
            text = readable(unroll_graph(path).to_dropspecs())
            path.with_suffix(".txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
