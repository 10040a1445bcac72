"""Python functions as apps."""

from __future__ import annotations

import base64
import functools
import operator
import pickle
import tempfile
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest

from dlg.apps.function_arguments import ArgumentError
from dlg.apps.python_function import PyFuncApp, from_code
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.app_contract import AppContract, filled
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph
from dlg_engine.sessions.report import RunReport

FUNCTION = "dlg.apps.python_function.PyFuncApp"
MEMBER = "dlg.apps.python_function.PyMemberApp"
FILE = "dlg.data.file.FileDROP"


class TestPyFunc(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        made = PyFuncApp("function", func_name="builtins.len", **parameters)
        made.addInput(filled("in", [1, 2, 3], "pickle"))
        made.addOutput(InMemoryDROP("out"))
        return made


def run(*specs: dict[str, Any], runner: str = "inline") -> RunReport:
    with tempfile.TemporaryDirectory() as workdir:
        return run_graph(list(specs), runner=runner, workdir=workdir, timeout=60)


def value(**spec: Any) -> Any:
    """Return the result of a function app with `spec`, whose inputs are in memory by port name."""
    inputs = spec.pop("given", {})
    specs = [
        data(f"in-{port}", pydata={"value": given, "type": ""}) for port, given in inputs.items()
    ]
    spec["inputs"] = [{f"in-{port}": port} if port else f"in-{port}" for port in inputs]
    report = run(*specs, app("f", ["out"], FUNCTION, **spec), data("out"))
    if report.errors:
        raise report.errors[0].error or AssertionError(report.errors)
    return report.result("out")


def arguments(**values: Any) -> dict[str, Any]:
    return {name: v if isinstance(v, dict) else {"value": v} for name, v in values.items()}


def test_a_function_is_called_by_its_import_path() -> None:
    assert value(func_name="math.hypot", given={"x": 3.0, "y": 4.0}) == 5.0


def test_a_bare_name_is_a_builtin() -> None:
    assert value(func_name="sum", given={"iterable": [1, 2, 3]}) == 6


def test_a_function_is_given_by_its_source() -> None:
    assert value(func_code="def double(x):\n    return 2 * x", given={"x": 21}) == 42


def test_the_last_function_in_the_source_is_called_unless_a_name_says_otherwise() -> None:
    code = "def one(): return 'one'\ndef two(): return helper()\ndef helper(): return 'helper'"
    assert value(func_code=code) == "helper"
    assert value(func_code=code, func_name="two") == "helper"
    assert value(func_code=code, func_name="one") == "one"


@pytest.mark.parametrize(
    "code",
    [
        "lambda x: x + 1",
        "    def f(x):\n        return x + 1\n",
        "import math\n\ndef f(x: int) -> int:\n    return math.ceil(x) + 1",
        base64.b64encode(cloudpickle.dumps(lambda x: x + 1)).decode(),
    ],
    ids=["lambda", "indented", "with imports", "base64 of a pickle"],
)
def test_source_comes_in_many_forms(code: str) -> None:
    assert value(func_code=code, given={"x": 1}) == 2


def test_a_pickle_whose_base64_could_be_a_name_is_a_pickle() -> None:
    pickled = pickle.dumps(functools.partial(operator.add, "a"), protocol=4)
    code = base64.b64encode(pickled).decode()
    assert code.isidentifier()
    assert from_code(code, "", "a")("b") == "ab"


def test_drops_with_the_same_source_do_not_see_each_others_globals() -> None:
    code = "seen = []\ndef f():\n    seen.append(1)\n    return len(seen)"
    specs = [app(f"f{i}", [f"d{i}"], FUNCTION, func_code=code) for i in range(3)]
    report = run(*specs, *(data(f"d{i}") for i in range(3)))
    assert [report.result(f"d{i}") for i in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"func_code": "def f(:"}, "func_code is no Python: .* in line 1"),
        ({"func_code": "x = 1"}, "func_code defines no function"),
        ({"func_code": "1 + 1"}, "an expression that is no function"),
    ],
)
def test_a_function_that_is_not_there_is_a_clear_failure(spec: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=f"drop f: .*{said}"):
        value(**spec)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "neither func_name nor func_code says what to call"),
        ({"func_name": "no.such.module.f"}, "'no.such.module.f' cannot be imported"),
        ({"func_name": "math.nonsense"}, "'math.nonsense' cannot be imported"),
        ({"func_name": "math.pi"}, "'math.pi' is no function"),
    ],
)
def test_a_function_that_has_gone_since_the_graph_was_checked_is_a_clear_failure(
    given: Any, said: str
) -> None:
    with pytest.raises(ArgumentError, match=f"drop f: .*{said}"):
        PyFuncApp("f", **given).function()


def test_values_in_the_graph_are_arguments() -> None:
    code = "def f(a, b=2, *, c=3): return a, b, c"
    args = arguments(a={"value": "1", "type": "Integer"}, c={"value": "x", "type": "String"})
    assert value(func_code=code, applicationArgs=args) == (1, 2, "x")


