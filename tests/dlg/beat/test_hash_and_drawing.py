"""Hashes and labels are those of the existing packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.beat import drawing
from dlg.beat import hash as hashes
from tests.dlg.beat.composed import vectors

MODULES = {"hash": hashes, "drawing": drawing}


@pytest.mark.parametrize(
    ("module", "name", "arguments", "expected"),
    vectors()["calls"],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)
def test_a_function_returns_what_that_of_the_existing_packages_does(
    module: str, name: str, arguments: list[Any], expected: str
) -> None:
    assert getattr(MODULES[module], name)(*arguments) == expected


def test_the_hash_of_a_file_that_is_no_json_is_that_of_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "1.json"
    file.write_bytes(b"\xff{")
    assert hashes.hashJSONFile(file, "description") == hashes.hashFileContents(file)


def test_the_description_does_not_change_the_hash_of_a_file(tmp_path: Path) -> None:
    one, other = tmp_path / "1.json", tmp_path / "2.json"
    one.write_text('{"a": 1, "description": "this"}')
    other.write_text('{ "description":"that",\n"a":1 }')
    assert hashes.hashJSONFile(one, "description") == hashes.hashJSONFile(other, "description")


def test_two_hashes_are_the_same_where_their_texts_are() -> None:
    # A weakness that has to stay: these name files in caches that exist.
    assert hashes.hash({"a": 1}) == hashes.hash({"a": "1"})
