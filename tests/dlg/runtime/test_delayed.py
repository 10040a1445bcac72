"""Delayed calls on the embedded engine."""

from __future__ import annotations

import threading
import traceback
from typing import Any

import pytest

import dlg.runtime
from dlg.runtime import compute, delayed


def add(x: Any, y: Any) -> Any:
    return x + y


def divide(x: float, y: float) -> tuple[float, float]:
    return x // y, x % y


def test_a_delayed_call_is_made_when_it_is_computed() -> None:
    assert delayed(add)(1, delayed(add)(2, y=3)).compute() == 6


def test_importing_the_module_of_that_name_gives_the_function() -> None:
    import dlg.runtime.delayed as found

    assert found is dlg.runtime.delayed is delayed  # type: ignore[comparison-overlap]


def test_delayed_works_as_a_decorator() -> None:
    @delayed
    def double(x: int) -> int:
        return 2 * x

    assert double(double(4)).compute() == 16


def test_values_inside_containers_are_computed() -> None:
    one = delayed(add)(0, 1)
    made = delayed({"list": [one, (one, 2)], "set": {3}})
    assert made.compute() == {"list": [1, (1, 2)], "set": {3}}


def test_a_dictionary_is_an_argument_like_any_other() -> None:
    assert delayed(len)({"a": delayed(1), "b": 2}).compute() == 2


def test_nout_lets_a_result_be_unpacked() -> None:
    quotient, remainder = delayed(divide, nout=2)(7, 2)
    assert compute(quotient, remainder) == (3, 1)


def test_a_value_without_nout_cannot_be_unpacked() -> None:
    with pytest.raises(TypeError, match="nout"):
        _a, _b = delayed(divide)(7, 2)


def test_attributes_methods_items_and_operators_are_delayed() -> None:
    word = delayed("abc")
    assert word.upper().compute() == "ABC"
    assert word[1].compute() == "b"
    assert (1 + delayed(2) * 3 - delayed(4)).compute() == 3
    assert (delayed(2) < 3).compute() is True
    assert delayed(3 + 4j).imag.compute() == 4.0


def test_a_shared_expression_is_computed_once() -> None:
    calls = []

    def note(x: int) -> int:
        calls.append(x)
        return x

    shared = delayed(note)(5)
    assert compute(shared + 1, shared + 2, shared) == (6, 7, 5)
    assert calls == [5]


def test_an_exception_is_raised_with_its_own_traceback() -> None:
    def broken() -> None:
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone") as caught:
        delayed(add)(delayed(broken)(), 1).compute()
    assert "in broken" in "".join(traceback.format_exception(caught.value))


def test_a_chain_of_ten_thousand_calls_is_no_problem() -> None:
    value = delayed(0)
    for _ in range(10_000):
        value = value + 1
    assert value.compute() == 10_000


def test_the_truth_of_a_delayed_value_is_not_known() -> None:
    with pytest.raises(TypeError, match="truth"):
        bool(delayed(1))


def test_several_threads_may_compute_at_once() -> None:
    results: dict[int, int] = {}

    def work(n: int) -> None:
        results[n] = delayed(sum)([delayed(add)(n, i) for i in range(50)]).compute()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == {n: 50 * n + sum(range(50)) for n in range(4)}


def test_calls_may_be_made_in_other_processes() -> None:
    assert delayed(add)(delayed(lambda: 2)(), 3).compute(runner="processes", workers=1) == 5


def test_other_arguments_of_delayed_are_ignored() -> None:
    assert delayed(add, pure=True, name="x")(1, 1).compute() == 2
