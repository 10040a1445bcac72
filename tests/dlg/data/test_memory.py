"""Data in memory: objects by reference, bytes when somebody asks."""

from __future__ import annotations

import base64
import pickle
from typing import Any

import cloudpickle
import numpy as np
import pytest

from dlg.data.memory import InMemoryDROP, PythonObjectDROP
from dlg.ddap_protocol import DROPStates
from dlg.exceptions import InvalidDropException
from dlg.support.checksums import crc32c
from dlg.support.serialize import EncodingError
from dlg.testing.data_contract import DataContract
from dlg.testing.expectations import Recorder


class TestMemory(DataContract):
    def make(self, uid: str, **parameters: Any) -> InMemoryDROP:
        return InMemoryDROP(uid, **parameters)


def stored(value: Any, encoding: str = "pickle") -> InMemoryDROP:
    drop = InMemoryDROP("a")
    drop.store(value, encoding)
    drop.setCompleted()
    return drop


def given(pydata: Any) -> Any:
    drop = InMemoryDROP("a", pydata=pydata)
    drop.setCompleted()
    return drop.value()


class Unpicklable:
    def __reduce__(self) -> Any:
        raise pickle.PicklingError("not to be made bytes of")


def test_an_object_is_handed_over_by_reference_and_never_pickled() -> None:
    thing = Unpicklable()
    drop = stored(thing)
    assert drop.load() is thing
    assert drop.value() is thing
    assert drop.load("dill") is thing


def test_an_array_is_handed_over_by_reference() -> None:
    array = np.arange(5)
    assert stored(array, "npy").load("npy") is array


def test_bytes_are_made_when_somebody_asks_for_them() -> None:
    assert pickle.loads(stored([1, 2]).contents()) == [1, 2]


def test_an_object_is_not_kept_as_bytes_as_well_once_they_have_been_read() -> None:
    drop = stored([1, 2])
    descriptor = drop.open()
    drop.close(descriptor)
    assert drop._buffer is None


def test_an_object_that_cannot_be_bytes_says_so() -> None:
    with pytest.raises(EncodingError, match="not to be made bytes of"):
        stored(Unpicklable()).contents()


def test_a_value_read_in_another_encoding_is_what_its_bytes_are() -> None:
    assert stored({"a": 1}, "json").load("utf-8") == '{"a": 1}'


def test_an_encoding_that_loses_something_loses_it_by_reference_too() -> None:
    assert stored({"a": (1, 2)}, "json").load("json") == {"a": [1, 2]}
    assert stored(5, "utf-8").load("utf-8") == "5"


def test_the_size_of_an_array_is_that_of_its_numbers() -> None:
    assert stored(np.zeros(100)).size == 800


def test_the_size_of_another_object_is_that_of_its_pickle() -> None:
    assert stored([1, 2]).size == len(pickle.dumps([1, 2], protocol=5))


def test_the_checksum_of_an_object_is_that_of_its_bytes() -> None:
    drop = stored([1, 2])
    assert drop.checksum == crc32c(drop.contents())


def test_bytes_written_after_an_object_follow_its_bytes() -> None:
    drop = InMemoryDROP("a")
    drop.store(b"first ", "raw")
    drop.write(b"second")
    drop.setCompleted()
    assert (drop.contents(), drop.size) == (b"first second", 12)
    assert drop.checksum == crc32c(b"first second")


def test_an_object_stored_after_bytes_follows_them_as_bytes() -> None:
    drop = InMemoryDROP("a")
    drop.write(b"first ")
    drop.store("second", "utf-8")
    drop.setCompleted()
    assert (drop.contents(), drop.size) == (b"first second", 12)


def test_an_object_that_is_streamed_is_bytes() -> None:
    drop = InMemoryDROP("a", expectedSize=3)
    drop.store("abc", "utf-8")
    assert drop.status is DROPStates.COMPLETED
    assert drop.contents() == b"abc"


@pytest.mark.parametrize(
    ("pydata", "value"),
    [
        ({"value": "hello", "type": "String"}, "hello"),
        ({"value": "7", "type": "Integer"}, 7),
        ({"value": "2.5", "type": "Float"}, 2.5),
        ({"value": "False", "type": "Boolean"}, False),
        ({"value": '{"a": [1]}', "type": "Json"}, {"a": [1]}),
        ({"value": "{'a': 1}", "type": "dict"}, {"a": 1}),
        ({"value": "[1, 2]", "type": "eval"}, [1, 2]),
        ({"value": [1, 2], "type": "list"}, [1, 2]),
        ({"value": "abc", "type": "raw"}, b"abc"),
        ({"value": "", "defaultValue": "x", "type": "String"}, "x"),
        ("[1, 2]", [1, 2]),
        ("(1, 2)", (1, 2)),
        ("just a text", "just a text"),
        ([1, 2], [1, 2]),
        (np.float64(2), 2.0),
    ],
    ids=repr,
)
def test_a_value_in_the_graph_is_what_it_says(pydata: Any, value: Any) -> None:
    found = given(pydata)
    assert found == value
    assert type(found) is type(value) or isinstance(value, float)


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_an_object_in_the_graph_is_the_base64_of_a_pickle(dumps: Any) -> None:
    text = base64.b64encode(dumps({"a": 1})).decode()
    assert given({"value": text, "type": "Object"}) == {"a": 1}


def test_nothing_in_a_graph_is_evaluated() -> None:
    with pytest.raises(InvalidDropException, match="is no eval"):
        InMemoryDROP("a", pydata={"value": "__import__('os').getpid()", "type": "eval"})


def test_a_value_in_the_graph_that_is_not_of_its_type_is_refused() -> None:
    with pytest.raises(InvalidDropException, match="drop a: pydata 'many' is no integer"):
        InMemoryDROP("a", pydata={"value": "many", "type": "Integer"})


@pytest.mark.parametrize(
    ("encoding", "value"),
    [("utf-8", "[1, 2]"), ("json", [1, 2]), ("raw", b"[1, 2]"), ("pickle", "[1, 2]")],
)
def test_a_value_in_the_graph_has_the_encoding_its_reader_asks_for(
    encoding: str, value: Any
) -> None:
    text = {"value": "[1, 2]", "type": "String"} if encoding != "json" else "[1, 2]"
    drop = InMemoryDROP("a", pydata=text)
    drop.setCompleted()
    assert drop.load(encoding) == value


def test_what_an_app_stores_takes_the_place_of_the_value_in_the_graph() -> None:
    stored, written = InMemoryDROP("a", pydata="None"), InMemoryDROP("b", pydata="None")
    stored.store("new", "utf-8")
    written.write("new")
    for drop in (stored, written):
        drop.setCompleted()
        assert drop.contents() == b"new"


def test_a_lifespan_excludes_release_after_use_only_if_both_were_asked_for() -> None:
    assert not InMemoryDROP("a", lifespan=10).expireAfterUse
    with pytest.raises(InvalidDropException, match="exclude each other"):
        InMemoryDROP("a", lifespan=10, expireAfterUse=True)


def test_opening_is_told() -> None:
    drop = stored(1)
    heard = Recorder(drop, kind="open")
    drop.close(drop.open())
    assert heard.values("uid") == ["a"]


def test_the_old_name_is_the_same_class() -> None:
    assert PythonObjectDROP is InMemoryDROP
