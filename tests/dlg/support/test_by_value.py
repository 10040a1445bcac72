from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dlg.support import by_value
from dlg.support.by_value import PythonMismatchError, unpack

MODULE = """
from typing import NamedTuple
class Star(NamedTuple):
    name: str
def helper(name):
    return Star(name)
def find(name):
    return helper(name)
"""
OPEN = "import pickle, sys; print(pickle.load(sys.stdin.buffer)('Vega'))"


@pytest.fixture
def star_finder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "star_finder_of_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import star_finder_of_a_test  # type: ignore[import-not-found]

    yield star_finder_of_a_test
    del sys.modules["star_finder_of_a_test"]


def test_a_function_of_the_users_module_runs_where_the_module_is_not(
    star_finder: Any, tmp_path: Path
) -> None:
    packed = by_value.pack(star_finder.find, [tmp_path])
    elsewhere = subprocess.run(
        [sys.executable, "-c", OPEN], input=packed, capture_output=True, check=True, timeout=60
    )
    assert elsewhere.stdout.decode().strip() == "Star(name='Vega')"


def test_without_its_directory_a_function_travels_by_name(star_finder: Any) -> None:
    packed = by_value.pack(star_finder.find)
    elsewhere = subprocess.run(
        [sys.executable, "-c", OPEN], input=packed, capture_output=True, check=False, timeout=60
    )
    assert b"No module named 'star_finder_of_a_test'" in elsewhere.stderr


@pytest.mark.usefixtures("star_finder")
def test_only_modules_in_the_directory_and_nowhere_else_are_the_users(tmp_path: Path) -> None:
    assert by_value.is_of("star_finder_of_a_test.find", [tmp_path])
    assert not by_value.is_of("numpy.mean", [tmp_path])
    assert not by_value.is_of("dlg.apps", [Path(by_value.__file__).parents[2]])


def test_code_of_another_python_is_refused_by_name_of_both() -> None:
    with pytest.raises(PythonMismatchError, match=r"sent by Python 3\.1 and cannot run on 3\."):
        unpack((3, 1), b"")


def test_what_is_packed_is_itself_again() -> None:
    assert pickle.loads(by_value.pack([1, "two"])) == [1, "two"]
