"""Declared parameters: from the loose types of graph files to what a class asks for."""

from __future__ import annotations

import enum
from typing import Any, ClassVar

import pytest

from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.drops.parameters import (
    dlg_any_param,
    dlg_bool_param,
    dlg_dict_param,
    dlg_enum_param,
    dlg_float_param,
    dlg_int_param,
    dlg_list_param,
    dlg_string_param,
)
from dlg.exceptions import InvalidDropException
from dlg.graph.problems import Severity
from dlg.graph.reading import inspect
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Declaring(BarrierAppDROP):
    """Declares a parameter of each kind."""

    __slots__ = ()

    count = dlg_int_param("a number", 3)
    ratio = dlg_float_param("a ratio", 0.5)
    label = dlg_string_param("a text", "none")
    exact = dlg_bool_param("a truth", False)
    items = dlg_list_param("a list", [1])
    table = dlg_dict_param("a dictionary", {"a": 1})
    colour = dlg_enum_param(Colour, "a colour", Colour.RED)
    thing = dlg_any_param("anything")


class Child(Declaring):
    __slots__ = ()

    count = dlg_int_param("another default", 9)
    more: ClassVar[Any] = dlg_int_param("one more", 1)


class Interpreting(BarrierAppDROP):
    """Takes keywords as the existing system's components do."""

    __slots__ = ("own",)

    def initialize(self, **kwargs: Any) -> None:
        self.own = self._popArg(kwargs, "size", 5), kwargs


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("count", "4", 4), ("count", 4.0, 4), ("count", "4.0", 4), ("count", " 0x10 ", 16),
        ("ratio", "2", 2.0), ("ratio", 1, 1.0), ("ratio", "1e-3", 0.001),
        ("label", 5, "5"), ("label", True, "True"), ("label", "", ""),
        ("exact", "False", False), ("exact", "false", False), ("exact", "0", False),
        ("exact", "", False), ("exact", "no", False), ("exact", 0, False),
        ("exact", "True", True), ("exact", "1", True), ("exact", 1, True), ("exact", "on", True),
        ("items", "[1, 'a']", [1, "a"]), ("items", (1, 2), [1, 2]), ("items", "", []),
        ("table", "{'a': 1}", {"a": 1}), ("table", "", {}),
        ("colour", "BLUE", Colour.BLUE), ("colour", 2, Colour.BLUE),
        ("colour", "Colour.BLUE", Colour.BLUE), ("thing", [None], [None]),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_is_of_the_type_that_is_declared(name: str, given: Any, value: Any) -> None:
    found = getattr(Declaring("a", **{name: given}), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("count", "many", "an integer"), ("count", 4.5, "an integer"),
        ("count", True, "an integer"),
        ("ratio", "half", "a number"), ("ratio", False, "a number"),
        ("label", ["a"], "a text"), ("exact", "maybe", "true or false"),
        ("exact", [], "true or false"), ("items", "5", "a list"), ("items", "open(1)", "a list"),
        ("table", "[1]", "a dictionary"), ("colour", "GREEN", "one of RED, BLUE"),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_of_another_type_is_refused_with_what_was_wanted(
    name: str, given: Any, wanted: str
) -> None:
    with pytest.raises(InvalidDropException) as caught:
        Declaring("a", **{name: given})
    assert f"drop a: parameter {name!r} must be {wanted}, not {given!r}" in str(caught.value)


def test_what_is_not_given_has_its_default() -> None:
    drop = Declaring("a")
    assert (drop.count, drop.label, drop.colour, drop.thing) == (3, "none", Colour.RED, None)


def test_a_default_that_is_changed_is_changed_for_one_drop() -> None:
    drop = Declaring("a")
    drop.items.append(2)
    drop.table["b"] = 2
    assert (Declaring("b").items, Declaring("b").table) == ([1], {"a": 1})


def test_a_class_may_declare_another_default_than_its_base() -> None:
    assert (Declaring("a").count, Child("a").count, Child("a").more) == (3, 9, 1)


def test_setting_an_attribute_casts_as_well() -> None:
    drop = Declaring("a")
    drop.count = "7"
    assert drop.count == 7
    with pytest.raises(InvalidDropException, match="must be an integer"):
        drop.count = "seven"


def test_a_misspelt_keyword_is_refused_with_the_right_one() -> None:
    with pytest.raises(InvalidDropException, match="Declaring knows no 'colur'; did you mean 'co"):
        Declaring("a", colur="RED")


def test_a_keyword_like_no_other_is_refused() -> None:
    with pytest.raises(InvalidDropException, match="InMemoryDROP knows no 'frequency'$"):
        InMemoryDROP("d", frequency=5)


def test_a_class_with_an_initializer_interprets_keywords_by_itself() -> None:
    own, rest = Interpreting("a", size=7, other="x").own
    assert (own, rest["other"]) == (7, "x")


def test_the_old_name_of_persist_means_persist() -> None:
    assert InMemoryDROP("d", precious="True").persist is True


def test_keys_of_a_graph_file_that_nobody_declares_are_kept(tmp_path: Any) -> None:
    specs = [data("d", frequency=1.4e9, operator="me")]
    report = run_graph(specs, runner="inline", workdir=tmp_path)
    assert report.drops["d"].parameters == {"frequency": 1.4e9, "operator": "me"}


def test_a_key_of_a_graph_file_that_looks_misspelt_is_a_warning() -> None:
    specs = [data("d", ["a"], expectdSize=5), app("a", [], "dlg.apps.sleep.SleepApp", slep_time=1)]
    graph, problems = inspect(specs, "g")
    assert graph is not None
    assert [(p.pointer, p.hint, p.severity, p.blocks_run) for p in problems] == [
        ("/0/expectdSize", "did you mean 'expectedSize'?", Severity.WARNING, False),
        ("/1/slep_time", "did you mean 'sleep_time'?", Severity.WARNING, False),
    ]


@pytest.mark.parametrize("group", ["applicationArgs", "componentParams", "constraintParams"])
def test_values_may_stand_in_argument_objects(tmp_path: Any, group: str) -> None:
    spec = app("a", [], "dlg.apps.hello.HelloWorldApp")
    spec[group] = {"greet": {"value": "Perth", "type": "String"}}
    report = run_graph([spec], runner="inline", workdir=tmp_path)
    assert report.drops["a"].greeting == "Hello Perth"


def test_values_may_stand_in_a_list_of_fields(tmp_path: Any) -> None:
    spec = app("a", [], "dlg.apps.hello.HelloWorldApp")
    spec["fields"] = [{"name": "greet", "value": "", "defaultValue": "Perth"}]
    report = run_graph([spec], runner="inline", workdir=tmp_path)
    assert report.drops["a"].greeting == "Hello Perth"


def test_a_value_beside_the_drops_own_keys_comes_before_all_others(tmp_path: Any) -> None:
    spec = app("a", [], "dlg.apps.hello.HelloWorldApp", greet="by hand")
    spec["applicationArgs"] = {"greet": {"value": "by an editor"}}
    report = run_graph([spec], runner="inline", workdir=tmp_path)
    assert report.drops["a"].greeting == "Hello by hand"
