from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.beat.dataformat import DataFormat, DataFormatCache
from dlg.exceptions import InvalidAssetError
from tests.dlg.beat.small import declare, fill


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    fill(tmp_path)
    return str(tmp_path)


def errors_of(prefix: str, declaration: Any, **how: Any) -> list[str]:
    return DataFormat(prefix, declaration, **how).errors


def test_a_format_is_loaded_by_its_name(prefix: str) -> None:
    number = DataFormat(prefix, "me/number/1")
    assert number.valid
    assert number.name == "me/number/1"
    assert number.resolved == {"value": "int32"}
    assert number.extends is None


def test_a_format_without_a_name_says_so(prefix: str) -> None:
    unnamed = DataFormat(prefix, {"a": {"b": "int8"}})
    assert unnamed.name == "__unnamed_dataformat__"
    assert unnamed.resolved["a"].name == "__unnamed_dataformat__.a_type"
    with pytest.raises(RuntimeError, match="no name"):
        unnamed.hash()
    with pytest.raises(RuntimeError, match="no name"):
        unnamed.write()


def test_the_prototype_is_an_empty_format(prefix: str) -> None:
    empty = DataFormat(prefix, None)
    assert empty.valid
    assert empty.type().pack() == b""


def test_a_file_that_is_not_there_is_an_error(prefix: str) -> None:
    (error,) = errors_of(prefix, "me/none/1")
    assert error.startswith("Dataformat declaration file not found: ")
    assert error.endswith("dataformats/me/none/1.json")


def test_fields_of_the_extended_format_come_first(prefix: str) -> None:
    pair = DataFormat(prefix, "me/pair/1")
    assert pair.resolved == {"value": "int32", "other": "string"}
    assert list(pair.resolved) == ["value", "other"]
    assert pair.extends == "me/number/1"


def test_extending_leaves_the_other_format_as_it_is(prefix: str) -> None:
    cache: DataFormatCache = {}
    DataFormat(prefix, "me/pair/1", dataformat_cache=cache)
    number = cache["me/number/1"]
    assert number is not None
    assert number.resolved == {"value": "int32"}
    twice = {"#extends": "me/number/1", "a": {"#extends": "me/number/1", "other": "int8"}}
    assert errors_of(prefix, twice, dataformat_cache=cache) == []


def test_a_field_that_the_extended_format_has_too_is_an_error(prefix: str) -> None:
    (error,) = errors_of(prefix, {"#extends": "me/number/1", "value": "int8"})
    assert "`value'" in error
    assert "`me/number/1'" in error


def test_a_format_is_the_parent_of_those_that_extend_it(prefix: str) -> None:
    declare(Path(prefix), "dataformats", "me/triple/1", {"#extends": "me/pair/1"})
    number, triple = DataFormat(prefix, "me/number/1"), DataFormat(prefix, "me/triple/1")
    assert number.isparent(triple)
    assert not triple.isparent(number)
    assert not number.isparent(number)


def test_a_format_that_extends_itself_is_nobodys_parent(prefix: str) -> None:
    declare(Path(prefix), "dataformats", "me/round/1", {"#extends": "me/round/1"})
    round_one = DataFormat(prefix, "me/round/1")
    assert not DataFormat(prefix, "me/number/1").isparent(round_one)
    assert "recursion for dataformat `me/round/1' detected" in round_one.errors


def test_formats_that_refer_to_each_other_are_found(prefix: str) -> None:
    declare(Path(prefix), "dataformats", "me/a/1", {"b": [3, "me/b/1"]})
    declare(Path(prefix), "dataformats", "me/b/1", {"a": {"inner": "me/a/1"}})
    assert errors_of(prefix, "me/a/1") == ["referred dataformat `me/b/1' is invalid"]


def test_the_same_error_is_told_once(prefix: str) -> None:
    declaration = {"a": "me/none/1", "b": [0, "me/none/1"]}
    assert errors_of(prefix, declaration) == ["referred dataformat `me/none/1' is invalid"]


def test_an_invalid_object_in_an_array_is_an_error_but_not_to_the_existing_packages(
    prefix: str,
) -> None:
    declaration = {"a": [3, {"b": "me/none/1"}]}
    assert errors_of(prefix, declaration) == ["referred dataformat `a' is invalid"]
    assert errors_of(prefix, declaration, compat=True) == []


