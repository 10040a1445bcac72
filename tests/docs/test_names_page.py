"""The page of public names says where each of them really is, and forgets none."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/reference/names.md"
ROW = re.compile(r"^\| (?:`(?P<module>dlg[\w.]*)`)? *\| (?P<what>.*) \|$", re.M)
UNLISTED = {
    "dlg.runtime": {"Delayed"},  # what a call gives; nobody makes one by its class
}


def _rows() -> Iterator[tuple[str, str]]:
    """Yield each module on the page with each name it is said to have."""
    module = ""
    for row in ROW.finditer(PAGE.read_text()):
        module = row["module"] or module
        for name in re.findall(r"`(\w+)`", row["what"]):
            yield module, name


NAMES = list(_rows())


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_name_on_the_page_can_be_imported_from_there(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize("module", sorted({module for module, _ in NAMES} - {"dlg.utils"}))
def test_every_public_name_of_a_door_is_on_the_page(module: str) -> None:
    public = set(getattr(importlib.import_module(module), "__all__", ()))
    listed = {name for where, name in NAMES if where == module}
    assert public - UNLISTED.get(module, set()) <= listed
