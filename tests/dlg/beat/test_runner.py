"""The classes of users' algorithms are called as their kind says."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dlg.beat.runner import AlgorithmError, Runner


class Declared:
    """What a runner has to know of an algorithm."""

    name = "u/a/1"

    def __init__(self, kind: str = "sequential", api: int = 2, **parameters: Any) -> None:
        self.type, self.api_version = kind, api
        self.parameters = parameters

    def clean_parameter(self, name: str, value: Any) -> Any:
        return self.parameters[name]["type"].type(value)


def runner(body: str, algorithm: Declared | None = None, **more: Any) -> Runner:
    module = ModuleType("code")
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    exec(f"class Algorithm:\n{lines}", module.__dict__)
    return Runner(module, "Algorithm", algorithm or Declared(), **more)


GIVEN = {"inputs": "I", "data_loaders": "D"}


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("legacy", "inputs, outputs"),
        ("sequential", "inputs, data_loaders, outputs"),
        ("autonomous", "data_loaders, outputs"),
        ("sequential", "outputs, data_loaders, inputs"),
    ],
)
def test_process_gets_what_its_kind_gets(kind: str, arguments: str) -> None:
    made = runner(f"def process(self, {arguments}):\n    return [{arguments}]", Declared(kind))
    names = arguments.split(", ")
    wanted = [{"inputs": "I", "data_loaders": "D", "outputs": "O"}[name] for name in names]
    assert made.process(**GIVEN, outputs="O") == wanted


def test_names_of_arguments_are_free_if_their_order_is_right() -> None:
    made = runner("def process(self, a, b, c):\n    return [a, b, c]")
    assert made.process(**GIVEN, outputs="O") == ["I", "D", "O"]


def test_an_analyzer_gets_its_output() -> None:
    made = runner("def process(self, inputs, data_loaders, output):\n    return output")
    assert made.process(**GIVEN, output="O") == "O"


def test_processors_of_loops_get_a_channel_and_others_do_not() -> None:
    code = "def process(self, inputs, data_loaders, outputs{}):\n    return {}"
    loop = runner(code.format(", loop_channel", "loop_channel"))
    assert loop.process(**GIVEN, outputs="O", loop_channel="L") == "L"
    with pytest.raises(AlgorithmError, match="is in no loop"):
        loop.process(**GIVEN, outputs="O")
    with pytest.raises(AlgorithmError, match="knows no loop channel"):
        runner(code.format("", "1")).process(**GIVEN, outputs="O", loop_channel="L")


def test_parameters_are_completed_and_checked() -> None:
    number = {"type": np.dtype("int8")}
    algorithm = Declared(a=number, b={**number, "default": np.int8(7)}, c=number)
    code = "def setup(self, parameters):\n    self.seen = parameters\n    return True"
    made = runner(code, algorithm)
    assert not made.ready
    assert made.setup({"a": 3})
    assert made.seen == {"a": 3, "b": 7, "c": 0}
    assert isinstance(made.seen["a"], np.int8)
    with pytest.raises(KeyError, match="not declared"):
        made.setup({"z": 1})


def test_what_is_not_set_up_or_prepared_does_not_process() -> None:
    code = "def {}(self, x):\n    return True\ndef process(self, a, b, c):\n    return True"
    with pytest.raises(AlgorithmError, match="not yet set up"):
        runner(code.format("setup")).process(**GIVEN, outputs="O")
    with pytest.raises(AlgorithmError, match="not yet prepared"):
        runner(code.format("prepare")).process(**GIVEN, outputs="O")


def test_there_is_nothing_to_prepare_in_the_first_api() -> None:
    made = runner("def prepare(self, x):\n    return False", Declared("legacy", 1))
    assert made.prepare("D")


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("sequential", "all"),
        ("autonomous", "others"),
        ("autonomous_loop_processor", "others"),
        ("autonomous_loop_evaluator", "all"),
    ],
)
def test_who_reads_all_itself_prepares_with_the_other_loaders(kind: str, seen: str) -> None:
    class Loaders:
        what = "all"

        def secondaries(self) -> Any:
            return type("Others", (), {"what": "others"})

    code = "def prepare(self, data_loaders):\n    self.seen = data_loaders.what\n    return True"
    made = runner(code, Declared(kind))
    assert made.prepare(Loaders())
    assert made.seen == seen


def test_errors_are_raised_as_the_class_that_is_asked_for() -> None:
    made = runner("def process(self, a, b, c):\n    return 1 / 0", exc=LookupError)
    with pytest.raises(LookupError, match="division by zero"):
        made.process(**GIVEN, outputs="O")


def test_a_module_without_the_class_or_the_method_is_refused() -> None:
    with pytest.raises(AlgorithmError, match="defines no class"):
        Runner(ModuleType("code"), "Algorithm", Declared())
    with pytest.raises(AlgorithmError, match="no method `process'"):
        runner("pass").process(**GIVEN, outputs="O")


def test_an_evaluator_is_called_by_its_methods() -> None:
    made = runner(
        "def validate(self, request):\n    return request > 1, {'v': request}\n"
        "def write(self, outputs, name, end):\n    return [outputs, name, end]\n"
        "def read(self, inputs):\n    return inputs"
    )
    assert made.validate(2) == (True, {"v": 2})
    assert made.write("O", "y", 3) == ["O", "y", 3]
    assert made.read("I") == "I"
