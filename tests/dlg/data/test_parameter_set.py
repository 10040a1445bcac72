"""Parameters of the graph, written out for programs."""

from __future__ import annotations

import configparser
import itertools
import json
import pickle
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from dlg.data.parameter_set import Mode, ParameterSetDROP
from dlg.exceptions import InvalidDropException
from dlg.testing.data_contract import DataContract
from dlg_engine.embedded import run_graph

VALUES: dict[str, Any] = {"imaging.cell": 0.5, "imaging.size": 512, "target": "M31"}


class TestParameterSet(DataContract):
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.directory = tmp_path
        self.numbers = itertools.count()

    def make(self, uid: str, **parameters: Any) -> ParameterSetDROP:
        path = self.directory / str(next(self.numbers)) / uid
        return ParameterSetDROP(uid, filepath=str(path), **parameters)

    def test_a_drop_nobody_wrote_is_empty(self) -> None:
        drop = self.make("one", mode="JSON")
        drop.setCompleted()
        assert drop.contents() == b"{}"


def content(tmp_path: Path, mode: Mode | str, **values: Any) -> str:
    drop = ParameterSetDROP("p", filepath=str(tmp_path / "set"), mode=mode, **(values or VALUES))
    drop.setCompleted()
    return drop.contents().decode()


def test_yanda_is_a_line_a_parameter(tmp_path: Path) -> None:
    assert content(tmp_path, Mode.YANDA) == "imaging.cell=0.5\nimaging.size=512\ntarget=M31\n"


def test_ini_has_sections(tmp_path: Path) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(content(tmp_path, "ini"))
    assert dict(parser["imaging"]) == {"cell": "0.5", "size": "512", "target": "M31"}


def test_names_in_ini_keep_their_case(tmp_path: Path) -> None:
    assert "cellSize = 1" in content(tmp_path, "ini", cellSize=1)


def test_yaml_and_json_hold_the_values_by_name(tmp_path: Path) -> None:
    assert yaml.safe_load(content(tmp_path, "YAML")) == VALUES
    assert json.loads(content(tmp_path, "JSON")) == VALUES


def test_toml_has_tables(tmp_path: Path) -> None:
    found = tomllib.loads(content(tmp_path, "toml"))
    assert found == {"target": "M31", "imaging": {"cell": 0.5, "size": 512}}


def test_a_pickle_is_a_dictionary(tmp_path: Path) -> None:
    drop = ParameterSetDROP("p", filepath=str(tmp_path / "set"), mode="PICKLE", **VALUES)
    drop.setCompleted()
    assert pickle.loads(drop.contents()) == VALUES


def test_a_mode_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidDropException, match="'mode' must be one of YANDA, INI"):
        ParameterSetDROP("p", mode="cuneiform")


def test_values_are_looked_up_by_key() -> None:
    drop = ParameterSetDROP("p", **VALUES)
    assert (drop["target"], drop.get("z"), drop.get("z", 1)) == ("M31", None, 1)


def test_arguments_of_the_graph_are_the_parameters(tmp_path: Path) -> None:
    spec = {
        "oid": "p", "categoryType": "Data", "filepath": "set.json", "mode": "JSON",
        "dropclass": "dlg.data.parameter_set.ParameterSetDROP",
        "applicationArgs": {
            "cell": {"value": 0.5, "type": "Float"},
            "size": {"value": "", "defaultValue": 512},
            "out": {"value": "x", "usage": "OutputPort"},
        },
    }  # fmt: skip
    report = run_graph([spec], runner="inline", workdir=tmp_path)
    assert report.status == "FINISHED", report.errors
    found = json.loads((report.session_dir / "set.json").read_text())
    assert found == {"cell": 0.5, "size": 512}


def test_what_an_app_writes_takes_the_place_of_the_parameters(tmp_path: Path) -> None:
    drop = ParameterSetDROP("p", filepath=str(tmp_path / "set"), **VALUES)
    drop.write("written = by an app")
    drop.setCompleted()
    assert drop.contents() == b"written = by an app"
