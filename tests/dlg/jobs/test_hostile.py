"""Expressions and jobs that mean harm: none runs code, all get a clear error."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlg.jobs.errors import ExpressionError, InvalidJobError, JobError
from dlg.jobs.expressions import Surroundings, evaluate
from dlg.jobs.parsing import parse_job
from dlg.jobs.planning import plan_job
from dlg.jobs.reading import parse_document

AROUND = Surroundings({"a": 1, "text": "x", "many": [1, 2]}, {"t": {"x": 1.5}}, "seed")
LONG_S = 20.0


def _corpus() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "hostile", Path(__file__).with_name("hostile.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hostile = _corpus()
EXPRESSIONS: list[str] = hostile.expressions()
DOCUMENTS: list[Any] = hostile.documents()
TEXTS: list[tuple[str, bool]] = hostile.texts()


class CodeWasRunError(AssertionError):
    """Something was done that no expression may do."""


@pytest.fixture
def alarm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let everything by which code could be run or a file opened fail loudly."""

    def never(*args: object, **kwargs: object) -> object:
        raise CodeWasRunError(args)

    def only_trees(source: Any, *args: Any, **kwargs: Any) -> Any:
        flags = kwargs.get("flags", args[2] if len(args) > 2 else 0)
        if not flags & ast.PyCF_ONLY_AST:
            never(source)
        return compiled(source, *args, **kwargs)

    compiled = builtins.compile
    with monkeypatch.context() as patch:
        for name in ("eval", "exec", "open", "input", "breakpoint"):
            patch.setattr(builtins, name, never)
        patch.setattr(builtins, "compile", only_trees)
        patch.setattr(io, "open", never)
        patch.setattr(os, "system", never)
        patch.setattr(subprocess, "Popen", never)
        yield


def test_there_are_enough_of_them() -> None:
    assert hostile.count() >= 500
    assert len(DOCUMENTS) >= 250


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("part", range(16))
def test_a_hostile_expression_is_refused_with_a_reason(part: int) -> None:
    for text in EXPRESSIONS[part::16]:
        began = perf_counter()
        with pytest.raises(ExpressionError) as caught:
            evaluate(text, AROUND)
        assert caught.value.reason
        assert str(caught.value).startswith("expression ")
        assert len(str(caught.value)) < 1000
        assert perf_counter() - began < LONG_S


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("part", range(8))
def test_a_hostile_job_is_refused_with_a_place(part: int) -> None:
    for document in DOCUMENTS[part::8]:
        with pytest.raises(InvalidJobError) as caught:
            plan_job(parse_job(document, "hostile.json"))
        assert caught.value.problems
        assert all(one.message for one in caught.value.problems)
        assert str(caught.value).startswith("hostile.json: ")


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize(("text", "is_yaml"), TEXTS, ids=[str(n) for n in range(len(TEXTS))])
def test_a_hostile_text_is_refused(text: str, is_yaml: bool) -> None:
    with pytest.raises(JobError, match="hostile"):
        parse_job(parse_document(text, "hostile", is_yaml=is_yaml), "hostile")


@pytest.mark.parametrize("place", ['"job_name": "{}"', '"{}": 1', '"metadata": {{"x": ["{}"]}}'])
def test_half_a_character_is_refused_wherever_it_is(place: str) -> None:
    with pytest.raises(JobError, match="half a character"):
        parse_document("{" + place.format("a\\ud800") + "}")


# -- whatever one comes up with -------------------------------------------------------------

WORDS = [
    "metadata", "requested_metadata", "constants", "math", "random", "format", "range", "sum",
    "for", "in", "if", "else", "and", "or", "not", "lambda", "__class__", "x", "i", "['a']", "(",
    ")", "[", "]", "{", "}", ",", ":", ".", "+", "-", "*", "**", "/", "//", "%", "<", "==", "'{}'",
    "'a'", '"', "'", "0", "1", "9", "99999999", "1.5", "1e300", " ", "\n", "#", "\\", "=", ":=",
]  # fmt: skip
scribbles = st.one_of(
    st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=25).map("".join)
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | scribbles,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scribbles, inner, max_size=3),
    max_leaves=10,
)
KEYS = [
    "task", "name", "task_list", "else_task_list", "inputs", "outputs", "parameter", "values",
    "linear_range", "log_range", "criterion", "repeat_criterion", "iteration_name", "wait_for",
    "requires_metadata_from", "requires_metadata_from_child", "retries", "working_directory",
    "job_name", "qc_criterion", "in_order", "max_iterations", "setting",
]  # fmt: skip
KINDS = [
    "null", "execution_chain", "execution_for_loop", "execution_conditional",
    "execution_do_while_loop",
]  # fmt: skip
entries = st.recursive(
    st.fixed_dictionaries(
        {"task": st.sampled_from(KINDS) | scribbles},
        optional={key: values for key in KEYS if key != "task"},
    ),
    lambda inner: st.fixed_dictionaries(
        {"task": st.sampled_from(KINDS), "task_list": st.lists(inner, max_size=3)},
        optional={
            "name": st.sampled_from("abc"), "parameter": st.just("p"), "values": st.just([1, 2]),
            "criterion": st.sampled_from(["(1)", "(0)", "(requested_metadata['a']['x'])"]),
            "iteration_name": st.just("i"), "max_iterations": st.integers(1, 3),
            "repeat_criterion": st.sampled_from(["(metadata['i_index'] < 2)", "(1)"]),
            "wait_for": st.lists(st.sampled_from("abc"), max_size=2),
        },
    ),
    max_leaves=6,
)  # fmt: skip


@given(scribbles, st.sampled_from(["", "(", "'", '"']))
@settings(max_examples=400, deadline=None)
def test_any_text_has_a_value_or_an_error_of_ours(text: str, start: str) -> None:
    with suppress(ExpressionError):
        found = evaluate(start + text, AROUND)
        assert isinstance(found, type(None) | bool | int | float | str | list | tuple | dict)


@given(st.lists(entries, max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_document_is_a_plan_or_has_problems(tasks: list[Any]) -> None:
    with suppress(InvalidJobError):
        plan = plan_job(parse_job({"task_list": tasks}))
        assert len({step.key for step in plan.steps}) == len(plan.steps)
