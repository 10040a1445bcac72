"""`dlg explain`: the cause is named, not what followed from it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlg.testing.graphs import data

FUNCTION = "dlg.apps.python_function.PyFuncApp"
CODE = "def first(x):\n    return x + {number}\n\n\ndef second(x):\n    return x * 2\n"
Run = Callable[..., None]


def app(oid: str, function: str, source: str, target: str, **more: Any) -> dict[str, Any]:
    return {
        "oid": oid, "categoryType": "Application", "dropclass": FUNCTION, "name": f"the {oid}",
        "func_name": f"explained.{function}", "inputs": [{source: "x"}], "outputs": [target],
        **more,
    }  # fmt: skip


def graph(**more: Any) -> list[dict[str, Any]]:
    """Return a file, three apps one after the other, and one beside them."""
    return [
        {"oid": "in", "categoryType": "Data", "dropclass": "dlg.data.file.FileDROP",
         "filepath": str(Path("in.json").absolute())},
        app("a", "first", "in", "x", input_parser="json"), data("x"),
        app("b", "second", "x", "y"), data("y"),
        app("c", "second", "y", "z", **more), data("z"),
        app("d", "second", "x", "w"), data("w"),
    ]  # fmt: skip


def write(number: int = 1, content: str = "5", **more: Any) -> None:
    Path("explained.py").write_text(CODE.format(number=number))
    sys.modules.pop("explained", None)
    __import__("importlib").invalidate_caches()
    shutil.rmtree("__pycache__", ignore_errors=True)
    __import__("linecache").clearcache()
    Path("in.json").write_text(content)
    Path("g.json").write_text(json.dumps(graph(**more)))


@pytest.fixture
def run(dlg: Any) -> Run:
    def call(*how: str) -> None:
        result = dlg("run", "g.json", "-q", *(how or ("--reuse", "--store", "kept")))
        assert result.exit_code == 0, result.output

    return call


def explained(dlg: Any, drop: str, *more: str) -> dict[str, Any]:
    result = dlg("explain", drop, "--json", *more)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


def test_changed_code_is_named_with_the_way_from_there(dlg: Any, run: Run) -> None:
    write()
    run()
    write(number=2)
    run()
    found = explained(dlg, "c")
    assert (found["drop"], found["what"]) == ("c", "ran")
    (cause,) = found["causes"]
    assert (cause["drop"], cause["what"]) == ("a", "code func_name")
    assert cause["way"] == ["a", "x", "b", "y", "c"]
    text = dlg("explain", "c").output
    assert "which led to it by a -> x -> b -> y -> c" in text


def test_a_changed_parameter_is_named_with_its_values(dlg: Any, run: Run) -> None:
    write(speed=1)
    run()
    write(speed=2)
    run()
    (cause,) = explained(dlg, "z")["causes"]  # data: the app that makes it
    assert cause == {
        "drop": "c", "what": "parameters speed", "before": 1, "now": 2, "way": ["c"]
    }  # fmt: skip
    found = explained(dlg, "the b")  # by its name
    assert (found["what"], found["causes"]) == ("was reused", [])


def test_a_changed_file_is_named(dlg: Any, run: Run) -> None:
    write(content="5")
    run()
    write(content="6")
    run()
    (cause,) = explained(dlg, "d")["causes"]
    assert (cause["drop"], cause["what"]) == ("in", "content of the file from outside")


@pytest.mark.parametrize("how", ["--resumable", "--repro"])
def test_sessions_that_reused_nothing_can_be_compared_too(dlg: Any, run: Run, how: str) -> None:
    options = (how, "all") if how == "--repro" else (how,)
    write(content="5")
    run(*options)
    first = next(Path("dlg-runs").iterdir()).name
    write(content="6")
    run(*options)
    (second,) = {one.name for one in Path("dlg-runs").iterdir()} - {first}
    found = explained(dlg, "c", "--run", second, "--with", first)
    assert [cause["drop"] for cause in found["causes"]] == ["in"]
    assert found["earlier"] == first


def why(dlg: Any, drop: str) -> str:
    return str(explained(dlg, drop)["why"])


def test_without_changes_it_is_said_why_it_ran_all_the_same(dlg: Any, run: Run) -> None:
    write()  # what `b` makes `d` makes as well, and so `b` may have it from there
    run("--resumable")
    assert why(dlg, "c") == "there is no earlier session beside it that had it"
    run("--resumable")
    assert "the session took no results from a store" in why(dlg, "c")
    run()
    assert "has kept nothing in this store" in why(dlg, "c")
    shutil.rmtree("kept")
    run()
    assert "the store has not got any more what it makes" in why(dlg, "c")


def test_an_app_that_is_always_run_is_named_by_what_makes_it_so(dlg: Any, run: Run) -> None:
    specs = graph()
    specs[1]["cacheable"] = False
    write()
    Path("g.json").write_text(json.dumps(specs))
    run()
    run()
    assert why(dlg, "c") == "it is always run: a may make something else of the same"


def test_a_session_that_went_on_says_what_it_ran_again(dlg: Any, run: Run) -> None:
    write()
    run("--resumable")
    (session,) = Path("dlg-runs").iterdir()
    write(number=2)
    assert dlg("resume", session.name, "-q").exit_code == 0
    assert why(dlg, "a") == "it has changed: code (func_name)"
    assert why(dlg, "b") == "an app before it runs again: a"
    result = dlg("resume", session.name)
    assert "4 apps done before, not run again" in result.output
    assert explained(dlg, "b")["what"] == "was done before the session was resumed"


def test_mistakes_are_told(dlg: Any, run: Run) -> None:
    result = dlg("explain", "a")
    assert (result.exit_code, "can be explained" in result.output) == (2, True)
    write()
    run()
    assert "no drop 'nobody'" in dlg("explain", "nobody").output
    assert "did you mean 'the a'?" in dlg("explain", "teh a").output
    assert "no session 'none'" in dlg("explain", "a", "--run", "none").output
    assert dlg("resume", next(Path("dlg-runs").iterdir()).name).exit_code == 2
