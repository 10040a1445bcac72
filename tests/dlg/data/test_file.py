"""Data in files: where they are, and what happens to them."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from dlg.data.file import FileDROP, FileIO
from dlg.ddap_protocol import DROPStates
from dlg.exceptions import InvalidPath
from dlg.testing.data_contract import DataContract
from dlg.testing.graphs import app
from dlg_engine.embedded import run_graph
from dlg_engine.sessions.report import RunReport

FILE = "dlg.data.file.FileDROP"


class TestFile(DataContract):
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.directory = tmp_path
        self.numbers = itertools.count()

    def make(self, uid: str, **parameters: Any) -> FileDROP:
        path = self.directory / str(next(self.numbers)) / f"{uid}.bin"
        return FileDROP(uid, filepath=str(path), **parameters)


def file(oid: str = "f", **parameters: Any) -> dict[str, Any]:
    return {"oid": oid, "categoryType": "Data", "dropclass": FILE, **parameters}


def run(tmp_path: Path, *specs: dict[str, Any]) -> RunReport:
    return run_graph(list(specs), runner="threads", workdir=tmp_path, timeout=30)


def test_a_relative_path_starts_at_the_directory_of_the_session(tmp_path: Path) -> None:
    report = run(tmp_path, file(filepath="results/a.txt"))
    assert report.drops["f"].path == str(report.session_dir / "results/a.txt")
    assert (report.session_dir / "results/a.txt").read_bytes() == b""


def test_without_a_path_the_file_is_named_after_the_drop(tmp_path: Path) -> None:
    report = run(tmp_path, file("drop/1"))
    assert report.drops["drop/1"].path == str(report.session_dir / "drop_1")


def test_a_path_that_ends_in_a_slash_is_a_directory(tmp_path: Path) -> None:
    report = run(tmp_path, file(filepath="there/"))
    assert report.drops["f"].path == str(report.session_dir / "there" / "f")


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.txt"
    assert run(tmp_path, file(filepath=str(path))).drops["f"].path == str(path)


@pytest.mark.parametrize("path", ["../x", "a/../../x", "../../etc/passwd"])
def test_a_relative_path_does_not_leave_the_session(tmp_path: Path, path: str) -> None:
    report = run(tmp_path, file(filepath=path))
    assert report.status == "FAILED"
    assert "leaves the directory of the session" in report.errors[0].exception


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("{uid}.txt", r"f\.txt"),
        ("{humanKey}.txt", r"nice\.txt"),
        ("{datetime}.txt", r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d+\.txt"),
        ("{auto}.txt", r"\d{8}T\d+_nice\.txt"),
    ],
)
def test_a_path_is_a_template(tmp_path: Path, template: str, pattern: str) -> None:
    report = run(tmp_path, file(filepath=template, humanReadableKey="nice"))
    assert re.fullmatch(pattern, Path(report.drops["f"].path).name)


def test_an_unknown_placeholder_is_refused_with_those_there_are(tmp_path: Path) -> None:
    report = run(tmp_path, file(filepath="{nonsense}.txt"))
    assert "there is no placeholder {nonsense}" in report.errors[0].exception
    assert "{uid}" in report.errors[0].exception


def test_variables_of_the_environment_are_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_TEST_PLACE", "over-there")
    report = run(tmp_path, file(filepath="${DLG_TEST_PLACE}/x.txt"))
    assert report.drops["f"].path == str(report.session_dir / "over-there/x.txt")


def test_a_variable_that_is_not_set_is_refused(tmp_path: Path) -> None:
    report = run(tmp_path, file(filepath="$DLG_NO_SUCH/x.txt"))
    assert "$DLG_NO_SUCH is not set" in report.errors[0].exception or (
        "DLG_NO_SUCH" in report.errors[0].exception
    )


def test_a_file_that_must_exist_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InvalidPath, match="drop f: the file .* does not exist"):
        FileDROP("f", filepath=str(tmp_path / "gone"), check_filepath_exists=True)
    there = tmp_path / "there"
    there.write_text("x")
    assert FileDROP("f", filepath=str(there), check_filepath_exists="1").exists()


def test_an_input_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "input.txt"
    path.write_text("precious")
    report = run(tmp_path, file(filepath=str(path)))
    assert (path.read_text(), report.drops["f"].size) == ("precious", 8)


def test_an_app_may_write_the_file_behind_the_drop(tmp_path: Path) -> None:
    bash = app("a", ["f"], "dlg.apps.bash.BashShellApp", command="printf abc > %o0")
    report = run(tmp_path, bash, file(filepath="out.txt"))
    assert report.status == "FINISHED", report.errors
    assert (report.drops["f"].size, report.result("f")) == (3, b"abc")


def test_path_and_url_are_encodings_that_say_where_the_data_is(tmp_path: Path) -> None:
    drop = FileDROP("f", filepath=str(tmp_path / "x"))
    drop.setCompleted()
    assert drop.load("path") == str(tmp_path / "x")
    assert drop.load("dataurl") == drop.dataURL
    assert drop.dataURL.startswith("file://")
    assert drop.dataURL.endswith(str(tmp_path / "x"))


def test_deleting_may_take_the_directory_with_it(tmp_path: Path) -> None:
    drop = FileDROP("f", filepath=str(tmp_path / "d" / "x"), delete_parent_directory=True)
    drop.setCompleted()
    drop.delete()
    assert not (tmp_path / "d").exists()


def test_files_are_kept_after_use_and_memory_is_not(tmp_path: Path) -> None:
    kept = file(filepath="kept.txt", consumers=["a"])
    released = file("g", filepath="gone.txt", consumers=["a"], persist=False, expireAfterUse=True)
    report = run(tmp_path, kept, released, app("a"))
    assert report.drops["f"].status is DROPStates.COMPLETED
    assert report.drops["g"].status is DROPStates.DELETED
    assert [p.name for p in report.session_dir.iterdir()] == ["kept.txt"]


def test_a_file_that_cannot_be_written_fails_the_drop_that_writes_it(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file, not a directory")
    hello = app("a", ["f"], "dlg.apps.hello.HelloWorldApp")
    report = run(tmp_path, hello, file(filepath=str(tmp_path / "blocked" / "x")))
    assert report.status == "FAILED"
    assert "blocked" in report.errors[0].exception


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("size", [1, 1 << 20], ids=["found out at the end", "at once"])
def test_a_full_disk_is_told_with_the_file(size: int) -> None:
    writer = FileIO("/dev/full")
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        _fill(writer, size)
    writer.close()


def _fill(writer: FileIO, size: int) -> None:
    writer.write(b"x" * size)
    writer.close()
