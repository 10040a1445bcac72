"""Whole directories as data."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from dlg.data.directory import DirectoryDROP
from dlg.ddap_protocol import DROPStates
from dlg.exceptions import InvalidPath, RunError
from dlg.testing.data_contract import DropContract
from dlg.testing.expectations import refused
from dlg.testing.graphs import app
from dlg_engine.embedded import run_graph


class TestDirectory(DropContract):
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.directory = tmp_path
        self.numbers = itertools.count()

    def make(self, uid: str, **parameters: Any) -> DirectoryDROP:
        path = self.directory / str(next(self.numbers)) / uid
        return DirectoryDROP(uid, dirname=str(path), **parameters)


def test_it_is_made_when_it_completes_if_nobody_made_it(tmp_path: Path) -> None:
    drop = DirectoryDROP("d", dirname=str(tmp_path / "a" / "b"))
    assert not drop.exists()
    drop.setCompleted()
    assert (tmp_path / "a" / "b").is_dir()


def test_it_is_made_from_the_beginning_on_request(tmp_path: Path) -> None:
    assert DirectoryDROP("d", dirname=str(tmp_path / "a"), create_if_missing=True).exists()


def test_one_that_must_exist_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InvalidPath, match="drop d: the directory .* does not exist"):
        DirectoryDROP("d", dirname=str(tmp_path / "gone"), check_exists=True)


def test_its_size_is_that_of_all_files_below(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "sub" / "b").write_bytes(b"45")
    assert DirectoryDROP("d", dirname=str(tmp_path)).size == 5


def test_apps_get_its_path(tmp_path: Path) -> None:
    drop = DirectoryDROP("d", dirname=str(tmp_path / "x"))
    drop.setCompleted()
    assert drop.load() == drop.load("path") == drop.value() == str(tmp_path / "x")
    assert drop.load("dataurl").endswith(str(tmp_path / "x"))


def test_it_has_no_bytes_of_its_own(tmp_path: Path) -> None:
    drop = DirectoryDROP("d", dirname=str(tmp_path / "x"))
    with pytest.raises(RunError, match="use the files in it"):
        drop.write(b"x")


def test_deleting_takes_all_that_is_in_it(tmp_path: Path) -> None:
    drop = DirectoryDROP("d", dirname=str(tmp_path / "x"))
    drop.setCompleted()
    (tmp_path / "x" / "file").write_text("y")
    drop.delete()
    assert not (tmp_path / "x").exists()


def test_a_relative_one_is_in_the_session_and_stays_there(tmp_path: Path) -> None:
    spec = {"oid": "d", "categoryType": "Data", "dropclass": "dlg.data.directory.DirectoryDROP"}
    report = run_graph([{**spec, "dirname": "out"}], runner="inline", workdir=tmp_path)
    assert (report.session_dir / "out").is_dir()
    report = run_graph([{**spec, "dirname": "../out"}], runner="inline", workdir=tmp_path)
    assert "leaves the directory of the session" in report.errors[0].exception


@pytest.mark.parametrize("runner", ["threads", "processes"])
def test_a_function_in_any_process_writes_into_the_same_directory(
    tmp_path: Path, runner: str
) -> None:
    code = "def f(out):\n import pathlib\n p = pathlib.Path(out)\n p.mkdir()\n (p / 'x').touch()"
    port = {"out": {"usage": "OutputPort", "encoding": "path"}}
    specs: list[dict[str, Any]] = [
        app("a", [], "dlg.apps.python_function.PyFuncApp", func_code=code, applicationArgs=port)
        | {"outputs": [{"d": "out"}]},
        {
            "oid": "d",
            "categoryType": "Data",
            "dropclass": "dlg.data.directory.DirectoryDROP",
            "dirname": "here",
        },
    ]
    report = run_graph(specs, runner=runner, workers=1, workdir=tmp_path, timeout=60)
    assert report.status == "FINISHED", report.errors
    assert (report.session_dir / "here" / "x").exists()


def test_what_would_be_written_is_refused_before_it_completes(tmp_path: Path) -> None:
    drop = DirectoryDROP("d", dirname=str(tmp_path / "x"))
    with refused(RunError):
        drop.write(b"x")
    drop.setCompleted()
    assert drop.status is DROPStates.COMPLETED
