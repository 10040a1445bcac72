from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.parameters import cast, clean, convert

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
TYPES = [*INTEGERS, "float32", "float64", "complex64", "complex128", "bool", "string"]

scalars = st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=5))


def converted(compat: bool = False, **parameter: Any) -> tuple[dict[str, Any], list[str]]:
    parameters = {"p": parameter}
    return parameters["p"], list(convert(parameters, compat))


@pytest.mark.parametrize("kind", TYPES)
def test_types_become_those_of_numpy(kind: str) -> None:
    parameter, errors = converted(type=kind)
    assert not errors
    assert parameter["type"] == np.dtype(str if kind == "string" else kind)


def test_values_become_those_of_the_type() -> None:
    parameter, errors = converted(type="int8", default="3", range=[1.9, 5])
    assert not errors
    assert parameter == {"type": np.dtype("int8"), "default": 3, "range": [1, 5]}
    assert isinstance(parameter["default"], np.int8)


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ({"default": "x"}, "default for parameter `p' cannot be cast to type `int8'"),
        ({"range": [5, 1]}, "a start greater then the end value (5 >= 1)"),
        ({"range": [5, 5]}, "a start greater then the end value (5 >= 5)"),
        ({"range": ["a", 5]}, "range[0] for parameter `p' cannot be cast"),
        ({"range": [5]}, "has no start and end"),
        ({"range": 3}, "has no start and end"),
        ({"range": None}, "has no start and end"),
        ({"range": [1, 5], "default": 7}, "(7) is not within parameter range [1, 5]"),
        ({"choice": [1, "a"]}, "choice[1] for parameter `p' cannot be cast"),
        ({"choice": 3}, "is no list: 3"),
        ({"choice": [1, 5], "default": 7}, "(7) is not a valid choice `[1, 5]'"),
    ],
)
@pytest.mark.parametrize("compat", [True, False])
def test_what_contradicts_itself_is_an_error(
    parameter: dict[str, Any], told: str, compat: bool
) -> None:
    _, errors = converted(compat, type="int8", **parameter)
    assert len(errors) == 1
    assert told in errors[0]


@pytest.mark.parametrize(("value", "wrapped"), [(300, 44), (-129, 127), (255, -1)])
def test_numbers_that_do_not_fit_wrap_around_only_where_asked_for(
    value: int, wrapped: int
) -> None:
    assert cast(np.dtype("int8"), value, compat=True) == wrapped
    with pytest.raises(ValueError, match="does not fit int8"):
        cast(np.dtype("int8"), value, compat=False)


@pytest.mark.parametrize("value", [10**30, float("inf"), float("nan"), 1 << 63])
@pytest.mark.parametrize("compat", [True, False])
def test_numbers_beyond_all_integers_never_pass(value: float, compat: bool) -> None:
    with pytest.raises(ValueError, match=r"."):
        cast(np.dtype("int8"), value, compat)


@pytest.mark.parametrize(
    ("value", "truth"),
    [(True, True), (0, False), (1.0, True), ("true", True), ("False", False), ("", False)],
)
def test_words_for_truths_are_understood(value: object, truth: bool) -> None:
    assert cast(np.dtype("bool"), value, compat=False) == truth


@pytest.mark.parametrize("value", ["x", 2, None])
def test_any_value_is_a_truth_only_where_asked_for(value: object) -> None:
    assert cast(np.dtype("bool"), value, compat=True) == bool(value)
    with pytest.raises(ValueError, match=r"true|value"):
        cast(np.dtype("bool"), value, compat=False)


@pytest.mark.parametrize("value", [[1], {"a": 1}, (1,), np.arange(2)])
def test_what_is_no_scalar_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="no scalar"):
        cast(np.dtype("int8"), value, compat=False)


def test_values_stay_within_range_and_choice() -> None:
    ranged, _ = converted(type="float32", range=[0, 1])
    assert clean("p", ranged, "0.5", compat=False) == 0.5
    with pytest.raises(ValueError, match=r"`p' \(2.0\) must be picked within .*\[0.0, 1.0\]"):
        clean("p", ranged, 2, compat=False)
    chosen, _ = converted(type="string", choice=["a", "b"])
    assert clean("p", chosen, "b", compat=False) == "b"
    with pytest.raises(ValueError, match=r"`p' \(c\) must be one of `\[a, b\]'"):
        clean("p", chosen, "c", compat=False)


@given(kind=st.sampled_from(INTEGERS), value=st.integers())
def test_an_integer_that_passes_is_unchanged(kind: str, value: int) -> None:
    limits = np.iinfo(kind)
    fits = limits.min <= value <= limits.max
    try:
        got = int(cast(np.dtype(kind), value, compat=False))
    except ValueError:
        assert not fits
    else:
        assert got == value


@given(kind=st.sampled_from(INTEGERS), value=st.integers(-(1 << 63), (1 << 63) - 1))
def test_wrapping_is_that_of_the_bits(kind: str, value: int) -> None:
    bits = np.iinfo(kind).bits
    assert (int(cast(np.dtype(kind), value, compat=True)) - value) % (1 << bits) == 0


@given(kind=st.sampled_from(TYPES), value=st.one_of(scalars, st.none()), compat=st.booleans())
def test_a_value_is_cast_or_refused(kind: str, value: object, compat: bool) -> None:
    wanted = np.dtype(str if kind == "string" else kind)
    try:
        got = cast(wanted, value, compat)
    except ValueError:
        return
    assert isinstance(got, wanted.type)


@given(
    kind=st.sampled_from(TYPES),
    extra=st.dictionaries(
        st.sampled_from(["default", "range", "choice"]),
        st.one_of(scalars, st.none(), st.lists(scalars, max_size=3)),
    ),
    compat=st.booleans(),
)
def test_a_declaration_is_converted_or_told_to_be_wrong(
    kind: str, extra: dict[str, Any], compat: bool
) -> None:
    parameter, errors = converted(compat, type=kind, **extra)
    if not errors and "default" in parameter:
        value = parameter["default"]
        if not np.isnan(0 if kind == "string" else value):  # that is equal to nothing
            assert clean("p", parameter, value, compat) == value
