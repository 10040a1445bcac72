"""Tests of dlg.support.names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.support.names import escapeQuotes, fname_to_pipname


@pytest.mark.parametrize(
    ("fname", "name"),
    [
        ("/some/dir/pipe.graph", "pipe"),
        ("pipe.json", "pipe"),
        ("dir/pipe.graph.gz", "pipe"),
        ("pipe.v2.json", "pipe.v2"),
        ("pipe.txt", "pipe.txt"),
        ("pipe", "pipe"),
        (".json", ".json"),
    ],
)
def test_a_pipeline_is_called_as_its_file(fname: str, name: str) -> None:
    assert fname_to_pipname(fname) == name


@pytest.mark.parametrize(
    ("single", "double", "escaped"),
    [
        (True, True, r"say \"it\'s\""),
        (True, False, r'say "it\'s"'),
        (False, True, r"say \"it's\""),
        (False, False, 'say "it\'s"'),
    ],
)
def test_quotes_of_the_chosen_kinds_get_a_backslash(
    single: bool, double: bool, escaped: str
) -> None:
    assert escapeQuotes('say "it\'s"', singleQuotes=single, doubleQuotes=double) == escaped


@given(st.text())
def test_nothing_but_quotes_is_escaped(text: str) -> None:
    assert escapeQuotes(text).count("\\") == sum(text.count(c) for c in "\\'\"")
