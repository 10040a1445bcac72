"""How the arguments of a function are put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dlg.apps.function_arguments import ArgumentError, Given, bind, literal, typed


def call(function: Callable[..., Any], **given: Any) -> Any:
    bound = bind(function, Given(**given), "drop d: f")
    return function(*bound.args, **bound.kwargs)


def plain(a: Any, b: Any = "b", *, c: Any = "c") -> tuple[Any, ...]:
    return a, b, c


def variadic(a: Any, *rest: Any, **named: Any) -> tuple[Any, ...]:
    return a, rest, named


def positional_only(a: Any, b: Any = 2, /) -> tuple[Any, ...]:
    return a, b


def nothing() -> str:
    return "called"


def test_values_of_the_graph_come_before_defaults_of_the_signature() -> None:
    assert call(plain, values={"a": 1, "b": 2}) == (1, 2, "c")


def test_defaults_of_the_graph_come_before_those_of_the_signature() -> None:
    assert call(plain, defaults={"a": 1, "c": 3}) == (1, "b", 3)


def test_values_come_before_defaults_of_the_graph_and_ports_before_both() -> None:
    given = {"defaults": {"a": "d", "b": "d", "c": "d"}, "values": {"a": "v", "b": "v"}}
    assert call(plain, **given, ports={"a": "p"}) == ("p", "v", "d")


def test_inputs_without_a_port_name_fill_what_is_left_in_order() -> None:
    assert call(plain, unnamed=[1, 2]) == (1, 2, "c")
    assert call(plain, ports={"a": "p"}, unnamed=[2]) == ("p", 2, "c")
    assert call(plain, values={"b": "v"}, unnamed=[1]) == (1, "v", "c")


def test_more_inputs_than_parameters_go_to_the_rest() -> None:
    assert call(variadic, unnamed=[1, 2, 3]) == (1, (2, 3), {})


def test_names_the_signature_does_not_know_go_to_the_named_rest() -> None:
    assert call(variadic, ports={"a": 1, "x": 2}, values={"y": 3}) == (1, (), {"x": 2, "y": 3})


def test_positional_values_that_are_no_parameters_go_first_to_the_rest() -> None:
    given = {"values": {"first": 1, "second": 2, "a": 0}, "positional": ["first", "second"]}
    assert call(variadic, **given) == (0, (1, 2), {})


def test_parameters_by_position_only_are_given_so() -> None:
    assert call(positional_only, values={"a": 1, "b": 5}) == (1, 5)
    assert call(positional_only, ports={"a": 1}) == (1, 2)


def test_a_function_without_parameters_is_called() -> None:
    assert call(nothing) == "called"


def test_a_builtin_that_does_not_tell_its_signature_gets_everything_by_position() -> None:
    assert call(max, unnamed=[3, 7, 5]) == 7
    assert call(range, values={"start": 2, "stop": 4}) == range(2, 4)


def test_a_missing_argument_is_named_with_a_cure() -> None:
    with pytest.raises(ArgumentError, match="drop d: f: the argument 'a' is missing; give a val"):
        call(plain)


def test_a_misspelt_argument_is_named_with_the_right_one() -> None:
    def smooth(width: int, sigma: float = 1) -> None: ...

    with pytest.raises(ArgumentError, match="has no argument 'sgima'; did you mean 'sigma'"):
        call(smooth, values={"width": 1, "sgima": 2})


def test_an_argument_like_no_other_is_named_with_those_there_are() -> None:
    with pytest.raises(ArgumentError, match="has no argument 'zzz'; it takes a, b, c"):
        call(plain, values={"a": 1, "zzz": 2})


def test_too_many_inputs_are_counted() -> None:
    with pytest.raises(ArgumentError, match="takes 3 arguments, and 1 more were given"):
        call(plain, unnamed=[1, 2, 3])
    with pytest.raises(ArgumentError, match="takes 0 arguments, and 1 more were given"):
        call(nothing, unnamed=[1])


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("4", "Integer", 4),
        ("4.0", "Integer", 4),
        (0.5, "Integer", 0.5),
        (4.0, "Integer", 4),
        ("2.5", "Float", 2.5),
        ("False", "Boolean", False),
        ("0", "Boolean", False),
        ('{"a": [1]}', "Json", {"a": [1]}),
        ("{'a': 1}", "Json", {"a": 1}),
        ("[1, 2]", "Object", [1, 2]),
        ("not a literal", "Object.array", "not a literal"),
        ("5", "String", "5"),
        ("x", "Select", "x"),
        ([1], "Integer", [1]),
        ("1+2j", "Complex", 1 + 2j),
    ],
)
def test_a_value_is_of_the_type_the_graph_declares(value: Any, kind: str, expected: Any) -> None:
    assert typed(value, kind, "x", "drop d") == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [("many", "Integer"), ("4.5", "Integer"), ("maybe", "Boolean"), ("{", "Json")],
)
def test_a_value_of_another_type_is_an_error_that_names_the_argument(
    value: str, kind: str
) -> None:
    with pytest.raises(ArgumentError, match=f"drop d: the argument 'x' must be of type {kind}"):
        typed(value, kind, "x", "drop d")


def test_a_literal_is_json_or_python_and_never_evaluated() -> None:
    assert literal("true") is True
    assert literal("(1, None)") == (1, None)
    with pytest.raises(ValueError, match="malformed"):
        literal("open('x')")
