"""The examples in the docstrings of the package."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["", ".graph", ".manager", ".utils"])
def test_the_examples_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"dlg.taskgraph{name}"))
    assert (found.attempted > 0, found.failed) == (True, 0)
