"""What is found wrong with a logical graph, and how bad it is held to be."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from dlg.exceptions import InvalidGraphException
from dlg.graph.problems import Problem, Severity
from dlg_translator.checks.kinds import KINDS
from dlg_translator.formats import read_all, read_logical_graph
from dlg_translator.testing.drawing import Drawing


def problems(drawing: Drawing) -> list[Problem]:
    return read_all(drawing.document()).problems


def only(drawing: Drawing) -> Problem:
    found = problems(drawing)
    assert len(found) == 1, found
    return found[0]


def chain(drawing: Drawing, *nodes: str) -> None:
    for src, dst in pairwise(nodes):
        drawing.link(src, dst)


@pytest.fixture
def drawing() -> Drawing:
    """app -> data, nothing wrong."""
    made = Drawing()
    chain(made, made.app("app"), made.data("data"))
    return made


def test_a_sound_graph_has_no_problems(drawing: Drawing) -> None:
    assert problems(drawing) == []


class TestErrors:
    def test_a_link_to_nowhere(self, drawing: Drawing) -> None:
        drawing.links[0]["to"] = "gone"
        found = problems(drawing)[0]
        assert (found.code, found.pointer) == ("dangling-link", "/linkDataArray/0")
        assert "gone" in found.message

    def test_two_nodes_of_one_id(self, drawing: Drawing) -> None:
        drawing.nodes.append({**drawing.nodes[0], "name": "twin"})
        found = only(drawing)
        assert (found.code, found.pointer, found.name) == (
            "duplicate-id",
            "/nodeDataArray/2",
            "twin",
        )

    def test_a_node_without_id(self, drawing: Drawing) -> None:
        drawing.nodes.append({"name": "nameless", "category": "Memory"})
        assert only(drawing).code == "missing-id"

    def test_a_parent_that_is_not_there(self, drawing: Drawing) -> None:
        drawing.find("app")["parentId"] = "gone"
        assert only(drawing).code == "parent-missing"

    def test_a_parent_that_is_no_construct(self, drawing: Drawing) -> None:
        drawing.find("app")["parentId"] = "data"
        assert only(drawing).code == "parent-not-a-construct"

    def test_constructs_inside_each_other(self, drawing: Drawing) -> None:
        for inner, outer in (("a", "b"), ("b", "c"), ("c", "a")):
            drawing.scatter(inner, 2, inside=outer)
        found = problems(drawing)[0]
        assert found.code == "parent-circle"
        assert "'a' in 'b' in 'c' in 'a'" in found.message

    @pytest.mark.parametrize("copies", ["", None])
    def test_a_scatter_that_says_no_number(self, drawing: Drawing, copies: object) -> None:
        drawing.find("app")["parentId"] = drawing.scatter("scatter", copies)
        assert only(drawing).code == "no-copies"

    def test_a_loop_that_says_no_number(self, drawing: Drawing) -> None:
        drawing.find("app")["parentId"] = drawing.loop("loop", "")
        assert only(drawing).code == "no-iterations"

    @pytest.mark.parametrize("copies", ["many", "2.5", True, [2]])
    def test_a_number_that_is_none(self, drawing: Drawing, copies: object) -> None:
        drawing.find("app")["parentId"] = drawing.scatter("scatter", copies)
        found = only(drawing)
        assert (found.code, found.pointer) == ("ill-typed-value", "/nodeDataArray/2/fields/0")

    @pytest.mark.parametrize("copies", [0, "-3"])
    def test_a_number_that_is_too_small(self, drawing: Drawing, copies: object) -> None:
        drawing.find("app")["parentId"] = drawing.scatter("scatter", copies)
        assert only(drawing).code == "out-of-range"

    def test_a_negative_execution_time(self) -> None:
        drawing = Drawing()
        drawing.app("app", execution_time=-1)
        assert only(drawing).code == "out-of-range"

    def test_a_group_key_that_names_no_scatter(self, drawing: Drawing) -> None:
        group = drawing.construct("group", "GroupBy", group_key="nobody")
        drawing.find("app")["parentId"] = group
        assert only(drawing).code == "group-key"

    def test_all_of_them_are_told_at_once(self, drawing: Drawing) -> None:
        drawing.links[0]["to"] = "gone"
        drawing.find("app")["parentId"] = "gone"
        drawing.data("other", data_volume="much")
        with pytest.raises(InvalidGraphException) as caught:
            read_logical_graph(drawing.document())
        codes = [p.code for p in caught.value.problems if p.severity is Severity.ERROR]
        assert codes == ["parent-missing", "dangling-link", "ill-typed-value"]
        assert str(caught.value).count("\n") == len(caught.value.problems)

    def test_the_rules_of_links_are_asked(self, drawing: Drawing) -> None:
        def nothing_is_allowed(graph: Any) -> list[Problem]:
            return [Problem(code="forbidden-link", message="no", pointer=graph.links[0].pointer)]

        with pytest.raises(InvalidGraphException, match="forbidden-link"):
            read_logical_graph(drawing.document(), link_rules=nothing_is_allowed)


class TestWarnings:
    def test_a_circle_cannot_run(self, drawing: Drawing) -> None:
        drawing.link("data", "app")
        found = only(drawing)
        assert (found.code, found.blocks_run) == ("cycle", True)
        assert "app -> data -> app" in found.message

    def test_a_circle_through_the_iterations_of_a_loop_is_none(self) -> None:
        drawing = Drawing()
        loop = drawing.loop("loop", 3)
        drawing.app("app", inside=loop, group_start=True)
        drawing.data("data", inside=loop, group_end=True)
        chain(drawing, "app", "data", "app")
        assert problems(drawing) == []

    def test_a_closing_link_outside_of_a_loop_makes_a_circle(self, drawing: Drawing) -> None:
        drawing.link("data", "app", closesLoop=True)
        assert only(drawing).code == "cycle"

    def test_every_circle_is_told(self) -> None:
        drawing = Drawing()
        for k in range(3):
            chain(drawing, drawing.app(f"a{k}"), drawing.data(f"d{k}"), f"a{k}")
        assert [p.code for p in problems(drawing)] == ["cycle"] * 3

    def test_a_construct_with_two_applications_is_no_circle(self) -> None:
        drawing = Drawing()
        sub = drawing.construct("sub", "SubGraph")
        inner = drawing.data("inner", inside=sub)
        drawing.embed(sub, "first")
        drawing.embed(sub, "last", side="output")
        drawing.link(sub, inner)
        drawing.link(inner, sub)
        drawing.links[0]["fromPort"] = "sub/first.out"
        drawing.links[1]["toPort"] = "sub/last.in"
        assert problems(drawing) == []

    @pytest.mark.parametrize("kind", ["app", "data"])
    def test_like_linked_to_like_cannot_run(self, kind: str) -> None:
        drawing = Drawing()
        add = getattr(drawing, kind)
        chain(drawing, add("a"), add("b"))
        found = only(drawing)
        assert (found.code, found.blocks_run) == (f"{kind}-to-{kind}", True)

    def test_a_node_linked_to_itself_cannot_run(self, drawing: Drawing) -> None:
        drawing.link("app", "app")
        assert only(drawing).code == "self-link"

    def test_a_loose_end_runs(self, drawing: Drawing) -> None:
        drawing.data("alone")
        found = only(drawing)
        assert (found.code, found.name, found.blocks_run) == ("unconnected-node", "alone", False)

    def test_a_width_that_does_not_divide_runs(self) -> None:
        drawing = Drawing()
        scatter = drawing.scatter("scatter", 5)
        drawing.link(drawing.app("app", inside=scatter), drawing.data("data", inside=scatter))
        gather = drawing.gather("gather", 2)
        drawing.embed(gather, "join")
        drawing.link("data", gather)
        found = only(drawing)
        assert (found.code, found.blocks_run) == ("width-does-not-divide", False)
        assert "5 inputs from 'data'" in found.message

    def test_an_unknown_category_cannot_run_unless_it_names_its_class(
        self, drawing: Drawing
    ) -> None:
        drawing.find("app")["category"] = "Quantum"
        assert (only(drawing).code, only(drawing).blocks_run) == ("uncommon-category", False)
        drawing.find("app")["fields"][0]["value"] = ""
        assert (only(drawing).code, only(drawing).blocks_run) == ("unknown-category", True)

    def test_a_comment_inside_a_construct_runs(self, drawing: Drawing) -> None:
        drawing.find("app")["parentId"] = drawing.scatter("scatter", 2)
        drawing.node("note", "Comment", "Other", inside="scatter")
        found = only(drawing)
        assert (found.code, found.blocks_run) == ("comment-inside-construct", False)

    def test_a_port_that_is_not_there_keeps_the_link(self, drawing: Drawing) -> None:
        drawing.links[0]["toPort"] = "gone"
        assert only(drawing).code == "unknown-port"
        assert len(read_logical_graph(drawing.document()).links) == 1

    def test_a_link_drawn_twice_counts_once(self, drawing: Drawing) -> None:
        drawing.links.append(dict(drawing.links[0]))
        assert only(drawing).code == "duplicate-link"
        assert len(read_logical_graph(drawing.document()).links) == 1

    def test_an_application_without_class_is_told(self, drawing: Drawing) -> None:
        drawing.find("app")["fields"][0]["value"] = ""
        assert only(drawing).code == "no-class"

    def test_a_class_that_is_no_path_is_told(self, drawing: Drawing) -> None:
        drawing.find("app")["fields"][0]["value"] = "CopyApp"
        assert only(drawing).code == "unknown-class"

    def test_a_misspelt_class_of_ours_is_told_with_the_nearest(self, drawing: Drawing) -> None:
        drawing.find("app")["fields"][0]["value"] = "dlg.apps.simple.CopyAp"
        assert "dlg.apps.simple.CopyApp" in only(drawing).hint

    def test_a_value_that_is_not_what_its_field_says_is_told(self, drawing: Drawing) -> None:
        field = {"id": "f", "name": "f", "type": "Integer", "value": "x"}
        drawing.find("app")["fields"].append(field)
        assert only(drawing).code == "doubtful-value"


def test_every_error_keeps_a_graph_from_running() -> None:
    errors = [grade for grade in KINDS.values() if grade.severity is Severity.ERROR]
    assert all(grade.blocks_run for grade in errors)


def test_a_graph_of_comments_cannot_be_run() -> None:
    drawing = Drawing()
    drawing.node("remark", "Comment", "Other")
    (found,) = read_all(drawing.document()).problems
    assert (found.code, found.blocks_run) == ("empty-graph", True)
