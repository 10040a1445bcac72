"""Levels by number and by name, and what they stand for."""

from __future__ import annotations

import pytest

from dlg.exceptions import UsageError
from dlg.reproducibility.levels import BASIC, SEVEN, Level, basic_levels, levels_kept, parse_level


@pytest.mark.parametrize("level", Level, ids=lambda level: level.name)
def test_a_level_is_known_by_its_number_as_number_or_text_and_by_its_name(level: Level) -> None:
    given = (level.value, str(level.value), level.name, level.name.lower(), level)
    assert {parse_level(value) for value in given} == {level}


def test_the_name_of_the_class_may_stand_before_that_of_the_level() -> None:
    assert parse_level("ReproducibilityFlags.REPLICATE_SCI") is Level.REPLICATE_SCI
    assert parse_level("replicate-sci") is Level.REPLICATE_SCI


@pytest.mark.parametrize("value", [3, "3", "again", "", None, 1.5, "1.5"])
def test_anything_else_is_refused_with_the_levels_that_there_are(value: object) -> None:
    with pytest.raises(UsageError, match=r"no level of reproducibility.*RERUN \(1\)"):
        parse_level(value)


def test_a_joint_level_stands_for_two_basic_ones() -> None:
    assert basic_levels(Level.REPLICATE_TOTAL) == (Level.REPEAT, Level.REPRODUCE)
    assert basic_levels(Level.RECOMPUTE) == (Level.RECOMPUTE,)
    assert basic_levels(Level.ALL) == BASIC
    assert basic_levels(Level.NOTHING) == ()
    assert basic_levels(Level.EXPERIMENTAL) == (Level.REPEAT,)


def test_data_are_kept_for_seven_levels_at_all_and_else_for_the_one() -> None:
    assert levels_kept(Level.ALL) == SEVEN
    assert levels_kept(Level.REPLICATE_COMP) == (Level.REPLICATE_COMP,)
