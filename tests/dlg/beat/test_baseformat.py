"""Values of data formats: casts, bytes, and what hostile bytes are answered with."""

from __future__ import annotations

import copy
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.baseformat import (
    CastError,
    CorruptDataError,
    FieldsError,
    baseformat,
    make_type,
    pack_array,
    pack_scalar,
    read_some,
    read_string,
    setup_array,
    setup_scalar,
    unpack_array,
    unpack_scalar,
    unpacked,
)
from dlg.exceptions import RunError, UsageError
from tests.dlg.beat.formats import formats, made, values_of
from tests.dlg.beat.peer.data_values import decoded, encoded

VECTORS = Path(__file__).parent / "vectors" / "formats.json"
CASES = json.loads(VECTORS.read_text())


def _outcome(case: dict[str, Any]) -> dict[str, Any]:
    kind = made("case", {"f": case["type"]})
    value = decoded(case["given"])
    try:
        if case["how"] == "unsafe":
            instance = kind(f=value)
        elif case["how"] == "set":
            instance = kind()
            instance.f = value
        else:
            instance = kind().from_dict({"f": value}, add_defaults=case["how"] == "defaults")
        return {"value": encoded(instance.as_dict()["f"]), "bytes": instance.pack().hex()}
    except (CastError, FieldsError) as error:
        return {"error": type(error).__name__}


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_value_becomes_what_the_existing_packages_make_of_it(number: int) -> None:
    case = CASES[number]
    ours = _outcome(case)
    if "error" in case:
        assert "error" in ours
    else:
        # As text, in which a NaN is equal to itself.
        assert repr(ours) == repr({"value": case["value"], "bytes": case["bytes"]})


@given(st.data())
def test_what_was_packed_is_unpacked(data: st.DataObject) -> None:
    declaration = data.draw(formats)
    kind = made("law", declaration)
    value = kind().from_dict(data.draw(values_of(declaration)))
    again = unpacked(kind, value.pack())
    assert again.pack() == value.pack()
    assert again.isclose(value)
    assert repr(again.as_dict()) == repr(value.as_dict())


@given(st.data())
def test_a_value_made_of_its_own_dictionary_is_the_same(data: st.DataObject) -> None:
    declaration = data.draw(formats)
    kind = made("law", declaration)
    value = kind().from_dict(data.draw(values_of(declaration)))
    assert kind().from_dict(value.as_dict(), casting="unsafe").pack() == value.pack()
    assert value.copy().pack() == value.pack()


@given(st.data())
def test_bytes_that_were_cut_or_changed_are_refused_or_are_a_value(data: st.DataObject) -> None:
    declaration = data.draw(formats)
    kind = made("law", declaration)
    good = kind().from_dict(data.draw(values_of(declaration))).pack()
    bad = bytearray(good[: data.draw(st.integers(0, len(good)))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(bad) - 1)), max_size=3)):
        if bad:
            bad[place] ^= data.draw(st.integers(1, 255))
    try:
        value = unpacked(kind, bytes(bad))
    except CorruptDataError:
        return
    assert len(value.pack()) == len(bad)


@pytest.mark.parametrize(
    ("declaration", "bad"),
    [
        ([0, "float64"], (1 << 62).to_bytes(8, "little")),
        ([0, {}], (1 << 62).to_bytes(8, "little")),
        ([0, {"a": "string"}], (1 << 62).to_bytes(8, "little")),
        ([0, 0, "int8"], (1 << 32).to_bytes(8, "little") * 2),
        ([3, "int8"], (2).to_bytes(8, "little") + b"ab"),
        ("string", (1 << 63).to_bytes(8, "little") + b"x"),
        ("string", (2).to_bytes(8, "little") + b"\xff\xff"),
        ([0, "string"], (1 << 40).to_bytes(8, "little")),
    ],
    ids=str,
)
def test_lengths_that_lie_are_refused_before_memory_is_taken(declaration: Any, bad: bytes) -> None:
    with pytest.raises(CorruptDataError):
        made("lie", {"f": declaration})().unpack(bad)


