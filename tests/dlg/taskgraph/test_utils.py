"""Dates and durations as text."""

from __future__ import annotations

import datetime
import time

import pytest

from dlg.support import clock
from dlg.taskgraph import utils


def test_a_date_has_milliseconds_and_a_z() -> None:
    date = datetime.datetime(2018, 7, 31, 12, 15, 3, 749999)  # noqa: DTZ001  as the interface has it
    assert utils.strdate(date=date) == "2018-07-31T12:15:03.749Z"


def test_a_date_of_another_zone_is_told_in_utc() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=2))
    date = datetime.datetime(2018, 7, 31, 12, 15, 3, tzinfo=zone)
    assert utils.strdate(date) == "2018-07-31T10:15:03.000Z"


def test_without_a_date_it_is_now() -> None:
    with clock.replaced(clock.ManualClock(1_000_000_000.5)):
        assert utils.strdate() == "2001-09-09T01:46:40.500Z"


@pytest.mark.parametrize("wrong", ["2018", 5.0])
def test_what_is_no_date_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="Wrong type"):
        utils.strdate(wrong)  # type: ignore[arg-type]


def test_a_time_of_day_is_told_from_its_parts_or_from_seconds() -> None:
    assert utils.strgmtime(time.gmtime(10.5)) == "00:00:10"
    assert utils.strgmtime(90061.0) == "01:01:01"


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="Wrong type str. Required time.struct_time"):
        utils.strgmtime("10")  # type: ignore[arg-type]


def test_a_duration_of_more_than_a_day_is_told_in_hours() -> None:
    assert utils.strduration(90061.9) == "25:01:01"


@pytest.mark.parametrize("timestamp", [0.0, 1.5, 1_000_000_000.25, -0.5])
def test_seconds_since_1970_are_a_date_as_well(timestamp: float) -> None:
    date = datetime.datetime.fromtimestamp(timestamp, datetime.UTC)
    assert utils.date_of(timestamp) == utils.strdate(date)
