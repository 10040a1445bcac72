from __future__ import annotations

from typing import Any

from dlg.graph.drawing.sketch import Kind, LineKind, Sketch
from dlg_translator.formats import read_all
from dlg_translator.formats.needs import describe, is_installed, needs_of
from dlg_translator.formats.views import sketch_logical
from dlg_translator.testing.drawing import Drawing


def drawn() -> Drawing:
    drawing = Drawing()
    drawing.data("in")
    scatter = drawing.scatter("split", 4)
    drawing.embed(scatter, "splitter")
    drawing.data("part", inside=scatter)
    drawing.app("work", inside=scatter, func_name="numpy.fft.fft")
    drawing.data("out", inside=scatter, category="File")
    drawing.link("in", scatter)
    drawing.link(scatter, "part")
    drawing.link("part", "work")
    drawing.link("work", "out")
    drawing.node("remark", "Comment", "Other", comment="note well")
    return drawing


def sketch(**changes: Any) -> Sketch:
    return sketch_logical(read_all({**drawn().document(), **changes}))


def test_constructs_are_frames_around_their_nodes_and_applications() -> None:
    found = sketch()
    (frame,) = found.frames
    assert (frame.id, frame.category, frame.detail) == ("split", "Scatter", "Scatter, 4 copies")
    inside = [box.label for box in found.boxes if box.parent == "split"]
    assert inside == ["splitter", "part", "work", "out"]


def test_links_of_a_construct_end_at_its_application() -> None:
    ends = [(line.src, line.dst) for line in sketch().lines]
    assert ("in", "split/input") in ends
    assert ("split/input", "part") in ends


def test_boxes_say_what_they_are() -> None:
    boxes = {box.id: box for box in sketch().boxes}
    assert boxes["work"].detail == "numpy.fft.fft"
    assert boxes["in"].kind is Kind.DATA
    assert boxes["work"].kind is Kind.APP
    assert (boxes["remark"].kind, boxes["remark"].label) == (Kind.NOTE, "note well")


def test_apps_are_told_by_their_class_those_of_constructs_too() -> None:
    drawing = drawn()
    drawing.app("plain", dropclass="my.own.Adder")
    drawing.app("nameless", dropclass="")
    boxes = {box.id: box for box in sketch_logical(read_all(drawing.document())).boxes}
    assert boxes["split/input"].detail == "CopyApp"
    assert boxes["plain"].detail == "Adder"
    assert boxes["nameless"].detail == "DALiuGEApp"


def test_data_is_told_by_how_it_is_stored() -> None:
    drawing = drawn()
    drawing.data("kept", category="File", dropclass="dlg.data.drops.file.FileDROP")
    boxes = {box.id: box for box in sketch_logical(read_all(drawing.document())).boxes}
    assert boxes["kept"].detail == "File"


def test_a_link_that_closes_a_loop_is_marked() -> None:
    drawing = Drawing()
    drawing.loop("again", 3)
    drawing.app("step", inside="again")
    drawing.data("state", inside="again")
    drawing.link("step", "state")
    drawing.link("state", "step", closesLoop=True)
    found = sketch_logical(read_all(drawing.document()))
    assert [line.kind for line in found.lines] == [LineKind.PLAIN, LineKind.LOOP]


def test_what_a_graph_needs_is_counted() -> None:
    needs = needs_of(read_all(drawn().document()))
    assert needs["constructs"] == {"Scatter": 1}
    assert needs["components"] == {"dlg.apps.copy.CopyApp": 2}
    assert needs["functions"] == {"numpy.fft.fft": 1}
    assert needs["packages"] == {"numpy": True}
    assert "File" in needs["storage"]


def test_needs_are_told_in_lines_with_what_is_missing() -> None:
    drawing = drawn()
    drawing.app("strange", func_name="nobody_has_this.f")
    text = "\n".join(describe(needs_of(read_all(drawing.document()))))
    assert "nobody_has_this  (not installed here)" in text
    assert not is_installed("nobody_has_this")


def test_one_of_a_thing_is_counted_in_the_singular() -> None:
    assert sketch().note == "logical graph: 6 nodes, 1 construct, 4 links"
