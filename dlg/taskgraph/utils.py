"""Dates and times as text, in the form that the results of task graphs have."""

from __future__ import annotations

import datetime
import functools
import math
import time

from dlg.support import clock


def strdate(date: datetime.datetime | None = None) -> str:
    """Return a date in UTC, by default the present one, as in `2018-07-31T12:15:03.749Z`.

    A date without a time zone is taken to be in UTC. Raises `ValueError` for anything else.

        >>> strdate(datetime.datetime(2018, 7, 31, 12, 15, 3, 749000))
        '2018-07-31T12:15:03.749Z'
    """
    if date is None:
        date = datetime.datetime.fromtimestamp(clock.now(), datetime.UTC)
    elif not isinstance(date, datetime.datetime):
        raise ValueError(f"Wrong type {type(date).__name__}. Required datetime.datetime")
    elif date.tzinfo is not None:
        date = date.astimezone(datetime.UTC)
    return f"{date.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def strgmtime(gmtime: time.struct_time | float) -> str:
    """Return a time of day, or a number of seconds, as in `00:01:12`; a day begins again.

        >>> strgmtime(time.gmtime(10.5))
        '00:00:10'

    Raises `ValueError` for anything else.
    """
    if isinstance(gmtime, int | float) and not isinstance(gmtime, bool):
        gmtime = time.gmtime(gmtime)
    if not isinstance(gmtime, time.struct_time):
        raise ValueError(f"Wrong type {type(gmtime).__name__}. Required time.struct_time.")  # noqa: TRY004  as the interface has it
    return time.strftime("%H:%M:%S", gmtime)


def strduration(seconds: float) -> str:
    """Return a duration as in `00:01:12`; of more than a day, the hours go on: `25:00:00`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest:02d}"


def date_of(timestamp: float) -> str:
    """Return the date that is so many seconds after 1970, as `strdate` does."""
    whole = math.floor(timestamp)
    return f"{_second(whole)}.{int((timestamp - whole) * 1000):03d}Z"


@functools.lru_cache(16)
def _second(whole: int) -> str:
    """Return a date without its fraction: many tasks begin and end in the same second."""
    return strdate(datetime.datetime.fromtimestamp(whole, datetime.UTC)).partition(".")[0]
