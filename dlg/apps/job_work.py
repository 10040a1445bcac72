"""What doing a task of a job consists of, whoever has it done: an app of a graph, or a worker.

Settings are evaluated with what others have told, what a task tells is kept as plain values, and
what it has made is judged, each product by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlg.exceptions import RunError
from dlg.jobs.errors import RepeatLimitError
from dlg.jobs.expressions import Surroundings, evaluate

Late = Sequence[tuple[Sequence[str | int], str]]


class TaskResultError(RunError):
    """A task did not make what it was to make, or told what cannot be kept."""


def settled(
    settings: Mapping[str, Any] | None, late: Late | None, around: Surroundings, key: str
) -> dict[str, Any]:
    """Return settings of which some need results; `late` are pairs of a path and an expression."""
    found: dict[str, Any] = json.loads(json.dumps(settings or {}))
    for path, expression in late or ():
        owner: Any = found
        for step in path[:-1]:
            owner = owner[step]
        owner[path[-1]] = evaluate(expression, around, f"{key}:{list(path)}")
    return found


def plain_results(told: Any, key: str) -> dict[str, Any]:
    """Return what a task has told as plain values; raise TaskResultError if that cannot be."""
    if told is None:
        return {}
    if not isinstance(told, Mapping) or not all(isinstance(name, str) for name in told):
        kind = type(told).__name__
        raise TaskResultError(f"{key}: a task returns a mapping or nothing, not {kind}")
    try:
        found: dict[str, Any] = json.loads(json.dumps(told, default=_plain, allow_nan=True))
    except (TypeError, ValueError) as error:
        raise TaskResultError(f"{key}: its results cannot be kept: {error}") from error
    return found


def need_outputs(outputs: Mapping[str, Path], key: str) -> None:
    """Raise TaskResultError unless a task has made all that it was to make."""
    for name, path in outputs.items():
        if not path.is_file():
            raise TaskResultError(f"{key}: the task did not make its output {name!r}")


def refused(
    criterion: Any, outputs: Iterable[str], around: Surroundings, key: str
) -> dict[str, Any]:
    """Return the outputs that do not pass quality control, each with its criterion.

    A criterion is for all, or there is one for some of them; `around` has the results as metadata.
    A task without outputs is refused as the output "".
    """
    if criterion is None:
        return {}
    if isinstance(criterion, Mapping):
        return {
            name: each for name, each in criterion.items()
            if not evaluate(each, around, f"{key}:qc:{name}")
        }  # fmt: skip
    if evaluate(criterion, around, f"{key}:qc"):
        return {}
    return dict.fromkeys(list(outputs) or [""], criterion)


def refusal(bad: Mapping[str, Any], outputs: Iterable[str], key: str) -> str:
    """Return in words what did not pass quality control."""
    criteria = "; ".join(str(each) for each in dict.fromkeys(bad.values()))
    which = "" if set(outputs) <= bad.keys() else f" for {', '.join(sorted(bad))}"
    return f"{key}: quality control failed{which}: {criteria}"


def decided(criterion: Any, limit: int, around: Surroundings, key: str) -> bool:
    """Return a decision; raise RepeatLimitError if a loop would go on after its last iteration."""
    taken = bool(evaluate(criterion, around, key))
    if taken and limit:
        reason = f"{key}: after {limit} iterations it would still go on"
        raise RepeatLimitError(f"{reason}; max_iterations can be raised")
    return taken


def _plain(value: Any) -> Any:
    """Return a value of numpy as one of Python."""
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no plain value")
