"""What is wrong with a graph: all of it at once, each with its place and the drop's name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlg.exceptions import InvalidGraphException
from dlg.graph import read_physical_graph
from dlg.graph.problems import Problem, Severity
from dlg.graph.reading import SHOWN, inspect
from dlg.testing.graphs import MEMORY, NULL_APP, app, chain, data
from dlg_engine.cli.main import cli

FILE = "dlg.data.file.FileDROP"


def file(oid: str, path: str, **spec: Any) -> dict[str, Any]:
    return {**data(oid), "dropclass": FILE, "filepath": path, **spec}


def problems(*specs: Any) -> list[Problem]:
    return inspect(list(specs), "g")[1]


def one(*specs: Any) -> Problem:
    found = problems(*specs)
    assert len(found) == 1, [str(p) for p in found]
    return found[0]


def test_a_graph_with_nothing_wrong_has_no_problems() -> None:
    assert problems(*chain(3)) == []


def test_a_link_to_nowhere_is_found_with_what_may_have_been_meant() -> None:
    found = one(data("source_1", name="the source"), app("reader", inputs=["surce_1"]))
    assert (found.code, found.pointer) == ("unknown-link-target", "/1/inputs/0")
    assert (found.oid, found.hint) == ("reader", "did you mean 'source_1'?")
    assert "inputs names 'surce_1', which is not in the graph" in found.message


def test_a_link_that_is_no_oid_is_found() -> None:
    found = one({**data("a"), "consumers": [5]})
    assert (found.code, found.pointer) == ("bad-link", "/0/consumers/0")


def test_an_oid_that_is_taken_is_found_with_who_has_it() -> None:
    found = one(data("a"), data("b"), data("a", name="second"))
    assert (found.code, found.pointer, found.name) == ("duplicate-oid", "/2/oid", "second")
    assert "taken by the drop at /0" in found.message


def test_a_cycle_is_listed() -> None:
    specs = [data("d", ["a"]), app("a", ["e"]), data("e", ["b"]), app("b", ["d"]), data("root")]
    found = one(*specs)
    assert found.code == "cycle"
    assert re.search(r"(d|a|e|b)( -> (d|a|e|b)){4}$", found.message)


def test_several_cycles_are_all_listed() -> None:
    ring = [data("d{0}", ["a{0}"]), app("a{0}", ["d{0}"])]
    rings = [
        json.loads(json.dumps(spec).replace("{0}", str(i))) for i in range(3) for spec in ring
    ]
    codes = [p.code for p in problems(*rings)]
    assert codes == ["cycle"] * 3 + ["no-root"]


def test_a_class_that_does_not_exist_is_found_with_what_may_have_been_meant() -> None:
    found = one(app("a", [], "dlg.apps.simple.CopApp"))
    assert (found.code, found.pointer) == ("unknown-class", "/0/dropclass")
    assert "did you mean 'dlg.apps.simple.CopyApp'" in found.message


def test_a_class_that_is_coming_says_so() -> None:
    assert "not available in this version" in one(app("a", [], "dlg.apps.mpi.MPIApp")).message


@pytest.mark.parametrize(
    ("spec", "code", "pointer"),
    [
        ({"categoryType": "Data", "dropclass": MEMORY}, "missing-key", "/1"),
        ({"oid": "x", "dropclass": MEMORY}, "missing-key", "/1"),
        ({"oid": "x", "categoryType": "Application"}, "missing-key", "/1"),
        ({"oid": "x", "categoryType": "Data"}, "missing-key", "/1"),
        ({"oid": 5, "categoryType": "Data", "dropclass": MEMORY}, "bad-type", "/1/oid"),
        ({"oid": "", "categoryType": "Data", "dropclass": MEMORY}, "bad-type", "/1/oid"),
        ({"oid": "x", "categoryType": "Thing"}, "bad-category", "/1/categoryType"),
        ({"oid": "x", "type": "thing"}, "bad-category", "/1/type"),
        ("text", "not-a-dropspec", "/1"),
        (None, "not-a-dropspec", "/1"),
    ],
    ids=str,
)  # fmt: skip
def test_a_spec_that_says_too_little_is_found(spec: Any, code: str, pointer: str) -> None:
    found = one(data("first"), spec, data("last"))
    assert (found.code, found.pointer) == (code, pointer)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("n_tries", "many", "bad-type"), ("n_tries", 0, "out-of-range"),
        ("input_error_threshold", 101, "out-of-range"),
        ("input_error_threshold", "-1", "out-of-range"), ("block_skip", "maybe", "bad-type"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_found(key: str, value: Any, code: str) -> None:
    found = one(app("a", **{key: value}))
    assert (found.code, found.pointer) == (code, f"/0/{key}")


def test_a_value_in_an_argument_object_is_found_too() -> None:
    args = {"sleep_time": {"value": "long"}}
    found = one(app("a", [], "dlg.apps.sleep.SleepApp", applicationArgs=args))
    assert found.pointer == "/0/applicationArgs/sleep_time/value"


def test_a_number_of_inputs_that_makes_no_sense_is_found() -> None:
    fired = "dlg.drops.app_base.InputFiredAppDROP"
    assert one(app("a", [], fired, n_effective_inputs=0)).code == "out-of-range"


def test_two_ways_to_expire_contradict_each_other() -> None:
    found = one(data("a", lifespan=5, expireAfterUse=True))
    assert (found.code, found.pointer) == ("contradiction", "/0/lifespan")


def test_an_app_behind_an_app_is_found() -> None:
    found = one(app("a", ["b"]), app("b"))
    assert (found.code, found.pointer) == ("app-to-app", "/0/outputs")
    assert "an app 'a' is linked to an app 'b' by outputs" in found.message


def test_data_behind_data_is_found() -> None:
    found = one(data("a", ["b"]), data("b"))
    assert (found.code, found.pointer) == ("wrong-link-end", "/0/consumers")


def test_two_drops_that_write_one_file_are_found() -> None:
    specs = [app("a", ["x", "y"]), file("x", "out.txt"), file("y", "out.txt")]
    found = one(*specs)
    assert (found.code, found.pointer) == ("shared-file", "/2/filepath")
    assert "written by drop 'x' too" in found.message


@pytest.mark.parametrize("path", ["out/", "{uid}.txt", "$DLG_ROOT/x", ""])
def test_paths_that_differ_when_they_are_made_are_no_mistake(path: str) -> None:
    assert problems(app("a", ["x", "y"]), file("x", path), file("y", path)) == []


def test_two_drops_may_read_one_file_and_two_nodes_may_write_one_name() -> None:
    assert problems(file("x", "in.txt"), file("y", "in.txt")) == []
    specs = [app("a", ["x", "y"]), file("x", "o", node="n1"), file("y", "o", node="n2")]
    assert problems(*specs) == []


def test_a_child_of_two_containers_is_found() -> None:
    box = {"categoryType": "Container", "children": ["a"]}
    found = one({"oid": "c", **box}, {"oid": "d", **box}, data("a"))
    assert found.code == "two-parents"


def test_without_a_root_nothing_can_start() -> None:
    assert [p.code for p in problems(data("d", ["a"]), app("a", ["d"]))] == ["cycle", "no-root"]


def test_a_graph_without_drops_is_empty() -> None:
    assert one().code == "empty-graph"


def test_pointers_are_escaped_as_the_standard_asks() -> None:
    args = {"a/b~c": {"value": 1}}
    spec = app("a", [], "dlg.apps.sleep.SleepApp", applicationArgs=args)
    assert problems(spec) == []
    assert one({**data("a"), "expected/Size": 1}).pointer == "/0/expected~1Size"


def test_a_warning_keeps_nobody_from_running() -> None:
    found = one(data("a", expectedSiz=1))
    assert (found.severity, found.blocks_run) == (Severity.WARNING, False)
    assert read_physical_graph([data("a", expectedSiz=1)]).warnings == (found,)


def test_the_text_of_the_error_stops_and_the_error_has_all() -> None:
    specs = [data(f"d{i}", [f"gone{i}"]) for i in range(SHOWN + 30)]
    with pytest.raises(InvalidGraphException) as caught:
        read_physical_graph(specs)
    assert len(caught.value.problems) == SHOWN + 30
    assert f"{SHOWN + 30} problems" in str(caught.value)
    assert str(caught.value).endswith("and 30 more")


# -- ten mistakes in one file --------------------------------------------------------------------

PLANTED = [
    data("root", ["r"], name="start"), app("r", ["d1"]), data("d1"),
    data("d2", ["gone"], name="dangling"),
    data("d1", name="the second d1"),
    data("c1", ["c2"]), app("c2", ["c1"]),
    app("u", [], "my.own.Missing", name="mine"),
    {"categoryType": "Data", "dropclass": MEMORY, "name": "nameless"},
    app("t", [], NULL_APP, n_tries="often"),
    app("p1", ["p2"], name="talker"), app("p2"),
    app("w", ["f1", "f2"]), file("f1", "same.txt"), file("f2", "same.txt"),
    {"oid": "k", "categoryType": "Gizmo", "dropclass": MEMORY},
    data("e", lifespan=3, expireAfterUse=True),
]  # fmt: skip
PLACES = {
    "unknown-link-target": "/3/consumers/0",
    "duplicate-oid": "/4/oid",
    "cycle": "/5",
    "unknown-class": "/7/dropclass",
    "missing-key": "/8",
    "bad-type": "/9/n_tries",
    "app-to-app": "/10/outputs",
    "shared-file": "/14/filepath",
    "bad-category": "/15/categoryType",
    "contradiction": "/16/lifespan",
}


def test_ten_mistakes_are_found_at_once_each_in_its_place() -> None:
    found = {problem.code: problem.pointer for problem in problems(*PLANTED)}
    assert found == PLACES


def dlg(*args: str) -> Any:
    return CliRunner().invoke(cli, list(args), prog_name="dlg")


@pytest.fixture
def planted(tmp_path: Path) -> str:
    path = tmp_path / "planted.graph"
    path.write_text(json.dumps(PLANTED))
    return str(path)


def test_the_command_check_lists_them_all_and_ends_with_2(planted: str) -> None:
    result = dlg("check", planted)
    assert result.exit_code == 2
    for code, pointer in PLACES.items():
        assert re.search(rf"error\[{code}\] {pointer}[ :]", result.output), code
    assert "10 errors" in result.output
    assert "Traceback" not in result.output


def test_the_command_check_gives_them_to_programs(planted: str) -> None:
    result = dlg("check", "--json", planted)
    record = json.loads(result.stdout)
    assert result.exit_code == 2
    assert {p["code"]: p["pointer"] for p in record["problems"]} == PLACES
    assert record["can_run"] is False


def test_the_command_run_lists_them_all_runs_nothing_and_ends_with_2(
    planted: str, tmp_path: Path
) -> None:
    result = dlg("run", planted, "--workdir", str(tmp_path / "runs"))
    assert result.exit_code == 2
    for pointer in PLACES.values():
        assert f"{pointer} " in result.output or f"{pointer}:" in result.output
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["mine", "talker", "nameless", "the second d1"])
def test_problems_name_the_drop_as_people_do(planted: str, name: str) -> None:
    assert repr(name) in dlg("check", planted).output
