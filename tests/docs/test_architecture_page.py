"""The architecture page has a paragraph for every folder, and for none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("dlg", "dlg_engine", "dlg_translator")
PAGE = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
TERMS = [
    term
    for line in re.findall(r"^(`.*)\n: ", PAGE, re.M)
    for term in re.findall(r"`([^`]+)`", line)
]
FOLDERS = sorted(
    folder.parent.relative_to(ROOT).as_posix()
    for package in PACKAGES
    for folder in (ROOT / package).glob("*/__init__.py")
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_has_a_paragraph(folder: str) -> None:
    assert folder in TERMS


@pytest.mark.parametrize("term", TERMS)
def test_what_has_a_paragraph_is_there(term: str) -> None:
    assert (ROOT / term).exists()
