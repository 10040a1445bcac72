"""Tests of dlg.support.sql."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from dlg.support.sql import STYLES, StatementError, prepare_sql


@pytest.mark.parametrize(
    ("style", "statement", "values"),
    [
        ("qmark", "a = ? and b = ?", [1, 2]),
        ("format", "a = %s and b = %s", [1, 2]),
        ("numeric", "a = :1 and b = :2", [1, 2]),
        ("named", "a = :p0 and b = :p1", {"p0": 1, "p1": 2}),
        ("pyformat", "a = %(p0)s and b = %(p1)s", {"p0": 1, "p1": 2}),
    ],
)
@pytest.mark.parametrize("sql", ["a = {} and b = {}", "a = {0} and b = {1}"])
def test_a_statement_is_written_as_the_driver_wants_it(
    sql: str, style: str, statement: str, values: Any
) -> None:
    assert prepare_sql(sql, style, (1, 2)) == (statement, values)


@pytest.mark.parametrize(
    ("style", "statement", "values"),
    [
        ("qmark", "? ? ?", ["b", "a", "b"]),
        ("numeric", ":2 :1 :2", ["a", "b"]),
        ("named", ":p1 :p0 :p1", {"p0": "a", "p1": "b"}),
    ],
)
def test_values_may_be_used_in_any_order_and_again(
    style: str, statement: str, values: Any
) -> None:
    assert prepare_sql("{1} {0} {1}", style, ["a", "b"]) == (statement, values)


def test_a_percent_sign_is_doubled_where_the_style_needs_it() -> None:
    assert prepare_sql("a like '50%' and b = {}", "qmark", [1])[0] == "a like '50%' and b = ?"
    assert prepare_sql("a like '50%' and b = {}", "format", [1])[0] == "a like '50%%' and b = %s"


def test_doubled_braces_are_braces() -> None:
    assert prepare_sql("'{{}}' = {}", "qmark", [1])[0] == "'{}' = ?"


def test_a_statement_without_values_is_left_alone() -> None:
    assert prepare_sql("select 1", "qmark") == ("select 1", [])


@pytest.mark.parametrize("style", [style for style in STYLES if "format" not in style])
def test_a_real_driver_understands_it(style: str) -> None:
    with sqlite3.connect(":memory:") as connection:
        sql, values = prepare_sql("select {} || '-' || {}", style, ["a'", '"b'])
        if style == "numeric":  # this driver counts its numbers as names
            values = {str(i + 1): value for i, value in enumerate(values)}
        assert connection.execute(sql, values).fetchone() == ("a'-\"b",)
    connection.close()


@pytest.mark.parametrize(
    ("sql", "style", "data"),
    [
        ("{}", "roman", [1]),
        ("{} {}", "qmark", [1]),
        ("{}", "qmark", [1, 2]),
        ("{5}", "qmark", [1]),
        ("{name}", "qmark", [1]),
        ("{0.__class__}", "qmark", [1]),
        ("{!r}", "qmark", [1]),
        ("{:>10}", "qmark", [1]),
        ("{", "qmark", []),
    ],
)
def test_what_does_not_fit_together_is_refused(sql: str, style: str, data: list[int]) -> None:
    with pytest.raises(StatementError):
        prepare_sql(sql, style, data)
