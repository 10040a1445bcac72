from __future__ import annotations

import pickle
import sys
import traceback
from pathlib import Path

import pytest

from dlg.beat.loader import load_module, run


class RefusedError(Exception):
    pass


class Halves:
    def of(self, number: int) -> float:
        return 1 / number


def written(path: Path, code: str) -> str:
    path.write_text(code)
    return str(path)


def test_libraries_are_globals_of_what_uses_them(tmp_path: Path) -> None:
    base = {"path": written(tmp_path / "base.py", "two = 2\n"), "uses": {}}
    tools = {
        "path": written(tmp_path / "tools.py", "four = base.two * 2\n"),
        "uses": {"base": base},
    }
    code = written(tmp_path / "code.py", "eight = tools.four * 2\n")
    assert load_module("user_code_1", code, {"tools": tools}).eight == 8


def test_a_library_used_by_two_is_one_module(tmp_path: Path) -> None:
    base = {"path": written(tmp_path / "base.py", "made = []\n"), "uses": {}}
    tools = {"path": written(tmp_path / "tools.py", ""), "uses": {"base": base}}
    code = written(tmp_path / "code.py", "same = base.made is tools.base.made\n")
    assert load_module("user_same_1", code, {"base": base, "tools": tools}).same


def test_code_changed_within_the_same_second_is_run_anew(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    assert load_module("user_fresh_1", written(path, "x = 1\n"), {}).x == 1
    assert load_module("user_fresh_1", written(path, "x = 2\n"), {}).x == 2
    assert [one.name for one in tmp_path.iterdir()] == ["code.py"]


def test_objects_of_loaded_classes_can_be_pickled(tmp_path: Path) -> None:
    code = written(tmp_path / "code.py", "class Point: ...\n")
    point = load_module("user_pickled_1", code, {}).Point()
    assert type(pickle.loads(pickle.dumps(point))) is type(point)


def test_code_that_fails_leaves_no_module(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        load_module("user_failing_1", written(tmp_path / "code.py", "1 / 0\n"), {})
    assert "user_failing_1" not in sys.modules
    with pytest.raises(OSError, match=r"none\.py"):
        load_module("user_none_1", str(tmp_path / "none.py"), {})


def test_a_failure_is_raised_as_asked_for_with_the_traceback_of_the_code() -> None:
    with pytest.raises(RefusedError, match="division by zero") as caught:
        run(Halves(), "of", RefusedError, 0)
    assert "1 / number" in "".join(traceback.format_tb(caught.value.__traceback__))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_failure_is_raised_as_it_is_by_default() -> None:
    with pytest.raises(ZeroDivisionError):
        run(Halves(), "of", None, 0)
    assert run(Halves(), "of", None, number=4) == 0.25


def test_an_object_can_be_made() -> None:
    assert isinstance(run(Halves, "__new__"), Halves)
    with pytest.raises(RefusedError):
        run(Halves, "__new__", RefusedError, 3)


def test_a_method_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(RefusedError, match="nothing"):
        run(Halves(), "nothing", RefusedError)