def test_a_negative_dimension_is_an_error_but_not_to_the_existing_packages(prefix: str) -> None:
    assert errors_of(prefix, {"a": [-1, "int8"]})
    assert errors_of(prefix, {"a": [-1, "int8"]}, compat=True) == []


@pytest.mark.parametrize(
    "field",
    [
        "int7",
        "me/number",
        3,
        None,
        [],
        ["int8"],
        [3],
        [1.0, "int8"],
        [True, "int8"],
        [1, [1, "int8"]],
        [1, 1, 1, 1, 1, 1, "int8"],
        {"a b": "int8"},
    ],
)
@pytest.mark.parametrize("compat", [True, False])
def test_what_is_no_type_of_a_field_is_an_error(prefix: str, field: Any, compat: bool) -> None:
    assert len(errors_of(prefix, {"a": field}, compat=compat)) == 1


def test_objects_that_lie_too_deep_are_an_error(prefix: str) -> None:
    deep: dict[str, Any] = {}
    for _ in range(600):
        deep = {"a": deep}
    assert errors_of(prefix, deep)


def test_the_declaration_that_was_handed_over_stays_as_it_is(prefix: str) -> None:
    declaration = {"a": {"b": "me/number/1"}}
    loaded = DataFormat(prefix, declaration)
    loaded.description = "said"
    assert declaration == {"a": {"b": "me/number/1"}}


def test_values_are_instances_of_one_class(prefix: str) -> None:
    declaration = {"a": [0, 2, {"n": "me/number/1"}], "b": "float32"}
    wanted = DataFormat(prefix, declaration)
    assert wanted.type is wanted.type
    value = wanted.type(a=[[{"n": {"value": 1}}, {"n": {"value": 2}}]], b=0.5)
    assert value.as_dict() == {"a": [[{"n": {"value": 1}}, {"n": {"value": 2}}]], "b": 0.5}
    again = wanted.type().unpack(value.pack())
    assert again.isclose(value)


def test_a_value_that_does_not_fit_is_refused(prefix: str) -> None:
    number = DataFormat(prefix, "me/number/1")
    number.validate({"value": np.int32(3)})
    with pytest.raises(TypeError):
        number.validate({"value": 3.5})
    with pytest.raises(AttributeError):
        number.validate({})


def test_an_invalid_format_has_no_values(prefix: str) -> None:
    with pytest.raises(RuntimeError, match=r"not valid:\nreferred dataformat"):
        _ = DataFormat(prefix, {"a": "me/none/1"}).type


def test_what_was_loaded_is_in_the_cache(prefix: str) -> None:
    cache: DataFormatCache = {}
    pair = DataFormat(prefix, "me/pair/1", dataformat_cache=cache)
    assert set(cache) == {"me/pair/1", "me/number/1"}
    assert cache["me/pair/1"] is pair
    again = DataFormat(prefix, {"a": "me/number/1"}, dataformat_cache=cache)
    assert again.resolved["a"] is cache["me/number/1"]


def test_a_format_is_exported_with_what_it_refers_to(prefix: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    declare(Path(prefix), "dataformats", "me/deep/1", {"a": [0, {"b": "me/pair/1"}]})
    deep = DataFormat(prefix, "me/deep/1")
    deep.documentation = "Deep.\n"
    deep.export(str(other))
    exported = DataFormat(str(other), "me/deep/1")
    assert exported.valid
    assert exported.hash() == deep.hash()
    assert exported.documentation == "Deep.\n"
    with pytest.raises(InvalidAssetError, match="same prefix"):
        deep.export(prefix)
    with pytest.raises(InvalidAssetError, match="not valid"):
        DataFormat(prefix, "me/none/1").export(str(other))


def test_a_format_gets_a_name_and_a_file(prefix: str) -> None:
    made = DataFormat(prefix, {"b": "int8", "a": "int8"})
    made.name = "me/made/1"
    made.description = "Made here"
    made.write()
    read = DataFormat(prefix, "me/made/1")
    assert list(read.data) == ["b", "a", "#description"]
    assert read.documentation == "Made here"
    with pytest.raises(InvalidAssetError, match="invalid dataformat name"):
        made.name = "me/made"


def test_an_unchecked_format_is_not_compared_with_the_schema(prefix: str) -> None:
    declaration = {"#unknown": 1, "a": "int8"}
    assert errors_of(prefix, declaration)
    assert errors_of(prefix, declaration, checked=False) == []
