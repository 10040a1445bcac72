"""What expressions can say."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.jobs.errors import ExpressionError
from dlg.jobs.expressions import Surroundings, evaluate, evaluate_in_structure, is_expression
from dlg.jobs.language import parse

METADATA = {"size": 2, "size_index": 0, "name": "b", "many": [1, 2, 3], "deep": {"x": {"y": 5}}}
AROUND = Surroundings(METADATA, {"star": {"period": 4.5}}, "seed")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(1 + 2 * 3 ** 2 // 4 % 5 - -1)", 1 + 2 * 3**2 // 4 % 5 - -1),
        ("(metadata['size'] / 4)", 0.5),
        ("(requested_metadata['star']['period'] > 4 and metadata['name'] == 'b')", True),
        ("(1 < 2 < 3 != 4)", True),
        ("(2 in metadata['many'] and 5 not in metadata['many'])", True),
        ("(constants['year'] - constants.month)", 337.25),
        ("(math.sqrt(16) + sin(0) + abs(-2))", 6.0),
        ("(pi + constants.pi)", 2 * math.pi),
        ("'lc_{size_index:03d}.gz'.format(**metadata)", "lc_000.gz"),
        ("'{}-{:.2f}-{n}'.format(1, 2, n='x')", "1-2.00-x"),
        ("'{deep[x][y]} {many[1]}'.format(**metadata)", "5 2"),
        ("'{{{}}} {!s:>3}'.format(1, 'a')", "{1}   a"),
        ("([i * j for i in range(3) if i for j in metadata['many']])", [1, 2, 3, 2, 4, 6]),
        ("({k: v for k, v in [['a', 1], ['b', 2]]})", {"a": 1, "b": 2}),
        ("(sum(e for e in metadata['many']) if metadata['size'] else 0)", 6),
        ("(metadata['many'][-1] + metadata['many'][0:2][1])", 5),
        ("(sorted([3, 1, 2])[::-1])", [3, 2, 1]),
        ("(max(metadata['many']), min(4, 2), round(2.567, 1), len('abc'))", (3, 2, 2.6, 3)),
        ("(list(zip([1, 2], 'ab')))", [(1, "a"), (2, "b")]),
        ("(dict(a=1)['a'] or 5)", 1),
        ("(not None is None)", False),
        ('  "it\'s"  ', "it's"),
        ("('a'\n 'b')", "ab"),
    ],
)
def test_an_expression_has_its_value(text: str, value: Any) -> None:
    assert evaluate(text, AROUND) == value


@pytest.mark.parametrize("value", ["plain", 5, 2.5, None, True, [1]])
def test_what_begins_otherwise_is_literal(value: Any) -> None:
    assert not is_expression(value)
    assert evaluate(value, AROUND) == value


def test_texts_lose_the_blanks_around_them() -> None:
    assert evaluate("  a text  ", AROUND) == "a text"


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("(1 + metadata['nothing'])", 5, "there is no 'nothing', only deep, many"),
        ("(2 * open('x'))", 5, "no function 'open'"),
        ("(metadata.size)", 1, "attributes are not possible"),
        ("(1 + + )", 7, "cannot be read"),
        ("(1 / 0)", 1, "division by zero"),
        ("(size)", 1, r"metadata\['size'\]\?"),
    ],
)
def test_an_error_says_where_in_the_expression_and_why(text: str, place: int, word: str) -> None:
    with pytest.raises(ExpressionError, match=word) as caught:
        evaluate(text, AROUND)
    assert caught.value.column == place
    assert f"at character {place + 1}" in str(caught.value)


def test_a_long_expression_is_shown_around_the_error() -> None:
    text = "(" + "1 + " * 30 + "nothing" + " + 1" * 10 + ")"
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, AROUND)
    assert "nothing" in str(caught.value).split(":")[0]


def test_random_numbers_are_those_of_the_seed_the_place_and_the_expression() -> None:
    text = "(random.random())"
    first = evaluate(text, AROUND, "a")
    assert evaluate(text, AROUND, "a") == first
    assert evaluate(text, AROUND, "b") != first
    assert evaluate(text, Surroundings(seed="other"), "a") != first
    assert evaluate("(random.uniform(0, 1))", AROUND, "a") != first


@pytest.mark.parametrize("name", ["random", "gauss", "choice", "randint", "uniform"])
def test_random_functions_stay_in_their_ranges(name: str) -> None:
    given = {"choice": "[1, 2]", "randint": "1, 2", "uniform": "1, 2"}.get(name, "")
    found = evaluate(f"([random.{name}({given}) for i in range(50)])", AROUND)
    assert len(set(found)) > 1
    if given:
        assert all(1 <= one <= 2 for one in found)


def test_structures_are_evaluated_through_and_through() -> None:
    found = evaluate_in_structure(
        {"'{name}'.format(**metadata)": ("(1 + 1)", {"x": ["(2)", " a "]}), "n": 1}, AROUND
    )
    assert found == {"b": [2, {"x": [2, "a"]}], "n": 1}


@pytest.mark.parametrize(
    "key", ["task_list", "else_task_list", "repeat_criterion", "qc_criterion"]
)
def test_what_is_evaluated_later_stays_as_it_is(key: str) -> None:
    assert evaluate_in_structure({"a": {key: ["(1 + 1)"]}}, AROUND) == {"a": {key: ["(1 + 1)"]}}


def test_values_are_not_evaluated_again() -> None:
    assert evaluate("'(1 + 1)'", AROUND) == "(1 + 1)"


def test_metadata_cannot_be_changed_by_an_expression() -> None:
    before = {"many": [1, 2]}
    evaluate("(metadata['many'] + [3])", Surroundings(before))
    assert before == {"many": [1, 2]}


def test_expressions_that_need_results_are_known() -> None:
    assert parse("(requested_metadata['a'])").late
    assert not parse("(metadata['requested_metadata'])").late


@given(st.integers(-(10**6), 10**6), st.integers(1, 1000), st.floats(-1e6, 1e6))
def test_arithmetic_is_that_of_python(a: int, b: int, c: float) -> None:
    around = Surroundings({"a": a, "b": b, "c": c})
    text = "(metadata['a'] * metadata['b'] - metadata['c'] / metadata['b'], "
    text += "metadata['a'] // metadata['b'], metadata['a'] % metadata['b'], metadata['a'] < 5)"
    assert evaluate(text, around) == (a * b - c / b, a // b, a % b, a < 5)


@given(st.text(max_size=30).filter(lambda text: text.isprintable()))
def test_texts_come_through_as_they_are(text: str) -> None:
    assert evaluate(repr(text), AROUND) == text
    assert evaluate("'{x}'.format(**metadata)", Surroundings({"x": text})) == text