def test_trailing_bytes_are_ignored_unless_the_whole_is_asked_for() -> None:
    kind = make_type("t", {"a": "int8"})
    assert kind().unpack(b"\x01more").pack() == b"\x01"
    with pytest.raises(CorruptDataError, match="ends after 1"):
        unpacked(kind, b"\x01more")


def test_arrays_are_read_without_a_copy() -> None:
    kind = make_type("t", {"a": [0, "float32"]})
    data = bytearray(kind(a=[1, 2]).pack())
    value: Any = kind().unpack(data)
    data[8:12] = np.float32(5).tobytes()
    assert value.a.tolist() == [5, 2]
    assert not value.a.flags.writeable


def test_an_integer_that_does_not_fit_is_not_wrapped_around_in_silence() -> None:
    kind = make_type("t", {"a": [0, "int8"]})
    for given_ in ([300], [1.0, 1e9], [math.nan], np.array([-129])):
        with pytest.raises(CastError, match="do not fit `int8'"):
            kind().from_dict({"a": given_})
    wrapped: Any = kind().from_dict({"a": [300]}, casting="unsafe")
    assert wrapped.a.tolist() == [44]


def test_big_integers_in_lists_stay_what_they_are() -> None:
    kind = make_type("t", {"a": [0, "uint64"]})
    big = [0, (1 << 63) + 1]
    value: Any = kind().from_dict({"a": big})
    assert value.a.tolist() == big
    with pytest.raises(CastError):
        kind().from_dict({"a": [1 << 64]})


def test_a_copy_of_an_array_is_held() -> None:
    given_ = np.zeros(3, "float32")
    value: Any = make_type("t", {"a": [0, "float32"]})(a=given_)
    given_[0] = 1
    assert value.a[0] == 0


def test_what_is_set_later_is_checked_too() -> None:
    part = make_type("p", {"q": "int16"})
    kind = make_type("t", {"a": "int8", "n": [0, "string"], "o": [0, part]})
    value: Any = kind(n=["x", "y"], o=[{"q": 1}])
    for refused in ("a = 1.5", "b = 1"):
        name, text = refused.split(" = ")
        with pytest.raises((CastError, FieldsError)):
            setattr(value, name, float(text))
    with pytest.raises(CastError, match="a text is expected"):
        value.n[0] = 3
    with pytest.raises(CastError, match="int64"):
        value.o[0] = {"q": 9}
    value.n[:] = ["a", "b"]
    value.o[0] = {"q": np.int16(9)}
    value.o[0].q = np.int16(10)
    assert value.as_dict() == {"a": 0, "n": ["a", "b"], "o": [{"q": 10}]}


def test_an_instance_may_be_given_for_an_object() -> None:
    part = make_type("p", {"q": "int16"})
    kind = make_type("t", {"o": part, "l": [0, part]})
    one: Any = part(q=3)
    value: Any = kind(o=one, l=[one, one])
    one.q = np.int16(4)
    assert value.as_dict() == {"o": {"q": 3}, "l": [{"q": 3}, {"q": 3}]}


def test_fields_may_have_the_names_of_methods() -> None:
    kind = make_type("t", {"pack": "int8", "copy": "string", "as_dict": "bool", "_name": "int8"})
    value = kind(pack=1, copy="c")
    data = baseformat.pack(value)
    assert baseformat.as_dict(unpacked(kind, data)) == baseformat.as_dict(value)


def test_the_class_shows_the_types_of_its_fields() -> None:
    kind: Any = make_type("u/t/1", {"a": "int8", "s": "string", "l": [0, 2, "bool"]})
    assert (kind.a, kind.s, kind.l) == (np.dtype("int8"), str, [0, 2, np.dtype("bool")])
    assert kind._name == "u/t/1"


