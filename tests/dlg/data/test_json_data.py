"""JSON files that can be looked into."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from dlg.data.json_data import JsonDROP
from dlg.exceptions import RunError
from dlg.testing.data_contract import DataContract


class TestJson(DataContract):
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.directory = tmp_path
        self.numbers = itertools.count()

    def make(self, uid: str, **parameters: Any) -> JsonDROP:
        path = self.directory / str(next(self.numbers)) / uid
        return JsonDROP(uid, filepath=str(path), **parameters)


def holding(tmp_path: Path, text: str) -> JsonDROP:
    drop = JsonDROP("j", filepath=str(tmp_path / "values.json"))
    drop.write(text)
    drop.setCompleted()
    return drop


def test_values_are_looked_up_by_key(tmp_path: Path) -> None:
    drop = holding(tmp_path, json.dumps({"a": 1, "b": {"c": [2]}}))
    assert (drop["a"], drop.get("b"), drop.get("z"), drop.get("z", 5)) == (1, {"c": [2]}, None, 5)
    with pytest.raises(KeyError):
        drop["z"]


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"drop j: .*values.json holds no JSON"):
        holding(tmp_path, "{broken").get("a")


def test_a_file_that_holds_no_object_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds a list, not an object"):
        holding(tmp_path, "[1, 2]").get("a")
