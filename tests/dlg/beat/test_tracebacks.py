"""Errors are shown with the lines of the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlg.beat import loader
from dlg.beat.baseformat import make_type
from dlg.beat.tracebacks import is_of_user, of_user


def raised(folder: Path, body: str) -> Exception:
    """Return the error of a user's function, which is called by ours."""
    (folder / "algorithms").mkdir(exist_ok=True)
    file = folder / "algorithms" / "code.py"
    file.write_text("class Algorithm:\n    def process(self):\n" + body)
    module: Any = loader.load_module("code_of_user", str(file), {})
    with pytest.raises(Exception) as found:  # noqa: PT011  whatever it is
        loader.run(module.Algorithm(), "process")
    return found.value


def test_the_lines_of_the_user_are_shown_and_paths_are_short(tmp_path: Path) -> None:
    error = raised(tmp_path, "        return 1 / 0\n")
    text = of_user(error, str(tmp_path))
    assert is_of_user(error)
    assert 'File "algorithms/code.py", line 3, in process' in text
    assert "return 1 / 0" in text
    assert text.endswith("ZeroDivisionError: division by zero")
    assert "loader.py" not in text


def test_a_cause_is_shown_unless_it_says_the_same(tmp_path: Path) -> None:
    body = (
        "        try:\n            {}['a']\n        except KeyError as e:\n            raise {}\n"
    )
    other = of_user(raised(tmp_path, body.replace("raise {}", "raise ValueError('b') from e")))
    assert "KeyError: 'a'" in other
    assert other.endswith("ValueError: b")
    same = of_user(raised(tmp_path, body.replace("raise {}", "raise RuntimeError(e) from e")))
    assert "KeyError" not in same
    hidden = of_user(raised(tmp_path, body.replace("raise {}", "raise ValueError('b') from None")))
    assert "KeyError: 'a'" not in hidden


def test_an_error_of_ours_is_none_of_the_users() -> None:
    kind = make_type("number", {"value": "int8"})
    try:
        kind().from_dict({"other": 1})
    except AttributeError as error:
        frames = error.__traceback__
        assert frames is not None
        inner = error.with_traceback(frames.tb_next)  # without this test
        assert not is_of_user(inner)
        assert "other" in of_user(inner)
