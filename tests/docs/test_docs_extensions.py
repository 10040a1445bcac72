"""Tests of the extensions in docs/_ext that make pages from the code."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from dlg.states import app_drop, data_drop
from dlg_engine.sessions import states as session

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"


@pytest.fixture(autouse=True)
def _extensions_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXTENSIONS))


@pytest.mark.parametrize("module", [data_drop, app_drop, session], ids=lambda m: m.__name__)
def test_a_picture_shows_every_state_and_event_of_its_table(module: ModuleType) -> None:
    drawn = ET.fromstring(importlib.import_module("state_picture").picture(module.TABLE))
    shown = " ".join(text for text in drawn.itertext() if text.strip())
    for (state, event), after in module.TABLE.items():
        assert {state.name, after.name} <= set(shown.split())
        assert event in shown


def test_a_page_of_states_says_what_each_event_does() -> None:
    page = importlib.import_module("state_pages").page("session", "Sessions", session)
    assert "| in | add | cancel | deploy | start | fail | finish |" in page
    assert (
        "| **PRISTINE** | BUILDING | CANCELLED | refused | refused | refused | refused |" in page
    )


@pytest.mark.parametrize(
    ("docstring", "rst"),
    [
        ("takes `*args` and a*b", ["takes ``*args`` and a\\*b"]),
        ("a trailing_ name", ["a trailing\\_ name"]),
        ("* an item with `code`s", ["* an item with ``code``\\ s"]),
        ("For instance:\n\n    x = *y\n\nand so on", None),
        ("For instance::\n\n    x = *y\n\nand so on", None),
    ],
)
def test_plain_docstrings_become_what_sphinx_reads(docstring: str, rst: list[str] | None) -> None:
    made = importlib.import_module("docstrings").to_rst(docstring.split("\n"))
    assert made == (rst or ["For instance:", "", "::", "", "    x = *y", "", "and so on"])


def test_code_that_is_broken_over_two_lines_is_joined() -> None:
    made = importlib.import_module("docstrings").to_rst(["see `a", "b` there"])
    assert made == ["see ``a b`` there"]
