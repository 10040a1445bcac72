"""Tests of dlg.support.symbols."""

from __future__ import annotations

import logging
import os.path
from pathlib import Path

import pytest

from dlg.support.symbols import UnknownSymbolError, get_symbol, timed_import


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("os", os),
        ("os.path.join", os.path.join),
        ("pathlib.Path.home", Path.home),
        ("xml.sax.handler.feature_validation", "http://xml.org/sax/features/validation"),
    ],
)
def test_modules_functions_and_what_is_in_classes_are_found(name: str, thing: object) -> None:
    assert get_symbol(name) == thing


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no_such_module_at_all.x", "no module 'no_such_module_at_all'"),
        ("os.path.nothing", "nothing"),
        ("json.nothing", "json has no 'nothing'$"),
        ("json.dmps", r"json has no 'dmps'; did you mean 'dumps'\?"),
        ("json.decoder.JSONDecodr.x", r"did you mean 'JSONDecode"),
        ("pathlib.Path.nothing.more", "nothing"),
        ("", "not a dotted name"),
        ("os..path", "not a dotted name"),
        ("os.system('ls')", "not a dotted name"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(UnknownSymbolError, match=why):
        get_symbol(name)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("1 / 0\n", "ZeroDivisionError"),
        ("import no_such_module_at_all\n", "no_such_module"),
        ("x = 1\ndef f(:\n", r"SyntaxError: invalid syntax \(.*\.py, line 2\)$"),
    ],
)
def test_a_module_that_fails_while_it_is_imported_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, why: str
) -> None:
    name = f"broken_{len(source)}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UnknownSymbolError, match=f"importing {name} failed.*{why}"):
        get_symbol(f"{name}.thing")


def test_a_timed_import_logs_the_time(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "dlg.support.symbols"):
        assert timed_import("json").__name__ == "json"
    assert caplog.messages[0].startswith("imported json in 0.")