@pytest.mark.parametrize("kind", ["int128", "object", 3, None, [0], ["int8"], [-1, "int8"], {}])
def test_a_type_that_does_not_exist_is_refused(kind: Any) -> None:
    with pytest.raises(UsageError):
        make_type("t", {"f": kind})


def test_closeness_has_tolerances() -> None:
    kind = make_type("t", {"a": [0, "float64"], "s": "string"})
    one = kind(a=[1.0], s="x")
    assert one.isclose(kind(a=[1.0 + 1e-12], s="x"))
    assert one.isclose(kind(a=[1.4], s="x"), 0, 0.5)
    assert one.isclose(kind(a=[1.4], s="x"), atol=0.5)
    for other in (kind(a=[1.4], s="x"), kind(a=[1.0], s="y"), kind(a=[], s="x"), 3, None):
        assert not one.isclose(other)


def test_values_are_read_from_files_one_after_the_other() -> None:
    kind = make_type("t", {"a": "int32", "s": "string"})
    file = io.BytesIO()
    for number in range(3):
        kind(a=number, s="x" * number).pack_into(file)
    file.seek(0)
    assert [kind().unpack_from(file).as_dict()["a"] for _ in range(3)] == [0, 1, 2]
    assert not file.read()


def test_single_values_go_through_files() -> None:
    file = io.BytesIO()
    pack_scalar("int16", 3, file)
    pack_scalar(str, "text", file)
    pack_array(np.dtype("float32"), [[1.0, 2.0]], file)
    file.write(b"\x07")
    file.seek(0)
    assert unpack_scalar(np.dtype("int16"), file) == 3
    assert read_string(file) == "text"
    assert unpack_array([0, 2], "float32", file).tolist() == [[1, 2]]
    assert read_some("<B", file) == (7,)
    with pytest.raises(CorruptDataError):
        read_some("<B", file)
    with pytest.raises(CorruptDataError):
        unpack_scalar("int16", file)


def test_single_values_are_cast() -> None:
    assert setup_scalar("t", "a", np.dtype("int16"), np.int8(3), "safe", False) == 3
    assert setup_array("t", "a", [0], str, ["x"], "safe", False).tolist() == ["x"]
    with pytest.raises(CastError, match="field a of t"):
        setup_scalar("t", "a", "int16", 1.5, "safe", False)


def test_who_is_at_fault_can_be_told_and_so_can_the_kind_known_from_before() -> None:
    assert CastError.__bases__ == (UsageError, TypeError)
    assert FieldsError.__bases__ == (UsageError, AttributeError)
    assert issubclass(CorruptDataError, RunError)


def test_a_copy_is_guarded_as_well() -> None:
    part = make_type("p", {"q": "int16"})
    value: Any = make_type("t", {"n": [0, "string"], "o": [0, part]})(n=["x"], o=[{"q": 1}])
    for other in (value.copy(), copy.copy(value), copy.deepcopy(value)):
        with pytest.raises(CastError):
            other.n[0] = 3
        other.n[:1] = ["y"]
        other.o[0].q = np.int16(7)
    assert value.as_dict() == {"n": ["x"], "o": [{"q": 1}]}


def test_text_that_is_no_unicode_is_told_when_it_is_packed() -> None:
    value = make_type("t", {"s": "string"})(s="\ud800")
    with pytest.raises(CastError, match="field s of t: .* is no Unicode text"):
        value.pack()


@pytest.mark.parametrize("ragged", [[[1], [1, 2]], [[[1]], [2]]])
def test_lists_of_several_lengths_are_refused(ragged: Any) -> None:
    with pytest.raises(CastError, match="makes no array"):
        make_type("t", {"a": [0, 0, "int8"]})(a=ragged)


def test_a_kind_of_cast_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="casting is one of"):
        make_type("t", {"a": "int8"})().from_dict({"a": 1.5}, casting="bogus")


def test_values_show_what_they_hold() -> None:
    value = make_type("u/t/1", {"s": "string"})(s="x")
    assert (str(value), repr(value)) == ("{'s': 'x'}", "<u/t/1 {'s': 'x'}>")
