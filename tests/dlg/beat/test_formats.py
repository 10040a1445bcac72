"""The classes of data are found by the names that files give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlg.beat.declarations import DeclarationError
from dlg.beat.formats import Formats, type_named
from dlg.exceptions import InvalidAssetError, UsageError
from tests.dlg.beat.caches import Prefix


def test_a_format_is_loaded_once(tmp_path: Path) -> None:
    Prefix(tmp_path).format({"value": "int32"})
    cache: Formats = {}
    kind: Any = type_named(str(tmp_path), "u/f/1", cache)
    assert kind(value=3).pack() == b"\3\0\0\0"
    assert type_named(str(tmp_path), "u/f/1", cache) is kind


def test_the_results_of_an_analyzer_are_a_format(tmp_path: Path) -> None:
    Prefix(tmp_path).format({"value": "int32"}, "plot/x/1")
    file = tmp_path / "algorithms" / "u" / "a" / "1.json"
    file.parent.mkdir(parents=True)
    results = {"n": {"type": "int32"}, "p": {"type": "plot/x/1"}}
    file.write_text(json.dumps({"results": results}))
    kind = type_named(str(tmp_path), "analysis:u/a/1")
    assert kind().as_dict() == {"n": 0, "p": {"value": 0}}


@pytest.mark.parametrize(
    "name",
    ["u/f/2", "", "u", "../../etc/x/1", "analysis:", "analysis:../../x/1", "analysis:/etc/x"],
)
def test_a_name_that_is_none_or_of_nothing_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        type_named(str(tmp_path), name)


def test_an_analyzer_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="cannot be read"):
        type_named(str(tmp_path), "analysis:u/a/1")
    with pytest.raises(InvalidAssetError, match="u/f/1"):
        type_named(str(tmp_path), "u/f/1")


@pytest.mark.parametrize("content", ["[]", "3", '{"results": []}', '{"results": {"x": 1}}', "{}"])
def test_an_analyzer_without_results_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "algorithms" / "u" / "a" / "1.json"
    file.parent.mkdir(parents=True)
    file.write_text(content)
    with pytest.raises(UsageError, match="u/a/1"):
        type_named(str(tmp_path), "analysis:u/a/1")
