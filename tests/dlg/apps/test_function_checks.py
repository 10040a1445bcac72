"""What keeps a function from being called is told before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dlg.apps import function_checks
from dlg.apps.function_checks import ELSEWHERE, MISFIT, UNKNOWN
from dlg.exceptions import InvalidGraphException
from dlg.graph.problems import Problem
from dlg.graph.reading import inspect, read_physical_graph
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph

FUNCTION = "dlg.apps.python_function.PyFuncApp"
MEMBER = "dlg.apps.python_function.PyMemberApp"

Specs = list[dict[str, Any]]

MODULE = """
def two(first, second, third=3): return first, second, third
def none(): return 0
def many(*args, **kwargs): return args, kwargs
def keyword(*, needed): return needed
"""


@pytest.fixture(autouse=True)
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "functions_to_check.py").write_text(MODULE)
    (tmp_path / "module_that_raises.py").write_text("raise RuntimeError('not today')\n")
    (tmp_path / "module_that_ends.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def graph(name: str = "", *ports: str, **spec: Any) -> Specs:
    """Return the graph of an app with an input for each of `ports`, and an output."""
    inputs = [{f"in{k}": port} if port else f"in{k}" for k, port in enumerate(ports)]
    given = {"func_name": name, **spec} if name else spec
    sources = [data(f"in{k}") for k in range(len(ports))]
    return [*sources, app("f", ["out"], FUNCTION, inputs=inputs, **given), data("out")]


def call(function: str, *ports: str, **spec: Any) -> Specs:
    return graph(f"functions_to_check.{function}", *ports, **spec)


def problems(specs: Specs) -> list[Problem]:
    return inspect(specs, "g")[1]


def values(**given: Any) -> Mapping[str, Any]:
    return {name: v if isinstance(v, dict) else {"value": v} for name, v in given.items()}


@pytest.mark.parametrize(
    ("specs", "said", "hint"),
    [
        (graph(), "neither func_name nor func_code says what to call", ""),
        (
            graph("no_such_module.f"),
            "func_name 'no_such_module.f' cannot be found: there is no module 'no_such_module'",
            ELSEWHERE,
        ),
        (
            graph("json.dmps"),
            "func_name 'json.dmps' cannot be found: json has no 'dmps'; did you mean 'dumps'?",
            "",
        ),
        (
            graph("module_that_raises.f"),
            "func_name 'module_that_raises.f' cannot be found: importing module_that_raises "
            "failed: RuntimeError('not today')",
            "",
        ),
        (
            graph("module_that_ends.f"),
            "func_name 'module_that_ends.f' cannot be found: importing module_that_ends "
            "failed: SystemExit(3)",
            "",
        ),
        (graph("math.pi"), "func_name 'math.pi' is no function but float", ""),
        (
            graph("mean"),
            "func_name 'mean' is no builtin function",
            "of any other function the module is said too, as in numpy.mean",
        ),
        (graph("not a name.f"), "func_name 'not a name.f' cannot be found: 'not a name.f' is not "
         "a dotted name", ""),
        (
            graph(applicationArgs=values(func_name="json.dmps")),
            "func_name 'json.dmps' cannot be found: json has no 'dmps'; did you mean 'dumps'?",
            "",
        ),
    ],
    ids=lambda value: value[-2].get("func_name", "") if isinstance(value, list) else "",
)  # fmt: skip
def test_a_function_that_is_not_there_is_a_problem_of_the_graph(
    specs: Specs, said: str, hint: str
) -> None:
    (problem,) = problems(specs)
    assert (problem.code, problem.message, problem.hint) == (UNKNOWN, said, hint)
    assert (problem.pointer, problem.oid) == ("/0/func_name", "f")


def test_nothing_is_run_of_a_graph_whose_function_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidGraphException, match="has no 'dmps'"):
        run_graph(graph("json.dmps"), workdir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_graph_that_is_only_looked_at_needs_no_functions() -> None:
    assert len(read_physical_graph(graph("json.dmps"), runs_here=False)) == 2


@pytest.mark.parametrize(
    "specs",
    [
        graph("len", ""),
        graph("builtins.len", ""),
        graph("collections.OrderedDict.__init__"),
        graph("$DLG_ROOT.f"),
        graph("no_such_module.f", func_code="def f(): return 1"),
        graph(func_code="def f(): return 1"),
        graph(func=len),
    ],
    ids=lambda specs: str(specs[-2].get("func_name", "")),
)
def test_a_function_that_may_be_there_is_none(specs: Specs) -> None:
    assert problems(specs) == []


@pytest.mark.parametrize(
    ("specs", "said"),
    [
        (call("two", "first"), "the argument 'second' is missing; give a value or connect"),
        (call("two"), "the argument 'first' is missing"),
        (call("two", ""), "the argument 'second' is missing"),
        (call("two", "first", "secnd"), "has no argument 'secnd'; did you mean 'second'?"),
        (call("none", "signal"), "has no argument 'signal'; it takes none"),
        (call("keyword", "other"), "has no argument 'other'; it takes needed"),
        (
            call("two", "first", "second", applicationArgs=values(thrid=4)),
            "has no argument 'thrid'; did you mean 'third'?",
        ),
        (
            call("two", "first", applicationArgs=values(second={"value": "", "type": "Integer"})),
            "the argument 'second' is missing",
        ),
        (
            call(
                "two", "first", applicationArgs=values(second={"value": "", "usage": "InputPort"})
            ),
            "the argument 'second' is missing",
        ),
    ],
)
def test_arguments_that_cannot_match_are_a_problem_of_the_graph(specs: Specs, said: str) -> None:
    (problem,) = problems(specs)
    assert problem.code == MISFIT
    assert said in problem.message
    assert problem.message.startswith("func_name 'functions_to_check.")
    assert problem.oid == "f"


@pytest.mark.parametrize(
    "specs",
    [
        call("two", "first", "second"),
        call("two", "", ""),
        call("two", "second", ""),
        call("two", second=2, first=1),
        call("two", "first", func_defaults='{"second": 2}'),
        call("two", "first", func_defaults={"kwargs": {"second": "no dill"}, "args": []}),
        call("two", "first", func_defaults="{what"),
        call("two", "first", applicationArgs=values(second=2)),
        call("two", "first", applicationArgs=values(second={"value": "", "type": "String"})),
        call("two", "first", applicationArgs=values(x={"value": 2, "positional": True})),
        call("two", "a", "b", func_arg_mapping={"first": "in0", "second": "in1"}),
        call("none", "signal", applicationArgs=values(signal={"type": "Event"})),
        call("none", applicationArgs=values(execution_time=5, note="")),
        call("none", componentParams=values(speed={"value": 1, "parameterType": "Component"})),
        call("many", "anything", "", applicationArgs=values(goes=1)),
        graph("numpy.add", "", ""),
        graph("operator.itemgetter", "what", ""),
    ],
)
def test_arguments_that_may_match_are_none(specs: Specs) -> None:
    assert problems(specs) == []


def test_the_port_may_be_named_by_the_data() -> None:
    specs = [
        data("a", consumers=[{"f": "first"}]),  # type: ignore[list-item]
        data("b", consumers=[{"f": "thrid"}]),  # type: ignore[list-item]
        app("f", [{"out": "second"}], FUNCTION, func_name="functions_to_check.two"),  # type: ignore[list-item]
        data("out"),
    ]
    (problem,) = problems(specs)
    assert "has no argument 'thrid'; did you mean 'third'?" in problem.message


def test_drops_that_are_alike_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for = []
    look_for = function_checks.look_for

    def counted(name: str) -> Any:
        looked_for.append(name)
        return look_for(name)

    monkeypatch.setattr(function_checks, "look_for", counted)
    specs = [
        app(f"f{k}", [], FUNCTION, func_name=("json.dmps", "json.dumps")[k % 2], lg_key=str(k % 4))
        for k in range(100)
    ]
    found = problems(specs)
    assert sorted(looked_for) == ["json.dmps", "json.dumps"]
    told = [p for p in found if p.code == UNKNOWN]
    assert [p.oid for p in told] == ["f0", "f2"]
    assert all(p.message.endswith("; so for 24 more drops") for p in told)


def test_a_class_with_a_way_of_its_own_is_not_judged(tmp_path: Path) -> None:
    own = [app("f", ["out"], "own_way_to_check.OwnWay"), data("out")]
    (tmp_path / "own_way_to_check.py").write_text(
        "from dlg.apps.python_function import PyFuncApp\n"
        "class OwnWay(PyFuncApp):\n    def function(self): return list\n"
    )
    assert problems(own) == []
    assert run_graph(own, workdir=tmp_path).result("out") == []


def test_a_method_is_left_to_the_object_that_comes_in() -> None:
    specs = [
        data("in"),
        app("f", [], MEMBER, func_name="no.such.Class.method", inputs=[{"in": "self"}]),
    ]
    assert problems(specs) == []


def test_keys_of_any_kind_do_not_disturb() -> None:
    specs = [app("f", [], FUNCTION, func_name=["json.dmps"], lg_key={"no": "text"})]
    assert UNKNOWN in {problem.code for problem in problems(specs)}
