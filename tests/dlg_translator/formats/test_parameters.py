"""Parameters, graph configurations and global variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.exceptions import InvalidGraphException
from dlg_translator.formats import (
    configure_graph,
    fill_graph,
    read_all,
    read_drawn,
    read_logical_graph,
)
from dlg_translator.formats.parameters import fill, flatten
from dlg_translator.testing.drawing import Drawing


def drawn(copies: Any = 2, **fields: Any) -> Drawing:
    drawing = Drawing()
    scatter = drawing.scatter("scatter", copies)
    drawing.app("app", inside=scatter, **fields)
    return drawing


def codes(graph: Any) -> set[str]:
    return {p.code for p in graph.problems}


class TestFill:
    def test_both_spellings_are_replaced_and_two_tildes_are_one(self) -> None:
        filled = fill('{"a": "~x and ~{x}y", "b": "~~x"}', {"x": 3})
        assert json.loads(filled.text) == {"a": "3 and 3y", "b": "~x"}

    def test_outside_of_strings_a_value_is_json(self) -> None:
        filled = fill('{"a": ~n, "b": ~{t}, "c": ~f}', {"n": "4", "t": "x", "f": True})
        assert json.loads(filled.text) == {"a": 4, "b": "x", "c": True}

    def test_nested_parameters_have_dotted_names(self) -> None:
        assert fill('"~a.b"', {"a": {"b": 1}}).text == '"1"'
        assert flatten({"a": {"b": 1, "c": {"d": 2}}, "e": 3}) == {"a.b": 1, "a.c.d": 2, "e": 3}

    def test_names_without_value_are_listed_once_and_left(self) -> None:
        filled = fill('"~a ~b ~a ~/home"', {})
        assert (filled.unfilled, filled.text) == (["a", "b"], '"~a ~b ~a ~/home"')

    @given(st.text())
    def test_any_text_arrives_unchanged(self, value: str) -> None:
        assert json.loads(fill('"~{x}"', {"x": value}).text) == value

    @given(st.text(alphabet=st.characters(exclude_characters="~")))
    def test_what_has_no_tilde_is_left_alone(self, text: str) -> None:
        document = json.dumps({"a": text})
        assert fill(document, {"a": 1}).text == document


class TestParametersOfAGraph:
    def test_text_is_filled_in(self) -> None:
        graph = read_logical_graph(drawn("~n").document(), parameters={"n": 7})
        assert graph.nodes["scatter"].value("num_of_copies") == "7"

    @pytest.mark.parametrize("name", ["scatter.num_of_copies", "scatter.scatter.num_of_copies"])
    def test_a_field_is_set_by_node_and_field_and_cast_to_its_type(self, name: str) -> None:
        graph = read_logical_graph(drawn().document(), parameters={name: "7"})
        assert graph.nodes["scatter"].value("num_of_copies") == 7

    def test_parameters_may_be_nested(self) -> None:
        graph = read_logical_graph(
            drawn().document(), parameters={"scatter": {"num_of_copies": 3}}
        )
        assert graph.nodes["scatter"].value("num_of_copies") == 3

    def test_fields_of_embedded_applications_can_be_set(self) -> None:
        drawing = drawn()
        drawing.embed("scatter", "split")
        graph = read_logical_graph(drawing.document(), parameters={"split.dropclass": "a.B"})
        assert graph.nodes["scatter"].input_app is not None
        assert graph.nodes["scatter"].input_app.value("dropclass") == "a.B"

    def test_all_unknown_names_are_told_with_the_nearest(self) -> None:
        parameters = {"scater.num_of_copies": 1, "scatter.num_of_copy": 2}
        with pytest.raises(InvalidGraphException) as caught:
            read_logical_graph(drawn().document(), parameters=parameters)
        assert [p.code for p in caught.value.problems] == ["unknown-parameter"] * 2
        assert all("scatter.num_of_copies" in p.hint for p in caught.value.problems)

    def test_names_in_the_text_without_a_value_are_told(self) -> None:
        graph = read_all(drawn("~n", x="~length").document(), parameters={"n": 1, "lengths": 2})
        found = {p.code: p for p in graph.problems}
        assert "lengths" in found["unfilled-parameter"].hint
        assert "unknown-parameter" in found

    def test_a_tilde_of_a_path_is_left_alone_when_only_fields_are_set(self) -> None:
        graph = read_logical_graph(
            drawn(path="~user/x").document(), parameters={"scatter.num_of_copies": 3}
        )
        assert graph.nodes["app"].value("path") == "~user/x"

    def test_a_name_of_several_nodes_is_ambiguous(self) -> None:
        drawing = drawn()
        drawing.app("other")
        drawing.find("other")["name"] = "app"
        graph = read_all(drawing.document(), parameters={"app.dropclass": "a.B"})
        assert "ambiguous-parameter" in codes(graph)

    def test_a_value_that_the_field_cannot_have_is_told(self) -> None:
        graph = read_all(drawn().document(), parameters={"scatter.num_of_copies": "many"})
        assert "ill-typed-value" in codes(graph)


def config(value: Any, node: str = "scatter", field: str = "scatter.num_of_copies") -> Any:
    return {"modelData": {"name": "big"}, "nodes": {node: {"fields": {field: {"value": value}}}}}


class TestConfigurations:
    def test_the_active_one_is_applied(self) -> None:
        drawing = drawn()
        drawing.configurations, drawing.active_config = {"c": config(9)}, "c"
        graph = read_logical_graph(drawing.document())
        assert graph.nodes["scatter"].value("num_of_copies") == 9
        assert read_drawn(drawing.document()).nodes["scatter"].value("num_of_copies") == 2

    @pytest.mark.parametrize("chosen", ["c", "big"])
    def test_one_may_be_chosen_by_id_or_name(self, chosen: str) -> None:
        drawing = drawn()
        drawing.configurations = {"c": config(9)}
        graph = read_logical_graph(drawing.document(), config=chosen)
        assert graph.nodes["scatter"].value("num_of_copies") == 9

    def test_one_in_a_file_is_applied_though_the_graph_has_none(self, tmp_path: Path) -> None:
        path = tmp_path / "my.graphConfig"
        path.write_text(json.dumps(config(9)), encoding="utf-8")
        for chosen in (path, str(path), config(9)):
            graph = read_logical_graph(drawn().document(), config=chosen)
            assert graph.nodes["scatter"].value("num_of_copies") == 9

    def test_fields_of_embedded_applications_are_found_by_either_id(self) -> None:
        for owner in ("scatter", "scatter/split"):
            drawing = drawn()
            drawing.embed("scatter", "split")
            chosen = config("a.B", owner, "scatter/split.dropclass")
            graph = read_logical_graph(drawing.document(), config=chosen)
            assert graph.nodes["scatter"].input_app is not None
            assert graph.nodes["scatter"].input_app.value("dropclass") == "a.B"

    def test_ids_the_graph_has_not_are_warnings(self) -> None:
        assert codes(read_logical_graph(drawn().document(), config=config(1, node="gone"))) == {
            "unknown-config-node"
        }
        assert codes(read_logical_graph(drawn().document(), config=config(1, field="gone"))) == {
            "unknown-config-field"
        }

    def test_an_unknown_name_is_refused(self) -> None:
        with pytest.raises(InvalidGraphException, match="no configuration 'bgi'"):
            read_logical_graph(drawn().document(), config="bgi")

    def test_an_active_one_that_is_missing_is_a_warning(self) -> None:
        drawing = drawn()
        drawing.active_config = "gone"
        assert codes(read_logical_graph(drawing.document())) == {"active-config-missing"}


class TestGlobals:
    def graph(self, **globals_: Any) -> Drawing:
        drawing = drawn("{n}", text="{n} of {name}, {other}")
        drawing.embed("scatter", "split")
        drawing.find("scatter")["inputAppFields"][0]["value"] = "{cls}"
        drawing.node("globals", "GlobalVariables", "Data", **globals_)
        return drawing

    def test_they_are_put_where_they_are_named_also_in_embedded_applications(self) -> None:
        graph = read_logical_graph(self.graph(n=3, name="x", cls="a.B").document())
        assert graph.nodes["scatter"].value("num_of_copies") == 3
        assert graph.nodes["app"].value("text") == "3 of x, {other}"
        assert graph.nodes["scatter"].input_app is not None
        assert graph.nodes["scatter"].input_app.value("dropclass") == "a.B"
        assert "globals" not in graph.nodes

    def test_they_can_be_set_by_name(self) -> None:
        graph = read_logical_graph(
            self.graph(n=3, name="x", cls="a.B").document(), parameters={"n": "8"}
        )
        assert graph.nodes["scatter"].value("num_of_copies") == 8

    def test_a_value_of_the_wrong_type_is_told(self) -> None:
        drawing = self.graph(n=3)
        drawing.find("globals")["fields"][0]["value"] = "three"
        assert "ill-typed-value" in codes(read_all(drawing.document()))

    def test_a_name_without_value_stays_and_is_no_number(self) -> None:
        with pytest.raises(InvalidGraphException, match="'{n}' is not a number"):
            read_logical_graph(self.graph(m=3).document())


class TestFilledFiles:
    def test_a_file_stays_of_its_generation_when_its_text_is_filled(self) -> None:
        node = {"key": -1, "category": "SplitData", "num_of_copies": "~n"}
        document = fill_graph({"nodeDataArray": [node]}, {"n": 4})
        assert document == {"nodeDataArray": [{**node, "num_of_copies": "4"}]}

    def test_setting_a_field_makes_it_one_of_today(self) -> None:
        node = {"key": -1, "category": "SplitData", "text": "s", "num_of_copies": "2"}
        document = fill_graph({"nodeDataArray": [node]}, {"s.num_of_copies": 4})
        assert document["nodeDataArray"][0]["fields"][0]["value"] == 4

    def test_a_parameter_that_is_nowhere_is_refused(self) -> None:
        with pytest.raises(InvalidGraphException, match="there is no 'm' to set"):
            fill_graph(drawn("~n").document(), {"n": 1, "m": 2})

    def test_a_configuration_is_written_into_the_file(self) -> None:
        drawing = drawn()
        drawing.configurations = {"c": config(9)}
        document, problems = configure_graph(drawing.document(), "c")
        assert document["nodeDataArray"][0]["fields"][0]["value"] == 9
        assert document["graphConfigurations"] == drawing.configurations
        assert problems == []

    def test_the_active_configuration_does_not_undo_the_chosen_one(self) -> None:
        drawing = drawn()
        drawing.configurations, drawing.active_config = {"c": config(9)}, "c"
        document, _ = configure_graph(drawing.document(), config(5))
        assert read_logical_graph(document).nodes["scatter"].value("num_of_copies") == 5