def test_a_value_that_is_empty_leaves_the_default() -> None:
    args = arguments(a={"value": "", "type": "Integer"}, b={"value": None})
    assert value(func_code="def f(a=5, b=6): return a, b", applicationArgs=args) == (5, 6)


def test_an_empty_text_is_a_text_where_the_graph_says_it_is_one() -> None:
    args = arguments(a={"value": "", "type": "String"})
    assert value(func_code="def f(a='default'): return a", applicationArgs=args) == ""


def test_the_default_in_the_graph_stands_in_for_an_empty_value() -> None:
    args = arguments(a={"value": "", "defaultValue": "7", "type": "Integer"})
    assert value(func_code="def f(a): return a", applicationArgs=args) == 7


def test_values_that_stand_flat_in_the_spec_are_arguments_too() -> None:
    assert value(func_code="def f(width): return width", width=12) == 12


def test_positional_values_fill_the_rest() -> None:
    args = arguments(
        one={"value": "1", "type": "Integer", "positional": True},
        two={"value": "2", "type": "Integer", "positional": True},
    )
    assert value(func_code="def f(*rest): return rest", applicationArgs=args) == (1, 2)


def test_named_values_fill_the_named_rest() -> None:
    args = arguments(a={"value": "1", "type": "Integer"})
    assert value(func_code="def f(**named): return named", applicationArgs=args) == {"a": 1}


def test_defaults_of_the_graph_are_by_name() -> None:
    assert value(func_code="def f(a, b): return a, b", func_defaults={"a": 1, "b": 2}) == (1, 2)
    assert value(func_code="def f(a): return a", func_defaults='{"a": [1]}') == [1]


def test_defaults_may_be_pickles() -> None:
    text = base64.b64encode(pickle.dumps({"deep": 1})).decode()
    given = {"kwargs": {"a": text}}
    assert value(func_code="def f(a): return a", func_defaults=given) == {"deep": 1}


def test_inputs_without_a_port_name_are_given_by_position() -> None:
    specs = [data("one", pydata=1), data("two", pydata=2)]
    call = app("f", ["out"], FUNCTION, func_code="def f(a, b): return a, b", inputs=["two", "one"])
    assert run(*specs, call, data("out")).result("out") == (2, 1)


def test_arguments_are_mapped_to_inputs_in_old_graphs() -> None:
    specs = [data("one", pydata=1), data("two", pydata=2)]
    call = app(
        "f", ["out"], FUNCTION, func_code="def f(a, b): return a, b", inputs=["one", "two"],
        func_arg_mapping={"a": "two", "b": "one"},
    )  # fmt: skip
    assert run(*specs, call, data("out")).result("out") == (2, 1)


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(ArgumentError, match="drop f: scale: the argument 'factor' is missing"):
        value(func_code="def scale(x, factor): return x * factor", given={"x": 1})


def test_a_value_of_the_wrong_type_names_the_argument() -> None:
    args = arguments(factor={"value": "lots", "type": "Float"})
    with pytest.raises(ArgumentError, match="drop f: scale: the argument 'factor' must be of ty"):
        value(func_code="def scale(factor): return factor", applicationArgs=args)


def test_an_exception_of_the_function_is_the_drops_failure_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        value(func_code="def f(): return 1 / 0")


def test_an_input_that_was_skipped_leaves_the_default() -> None:
    skipper = app("skip", ["in-a"], "dlg.testing.apps.OutcomeApp", outcome="skip")
    other = data("other", pydata=1)
    args = {"a": {"usage": "InputPort"}, "b": {"usage": "InputPort"}}
    call = app(
        "f", ["out"], FUNCTION, func_code="def f(a=5, b=0): return a, b",
        inputs=[{"in-a": "a"}, {"other": "b"}], block_skip=True, applicationArgs=args,
    )  # fmt: skip
    report = run(skipper, data("in-a"), other, call, data("out"))
    assert report.result("out") == (5, 1)


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", b"[1, 2]"),
        ("json", b"[1, 2]"),
        ("eval", b"[1, 2]"),
        ("pickle", pickle.dumps([1, 2], protocol=5)),
    ],
)
def test_an_output_is_encoded_as_its_port_says(
    tmp_path: Path, encoding: str, content: bytes
) -> None:
    file = {"oid": "out", "categoryType": "Data", "dropclass": FILE, "filepath": "x"}
    args = {"result": {"usage": "OutputPort", "encoding": encoding}}
    call = app("f", [], FUNCTION, func_code="def f(): return [1, 2]", applicationArgs=args)
    call["outputs"] = [{"out": "result"}]
    report = run_graph([call, file], runner="inline", workdir=tmp_path)
    assert report.status == "FINISHED", report.errors
    assert (report.session_dir / "x").read_bytes() == content


