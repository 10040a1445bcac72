from __future__ import annotations

import base64
import hashlib
import re
import sys
from xml.etree import ElementTree as Tree

import pytest

from dlg.exceptions import MissingExtraError
from dlg.graph import read_physical_graph
from dlg.graph.drawing import Box, Frame, Kind, Line, LineKind, Sketch, arrange, sketch_physical
from dlg.graph.drawing.dot import to_dot
from dlg.graph.drawing.page import to_html
from dlg.graph.drawing.png import to_png
from dlg.graph.drawing.svg import to_svg
from dlg.graph.drawing.text import fit, fit_lines, width_of
from dlg.testing import graphs

NASTY = "<script>alert('x')</script> & \"quotes\" \x00\x1b ${a}"
SKETCH = Sketch(
    title=NASTY,
    note="a note",
    boxes=[
        Box(id=NASTY, label=NASTY, detail=NASTY, facts=(NASTY,)),
        Box(id="app", label="app", kind=Kind.APP, parent="f", count=5),
        Box(id="branch", label="branch", kind=Kind.CONTROL),
        Box(id="holder", label="holder", kind=Kind.CONTAINER),
        Box(id="note", label="a comment of several words " * 5, kind=Kind.NOTE),
    ],
    frames=[Frame(id="f", label=NASTY, category="Scatter", detail="4 copies")],
    lines=[
        Line(src=NASTY, dst="app", count=7),
        Line(src="app", dst="branch", kind=LineKind.STREAMING),
        Line(src="branch", dst=NASTY, kind=LineKind.LOOP),
        Line(src="holder", dst=NASTY, kind=LineKind.HOLDS),
    ],
)
SVG = "{http://www.w3.org/2000/svg}"


def test_svg_is_sound_and_shows_every_box_frame_and_line() -> None:
    root = Tree.fromstring(to_svg(arrange(SKETCH)))
    groups = [g.get("class") or "" for g in root.iter(f"{SVG}g")]
    assert sum(name.startswith("box") for name in groups) == 5
    assert groups.count("frame") == 1
    assert groups.count("line") == 4


def test_texts_of_a_graph_never_become_markup() -> None:
    for text in (to_svg(arrange(SKETCH)), to_html(arrange(SKETCH))):
        assert "<script>alert" not in text
        assert "\x00" not in text


def test_a_page_allows_just_its_own_script_and_style() -> None:
    page = to_html(arrange(SKETCH))
    for tag, policy in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{policy} 'sha256-{digest}'" in page
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page)
    assert "http" not in re.sub(r'xmlns="[^"]*"|http-equiv', "", page), "it loads nothing"


def test_dot_quotes_names_and_nests_constructs() -> None:
    text = to_dot(SKETCH)
    assert text.startswith("digraph {")
    assert text.count("{") == text.count("}")
    assert 'subgraph "cluster_f"' in text
    assert text.count("->") == 4


def test_png_is_drawn_from_the_same_picture() -> None:
    pytest.importorskip("matplotlib")
    content = to_png(arrange(SKETCH))
    assert content.startswith(b"\x89PNG")
    assert len(content) > 5000


def test_png_without_matplotlib_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dlg\[plots\]'"):
        to_png(arrange(SKETCH))


def test_every_drop_of_a_small_graph_is_drawn() -> None:
    sketch = sketch_physical(read_physical_graph(graphs.fan_gather(4)))
    assert len(sketch.boxes) == 11
    assert len(sketch.lines) == 13
    assert {b.kind for b in sketch.boxes} == {Kind.DATA, Kind.APP}


def test_drops_of_one_kind_of_a_big_graph_are_drawn_together() -> None:
    sketch = sketch_physical(read_physical_graph(graphs.fan_gather(500)))
    assert [(b.label, b.count) for b in sketch.boxes] == [
        ("root", 1),
        ("a*", 500),
        ("d*", 500),
        ("gather", 1),
        ("end", 1),
    ]
    assert "1,003 drops" in sketch.note
    counts = {(sketch.boxes[int(x.src)].label, x.count) for x in sketch.lines}
    assert counts == {("root", 500), ("a*", 500), ("d*", 500), ("gather", 1)}


def test_drops_of_one_logical_node_are_drawn_together_under_its_name() -> None:
    specs = graphs.chain(3)
    for spec in specs:
        spec |= {"lg_key": spec["oid"][0], "name": "the " + spec["oid"][0]}
    sketch = sketch_physical(read_physical_graph(specs), collapse=True)
    assert [(b.label, b.count) for b in sketch.boxes] == [("the d", 4), ("the a", 3)]
    picture = arrange(sketch)
    assert sorted(x.backward for x in picture.lines) == [False, True]


def test_texts_are_cut_in_the_middle() -> None:
    text = "calibrator_subtracted_visibilities_0042"
    short = fit(text, 13, 120)
    assert short.startswith("cal")
    assert short.endswith("0042")
    assert width_of(short, 13) <= 120 < width_of(text, 13)


def test_texts_are_broken_at_spaces() -> None:
    assert fit_lines("one two three", 13, 60) == ["one two", "three"]
    assert fit_lines("", 13, 60) == [""]
