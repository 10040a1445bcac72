"""How much two runs are asked to have in common.

Four levels are basic; three join two of them. The numbers are those of graph files.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from dlg.exceptions import UsageError


class Level(IntEnum):
    """What of a run is to be the same as of another."""

    ALL = -1
    """No level of its own: data for each of the seven below are kept."""
    NOTHING = 0
    RERUN = 1
    """The same logical graph, and drops that ended in the same way."""
    REPEAT = 2
    """... with the same parameters."""
    RECOMPUTE = 4
    """... computed in the same way, to the last detail."""
    REPRODUCE = 5
    """The same results, however they came about."""
    REPLICATE_SCI = 6
    REPLICATE_COMP = 7
    REPLICATE_TOTAL = 8
    EXPERIMENTAL = 9
    """Kept for files that name it; like REPEAT before the run."""


PARTS: Mapping[Level, tuple[Level, ...]] = {
    Level.REPLICATE_SCI: (Level.RERUN, Level.REPRODUCE),
    Level.REPLICATE_COMP: (Level.RECOMPUTE, Level.REPRODUCE),
    Level.REPLICATE_TOTAL: (Level.REPEAT, Level.REPRODUCE),
}
"""The basic levels that a joint level asks for together."""

BASIC = (Level.RERUN, Level.REPEAT, Level.RECOMPUTE, Level.REPRODUCE)
SEVEN = (*BASIC, *PARTS)
"""All levels at which runs can be compared, by their numbers."""


def parse_level(value: object) -> Level:
    """Return the level that a number, a number as text or a name stands for.

    Names are taken in any case, with dashes or underscores. Raises `UsageError` for all else.
    """
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        value = int(value)  # so that members and 1.0 are read as their numbers
    text = str(value).strip()
    try:
        return Level(int(text))
    except ValueError:
        pass
    name = text.rpartition(".")[2].upper().replace("-", "_")
    if name in Level.__members__:
        return Level[name]
    known = ", ".join(f"{level.name} ({level.value})" for level in Level)
    raise UsageError(f"{value!r} is no level of reproducibility; they are: {known}")


def levels_kept(level: Level) -> tuple[Level, ...]:
    """Return the levels for which data are kept under `level`."""
    return SEVEN if level is Level.ALL else (level,)


def basic_levels(level: Level) -> tuple[Level, ...]:
    """Return the basic levels that `level` stands for: none for NOTHING, all four for ALL."""
    if level is Level.ALL:
        return BASIC
    if level is Level.NOTHING:
        return ()
    if level is Level.EXPERIMENTAL:
        return (Level.REPEAT,)
    return PARTS.get(level, (level,))
