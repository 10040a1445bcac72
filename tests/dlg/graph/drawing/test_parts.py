"""The parts of a divided graph in a drawing: by colour, and always by number as well."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as Tree

import pytest

from dlg.graph.drawing import Sketch, arrange, sketch_physical
from dlg.graph.drawing.dot import to_dot
from dlg.graph.drawing.marks import MOST_IN_LEGEND
from dlg.graph.drawing.page import to_html
from dlg.graph.drawing.png import to_png
from dlg.graph.drawing.svg import to_svg
from dlg.graph.drawing.theme import BOX_COLOURS, part_colours
from dlg.graph.reading import read_physical_graph
from dlg.testing import graphs

SVG = "{http://www.w3.org/2000/svg}"


def divided(*nodes: str, islands: tuple[str, ...] = (), **how: Any) -> Sketch:
    """Return the sketch of a chain of drops that take turns on `nodes`."""
    specs = graphs.chain(6)
    for k, spec in enumerate(specs):
        if node := nodes[k % len(nodes)]:
            spec["node"] = node
        if islands:
            spec["island"] = islands[k % len(islands)]
    return sketch_physical(read_physical_graph(specs), with_parts=True, **how)


def texts(element: Tree.Element) -> list[str]:
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def test_boxes_have_the_colour_and_the_number_of_their_part() -> None:
    root = Tree.fromstring(to_svg(arrange(divided("#0", "#1"))))
    boxes = [g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("box ")]
    assert len(boxes) == 13
    for k, box in enumerate(boxes):
        assert box.get("data-parts") == str(k % 2)
        assert box[1].get("fill") == part_colours(k % 2).fill
        assert texts(box)[-1] == str(k % 2)


def test_the_legend_says_what_the_numbers_stand_for() -> None:
    root = Tree.fromstring(to_svg(arrange(divided("node2", "node10", "node1"))))
    (legend,) = [g for g in root.iter(f"{SVG}g") if g.get("class") == "legend"]
    told = ["1", "node1, 4 drops", "2", "node2, 5 drops", "3", "node10, 4 drops"]
    assert texts(legend) == told
    assert "13 drops, 3 parts" in texts(root)


def test_islands_are_told_where_there_are_several() -> None:
    one = divided("a", "b", islands=("i", "i"))
    assert [part.label for part in one.parts] == ["a", "b"]
    two = divided("a", "b", islands=("i", "j"))
    assert [part.label for part in two.parts] == ["a in i", "b in j"]


def test_a_box_for_drops_of_several_parts_lists_them() -> None:
    sketch = divided("#0", "#1", "#2", collapse=True)
    assert {box.shares for box in sketch.boxes} == {
        ((0, 3), (1, 2), (2, 2)),
        ((0, 2), (1, 2), (2, 2)),
    }
    data = next(box for box in sketch.boxes if box.count == 7)
    assert data.facts[-3:] == ("3 in part 0, #0", "2 in part 1, #1", "2 in part 2, #2")
    svg = to_svg(arrange(sketch))
    assert ">0, 1, 2<" in svg
    assert all(part_colours(k).fill in svg for k in range(3))


def test_many_parts_in_a_box_are_counted() -> None:
    assert ">5 parts<" in to_svg(arrange(divided(*"abcde", collapse=True)))


def test_drops_without_a_node_are_told() -> None:
    assert [part.label for part in divided("a", "").parts] == ["a", "no node"]


def test_a_long_legend_is_cut() -> None:
    nodes = [f"node{k}" for k in range(MOST_IN_LEGEND + 2)]
    specs = graphs.fan(MOST_IN_LEGEND)
    for k, spec in enumerate(specs):
        spec["node"] = nodes[k % len(nodes)]
    picture = arrange(sketch_physical(read_physical_graph(specs), with_parts=True))
    assert len(picture.legend) == MOST_IN_LEGEND + 1
    assert picture.legend[-1].words == "and 2 more parts"


def test_nothing_of_a_legend_is_outside_the_picture_or_in_the_drawing() -> None:
    for count in (1, 2, 7, 30):
        picture = arrange(divided(*(f"a-node-with-a-long-name-{k}" for k in range(count))))
        top = min(box.rect.y for box in picture.boxes)
        for entry in picture.legend:
            assert entry.y < top
            assert all(m.rect.x >= 0 and m.rect.x + m.rect.w < picture.width for m in entry.marks)


def test_parts_beyond_the_first_have_colours_too() -> None:
    found = {part_colours(k) for k in range(40)}
    assert len(found) == 40
    assert all(len(c.fill) == len(c.edge) == 7 for c in found)


def test_a_graph_that_is_not_divided_has_the_colours_of_its_kinds() -> None:
    sketch = sketch_physical(read_physical_graph(graphs.chain(1)), with_parts=True)
    assert not sketch.parts
    svg = to_svg(arrange(sketch))
    assert all(BOX_COLOURS[box.kind].fill in svg for box in sketch.boxes)
    assert "legend" not in svg


def test_every_format_tells_parts() -> None:
    sketch = divided("#0", "#1")
    plain = sketch_physical(read_physical_graph(graphs.chain(6)))
    pytest.importorskip("matplotlib")
    assert to_png(arrange(sketch)) != to_png(arrange(plain))
    assert "#1, 6 drops" in to_html(arrange(sketch))
    dot = to_dot(sketch)
    assert r"\npart 1" in dot
    assert '"part 0" [label="0  #0"' in dot
