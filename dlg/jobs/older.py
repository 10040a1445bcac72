"""The older form of jobs: iterations of a task list over all combinations of values.

In the texts of the tasks `${name}` and `${index}` stand for the values of a combination and its
number, of six digits; a text that is nothing but `${name}` becomes the value itself. The tasks of
a combination run one after the other, as they always did.
"""

from __future__ import annotations

import itertools
import math
import string
from collections.abc import Mapping, Sequence
from typing import Any

from dlg.jobs.errors import JobError
from dlg.jobs.expressions import Surroundings
from dlg.jobs.ranges import RANGES, values_of

MAX_COMBINATIONS = 1_000_000
_KEYS = ("name", *RANGES)


def unfolded(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the job in today's form; raise `JobError` if that cannot be done."""
    if document.get("nested_tasks"):
        raise JobError("nested_tasks are not read: put the tasks into task_list")
    tasks = document.get("task_list")
    if not isinstance(tasks, list):
        raise JobError("the list of tasks is missing")
    axes = _axes(document.get("iterations"))
    if math.prod(len(values) for _, values in axes) * max(1, len(tasks)) > MAX_COMBINATIONS:
        raise JobError(f"these are more than {MAX_COMBINATIONS} tasks")
    names = [name for name, _ in axes]
    chains = []
    for number, values in enumerate(itertools.product(*(values for _, values in axes))):
        given = dict(zip(names, values, strict=True))
        given["index"] = f"{number:06d}"
        chains.append(
            {
                "task": "execution_chain", "name": given["index"], "in_order": True,
                "metadata": {**given, "index": number}, "task_list": _filled(tasks, given),
            }
        )  # fmt: skip
    left_out = ("iterations", "task_list", "nested_tasks")
    kept = {key: value for key, value in document.items() if key not in left_out}
    return {**kept, "task_list": chains}


def _axes(iterations: Any) -> list[tuple[str, Sequence[Any]]]:
    if not isinstance(iterations, list):
        raise JobError("a list of iterations is expected")
    found: list[tuple[str, Sequence[Any]]] = []
    for place, one in enumerate(iterations):
        where = f"iteration {place}"
        if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
            raise JobError(f"{where}: an object with a name is expected")
        kinds = [key for key in RANGES if key in one]
        if len(kinds) != 1 or not set(one) <= set(_KEYS):
            raise JobError(f"{where}: one of {', '.join(RANGES)} is expected, and a name")
        name = one["name"]
        if not name.isidentifier() or name == "index" or name in (known for known, _ in found):
            raise JobError(f"{where}: {name!r} is no name, or is taken")
        found.append((name, values_of(kinds[0], one[kinds[0]], Surroundings(), where)))
    return found


def _filled(value: Any, given: Mapping[str, Any]) -> Any:
    """Return a value of the task list with what stands for the placeholders in its texts."""
    if isinstance(value, Mapping):
        return {_text(key, given): _filled(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, given) for item in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    if value.startswith("${") and value.endswith("}") and value[2:-1] in given:
        return given[value[2:-1]]
    return _text(value, given)


def _text(value: str, given: Mapping[str, Any]) -> str:
    if "$" not in value:
        return value
    try:
        return string.Template(value).substitute(given)
    except (KeyError, ValueError) as error:
        raise JobError(f"{value!r}: there is no value for {error}") from error
