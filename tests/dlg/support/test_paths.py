"""Tests of dlg.support.paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlg.support import paths


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path))
    monkeypatch.setenv("DLG_CONFIG_DIR", str(tmp_path / "no-config"))
    monkeypatch.delenv("DLG_PATH", raising=False)
    return tmp_path


def test_the_root_comes_from_the_environment(root: Path) -> None:
    assert paths.getDlgDir() == str(root)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (paths.getDlgLogsDir, "logs"),
        (paths.getDlgPidDir, "pid"),
        (paths.getDlgWorkDir, "workspace"),
        (paths.getDlgPath, "code"),
    ],
)
def test_a_directory_hangs_on_the_root_and_is_made_on_demand(
    root: Path,
    function: object,
    name: str,
) -> None:
    assert callable(function)
    assert function() == str(root / name)
    assert not (root / name).exists()
    assert function(createIfMissing=True) == str(root / name)
    assert (root / name).is_dir()


def test_the_place_of_additional_code_can_be_set(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_PATH", str(root / "elsewhere"))
    assert paths.getDlgPath() == str(root / "elsewhere")


@pytest.mark.parametrize("key", ["DLG_ROOT", "$DLG_ROOT"])
def test_the_variable_of_the_root_always_has_a_value(root: Path, key: str) -> None:
    assert paths.getDlgVariable(key) == str(root)


@pytest.mark.usefixtures("root")
def test_a_variable_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLG_SOMETHING", "x")
    assert paths.getDlgVariable("$DLG_SOMETHING") == "x"


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("key", ["$DLG_UNSET_FOR_SURE", "$PATH", "PATH"])
def test_a_variable_that_is_unset_or_not_ours_stays_as_it_is(key: str) -> None:
    assert paths.getDlgVariable(key) == key


@pytest.mark.parametrize(
    ("path", "absolute"), [("/a", True), ("a", False), ("", False), (None, False)]
)
def test_isabs_takes_none(path: str | None, absolute: bool) -> None:
    assert paths.isabs(path) is absolute


def test_a_directory_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    paths.createDirIfMissing(tmp_path)
    paths.createDirIfMissing(tmp_path / "a" / "b")
    assert (tmp_path / "file").exists()
    assert (tmp_path / "a" / "b").is_dir()
