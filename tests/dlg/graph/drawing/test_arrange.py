from __future__ import annotations

from dlg.graph.drawing.arrange import Picture, PlacedBox, PlacedFrame, arrange
from dlg.graph.drawing.shapes import Rect
from dlg.graph.drawing.sketch import Box, Frame, Kind, Line, Sketch
from dlg.graph.drawing.text import width_of
from dlg.graph.drawing.theme import LABEL_PX


def inside(inner: Rect, outer: Rect) -> bool:
    return (
        inner.x >= outer.x - 0.01
        and inner.y >= outer.y - 0.01
        and inner.x + inner.w <= outer.x + outer.w + 0.01
        and inner.y + inner.h <= outer.y + outer.h + 0.01
    )


def overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def box(name: str, parent: str | None = None, **more: object) -> Box:
    return Box(id=name, label=name, parent=parent, **more)  # type: ignore[arg-type]


def line(src: str, dst: str) -> Line:
    return Line(src=src, dst=dst)


NESTED = Sketch(
    title="nested",
    boxes=[box("start"), box("a", "inner"), box("b", "inner"), box("c", "outer"), box("end")],
    frames=[
        Frame(id="outer", label="outer", category="Scatter"),
        Frame(id="inner", label="inner", category="Loop", parent="outer"),
    ],
    lines=[
        line("start", "a"),
        line("a", "b"),
        line("b", "c"),
        line("c", "end"),
        line("b", "end"),
        line("start", "end"),
    ],
)


def placed(picture: Picture) -> tuple[dict[str, PlacedBox], dict[str, PlacedFrame]]:
    return {b.box.id: b for b in picture.boxes}, {f.frame.id: f for f in picture.frames}


def test_boxes_stand_inside_their_frames_and_nowhere_else() -> None:
    boxes, frames = placed(arrange(NESTED))
    for name in "ab":
        assert inside(boxes[name].rect, frames["inner"].rect)
    assert inside(frames["inner"].rect, frames["outer"].rect)
    assert inside(boxes["c"].rect, frames["outer"].rect)
    assert not overlap(boxes["c"].rect, frames["inner"].rect)
    for name in ("start", "end"):
        assert not overlap(boxes[name].rect, frames["outer"].rect)


def test_everything_is_inside_the_picture() -> None:
    picture = arrange(NESTED)
    whole = Rect(0, 0, picture.width, picture.height)
    boxes, frames = placed(picture)
    for rect in [b.rect for b in boxes.values()] + [f.rect for f in frames.values()]:
        assert inside(rect, whole)
    for drawn in picture.lines:
        assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in drawn.points)


def test_a_line_runs_from_box_to_box_across_all_borders() -> None:
    picture = arrange(NESTED)
    boxes, _ = placed(picture)
    for drawn in picture.lines:
        (x0, y0), (x1, y1) = drawn.points[0], drawn.points[-1]
        src, dst = boxes[drawn.line.src].rect, boxes[drawn.line.dst].rect
        assert src.y <= y0 <= src.y + src.h
        assert dst.y <= y1 <= dst.y + dst.h
        assert abs(x0 - (src.x + src.w)) < 5
        assert abs(x1 - dst.x) < 5
        assert len(drawn.points) % 2 == 0


def test_a_line_goes_on_where_it_crossed_a_border() -> None:
    for drawn in arrange(NESTED).lines:
        for i in range(1, len(drawn.points) - 1, 2):
            (_, y0), (_, y1) = drawn.points[i], drawn.points[i + 1]
            assert abs(y0 - y1) < 0.01, "straight pieces are level"


def test_a_line_between_a_frame_and_what_is_inside_it_stays_inside() -> None:
    sketch = Sketch(
        boxes=[box("a", "f"), box("b", "f")],
        frames=[Frame(id="f", label="f")],
        lines=[line("f", "a"), line("b", "f")],
    )
    picture = arrange(sketch)
    _, frames = placed(picture)
    into, out = picture.lines
    left, right = frames["f"].rect.x, frames["f"].rect.x + frames["f"].rect.w
    assert into.points[0][0] == left
    assert abs(out.points[-1][0] - right) < 0.01


def test_a_line_that_closes_a_cycle_is_drawn_backward() -> None:
    sketch = Sketch(boxes=[box("a"), box("b")], lines=[line("a", "b"), line("b", "a")])
    forth, back = arrange(sketch).lines
    assert [forth.backward, back.backward] == [False, True]
    assert back.points[0][0] > back.points[-1][0]
    assert back.points[0][1] > forth.points[0][1], "below the other one, not on top of it"


def test_lines_to_nothing_and_to_themselves_are_left_out() -> None:
    sketch = Sketch(boxes=[box("a")], lines=[line("a", "gone"), line("a", "a")])
    assert arrange(sketch).lines == []


def test_boxes_without_links_stand_in_rows() -> None:
    picture = arrange(Sketch(boxes=[box(f"b{k}") for k in range(100)]))
    assert picture.width < 1000
    rects = [b.rect for b in picture.boxes]
    assert not any(overlap(a, b) for i, a in enumerate(rects) for b in rects[:i])


def test_a_box_in_a_frame_that_is_not_there_stands_outside() -> None:
    assert len(arrange(Sketch(boxes=[box("a", "gone")])).boxes) == 1


def test_an_empty_sketch_makes_a_small_picture() -> None:
    picture = arrange(Sketch(title="nothing"))
    assert picture.boxes == []
    assert picture.width < 300


def test_long_names_are_broken_and_cut_and_boxes_are_as_wide_as_their_text() -> None:
    long = "a_very_long_name_of_a_drop_" * 6
    picture = arrange(Sketch(boxes=[box("x"), Box(id="y", label=long)]))
    narrow, wide = picture.boxes
    assert narrow.lines == ["x"]
    assert len(wide.lines) == 2
    assert "…" in wide.lines[1]
    assert wide.rect.w > narrow.rect.w


def test_many_drops_in_one_box_are_counted() -> None:
    (placed_box,) = arrange(Sketch(boxes=[box("a", count=12_000, kind=Kind.APP)])).boxes
    assert "12,000" in placed_box.detail


def test_a_frame_has_room_for_its_title_which_is_bold() -> None:
    detail = "GroupBy, by the channels of all beams"
    frame = Frame(id="f", label="by channel", category="GroupBy", detail=detail)
    (found,) = arrange(Sketch(title="", boxes=[box("a", "f")], frames=[frame], lines=[])).frames
    assert width_of(found.title, LABEL_PX, bold=True) < found.rect.w
