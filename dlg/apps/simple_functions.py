"""Small functions that graphs name in `func_name`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def readLines(filename: str) -> list[str]:  # noqa: N802  the name is used in graphs
    """Return the lines of a text file, without their ends."""
    return Path(filename).read_text().splitlines()


def createRange(start: int = 0, stop: int = 10, step: int = 1) -> list[int]:  # noqa: N802
    """Return the numbers from `start` to below `stop`."""
    return list(range(int(start), int(stop), int(step)))


def createMultiOut(*values: Any, **named: Any) -> tuple[Any, ...]:  # noqa: N802
    """Return the values given, one for each of as many outputs; three numbers for none."""
    return (*values, *named.values()) or (1, 2, 3)


def getMax(*values: Any, **named: Any) -> Any:  # noqa: N802
    """Return the largest of the values given, or of the one sequence given."""
    given = (*values, *named.values())
    return max(*given) if len(given) == 1 else max(given)


def string2json(string: str) -> Any:
    """Return what a text in JSON stands for."""
    return json.loads(string)
