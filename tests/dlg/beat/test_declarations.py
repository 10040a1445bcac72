from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.beat.declarations import (
    DeclarationError,
    _validator,
    dumps,
    error_on_duplicate_key_hook,
    parse,
    pointer,
    prototype,
    prototype_code,
    read,
    schema_errors,
    versions,
)
from dlg.exceptions import InvalidAssetError, MissingExtraError
from tests.dlg.beat.small import fill

SCHEMAS = sorted((Path("dlg/beat/schemas")).rglob("*.json"))


def test_a_key_that_comes_twice_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"Invalid JSON: Invalid file content\nb found"):
        parse('{"a": {"b": 1, "c": 2, "b": 3}}')


def test_the_hook_refuses_the_first_key_that_comes_twice() -> None:
    assert error_on_duplicate_key_hook([("a", 1), ("b", 2)]) == {"a": 1, "b": 2}
    with pytest.raises(RuntimeError, match="a found several times"):
        error_on_duplicate_key_hook([("b", 0), ("a", 1), ("a", 2)])


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", '{"a": 1,}', "[" * 100_000, b"\xff"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(DeclarationError, match="invalid JSON code"):
        parse(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=str(tmp_path)):
        read(tmp_path)


def test_an_error_says_where_what_and_by_which_rule() -> None:
    told = schema_errors("library", {"language": "python", "uses": {"tools": "nothing"}})
    assert len(told) == 1
    assert told[0].startswith("/uses/tools: ")
    assert "(rule: /properties/uses/patternProperties/" in told[0]


def test_what_speaks_against_each_possibility_stands_indented_in_one_error() -> None:
    told = schema_errors("dataformat", {"value": "int7"})
    assert len(told) == 1
    first, *rest = told[0].splitlines()
    assert first.startswith("/value: fits none of ")
    assert rest
    assert all(line.startswith("  /value: ") for line in rest)


@pytest.mark.parametrize("version", [0, 4, -1, 1.5, "1", None, True, [], 10**30])
def test_an_unknown_version_is_an_error_as_others(version: object) -> None:
    told = schema_errors("algorithm", {"schema_version": version}, version=version)
    assert len(told) == 1
    assert told[0].startswith("/schema_version: ")
    assert "1, 2, 3" in told[0]


@pytest.mark.parametrize(
    "declaration",
    [None, 3, "x", [], {1: 2}, {"a": object()}, {"a": {1, 2}}, {"a": "\ud800"}, {"a": b"x"}],
)
def test_what_is_no_object_of_json_is_an_error(declaration: object) -> None:
    assert schema_errors("dataformat", declaration)


def test_a_pointer_escapes_what_it_is_made_of() -> None:
    assert pointer([]) == "/"
    assert pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"


def test_values_of_numpy_are_written_as_json() -> None:
    values = {
        "number": np.int8(3),
        "array": np.arange(2),
        "type": np.dtype("int8"),
        "text": np.dtype(str),
        "bytes": b"ab",
        "complex": np.complex64(1 + 2j),
    }
    written = json.loads(dumps(values, None))
    assert written == {
        "number": 3,
        "array": [0, 1],
        "type": "int8",
        "text": "string",
        "bytes": "ab",
        "complex": "(1+2j)",
    }
    with pytest.raises(TypeError):
        dumps({"set": {1}})


def test_a_prototype_is_new_each_time() -> None:
    prototype("library")["uses"]["x"] = "me/x/1"
    assert prototype("library")["uses"] == {}
    assert b"def process" in prototype_code("algorithm")
    with pytest.raises(InvalidAssetError, match="no prototype"):
        prototype("nothing")


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_each_schema_is_one_of_the_fourth_draft(path: Path) -> None:
    import jsonschema_rs

    schema: dict[str, Any] = json.loads(path.read_bytes())
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    assert jsonschema_rs.meta.is_valid(schema)
    assert versions(path.parent.name)


def test_without_the_validator_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    _validator.cache_clear()
    with pytest.raises(MissingExtraError, match=r"pip install 'dlg\[beat\]'"):
        schema_errors("library", {})


def test_what_was_checked_before_is_loaded_without_the_validator(tmp_path: Path) -> None:
    fill(tmp_path)
    program = (
        "import sys\n"
        "from dlg.beat.algorithm import Algorithm\n"
        "scale = Algorithm(sys.argv[1], 'me/scale/1', checked=False)\n"
        "assert scale.valid and scale.runner().setup({})\n"
        "assert scale.dataformats['me/number/1'].type().pack() == bytes(4)\n"
        "assert 'jsonschema_rs' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=60)