@pytest.mark.parametrize(
    ("encoding", "content", "expected"),
    [
        ("utf-8", "text", "text"),
        ("raw", "text", b"text"),
        ("json", '{"a": 1}', {"a": 1}),
        ("eval", "(1, 2)", (1, 2)),
    ],
)
def test_an_input_is_decoded_as_its_port_says(
    tmp_path: Path, encoding: str, content: str, expected: Any
) -> None:
    path = tmp_path / "input"
    path.write_text(content)
    file = {"oid": "in", "categoryType": "Data", "dropclass": FILE, "filepath": str(path)}
    args = {"x": {"usage": "InputPort", "encoding": encoding}}
    call = app(
        "f", ["out"], FUNCTION, func_code="def f(x): return x", inputs=[{"in": "x"}],
        applicationArgs=args,
    )  # fmt: skip
    report = run_graph([file, call, data("out")], runner="inline", workdir=tmp_path)
    assert report.result("out") == expected


def test_an_input_whose_encoding_is_path_is_given_as_a_path(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_text("content")
    file = {"oid": "in", "categoryType": "Data", "dropclass": FILE, "filepath": str(path)}
    args = {"x": {"usage": "InputPort", "encoding": "path"}}
    code = "import pathlib\ndef f(x): return pathlib.Path(x).read_text() + x"
    call = app(
        "f", ["out"], FUNCTION, func_code=code,
        inputs=[{"in": "x"}], applicationArgs=args,
    )  # fmt: skip
    report = run_graph([file, call, data("out")], runner="inline", workdir=tmp_path)
    assert report.result("out") == f"content{path}"


def test_an_output_whose_encoding_is_path_is_written_by_the_function(tmp_path: Path) -> None:
    file = {"oid": "out", "categoryType": "Data", "dropclass": FILE, "filepath": "deep/x"}
    args = {"where": {"usage": "OutputPort", "encoding": "path"}}
    code = "def f(where):\n    with open(where, 'w') as f:\n        f.write('mine')"
    call = app("f", [], FUNCTION, func_code=code, applicationArgs=args)
    call["outputs"] = [{"out": "where"}]
    report = run_graph([call, file], runner="inline", workdir=tmp_path)
    assert (report.session_dir / "deep" / "x").read_text() == "mine"


def test_a_path_to_a_drop_that_has_none_is_a_clear_failure() -> None:
    args = {"where": {"usage": "OutputPort", "encoding": "path"}}
    call = app("f", [], FUNCTION, func_code="def f(where): pass", applicationArgs=args)
    call["outputs"] = [{"out": "where"}]
    report = run(call, data("out"))
    assert "output port 'where' wants a path, but drop out has none" in report.errors[0].exception


def test_a_tuple_goes_to_as_many_outputs_item_by_item() -> None:
    call = app("f", ["one", "two"], FUNCTION, func_code="def f(): return 1, [2]")
    report = run(call, data("one"), data("two"))
    assert (report.result("one"), report.result("two")) == (1, [2])


def test_any_other_result_goes_whole_to_every_output() -> None:
    call = app("f", ["one", "two"], FUNCTION, func_code="def f(): return 1, 2, 3")
    report = run(call, data("one"), data("two"))
    assert report.result("one") == report.result("two") == (1, 2, 3)


def test_arrays_go_by_reference_in_one_process() -> None:
    make = app(
        "make", ["array"], FUNCTION, func_code="import numpy\ndef f(): return numpy.ones(9)"
    )
    same = app("same", ["out"], FUNCTION, func_code="def f(x): return x, id(x)")
    report = run(make, data("array", ["same"], persist=True), same, data("out"))
    array, place = report.result("out")
    assert array is report.result("array")
    assert id(array) == place
    assert np.array_equal(array, np.ones(9))


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_a_method_is_called_on_the_object_that_comes_in(runner: str) -> None:
    name = "collections.Counter"
    new = app("new", ["object"], MEMBER, func_name=f"{name}.__init__")
    new["applicationArgs"] = arguments(
        iterable={"value": "abca", "type": "String", "positional": 1}
    )
    call = app(
        "call", ["out"], MEMBER, func_name=f"{name}.most_common", inputs=[{"object": "self"}]
    )
    call["applicationArgs"] = arguments(n={"value": "1", "type": "Integer"})
    report = run(new, data("object"), call, data("out"), runner=runner)
    assert report.status == "FINISHED", report.errors
    assert report.result("out") == [("a", 2)]


def test_an_event_only_says_that_something_has_happened() -> None:
    args = {"event": {"type": "Event", "usage": "InputPort"}, "x": {"usage": "InputPort"}}
    found = value(func_code="def f(x): return x", given={"event": 1, "x": 2}, applicationArgs=args)
    assert found == 2


def test_arguments_of_older_graphs_stand_among_those_of_the_component() -> None:
    params = {
        "x": {"value": "2", "type": "Integer", "parameterType": "ComponentParameter"},
        "unrelated": {"value": "3", "type": "Integer", "parameterType": "ComponentParameter"},
    }
    assert value(func_code="def f(x): return x", componentParams=params) == 2


def test_initializing_is_making_an_object() -> None:
    assert type(value(func_name="object.__init__")) is object
