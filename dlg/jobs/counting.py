"""How many tasks a job comes to at least, as far as can be seen without evaluating anything."""

from __future__ import annotations

from dlg.jobs import model


def least_tasks(entry: model.Entry) -> int:
    """Return how many tasks there will be at least; loops over expressions count as none."""
    if isinstance(entry, model.Chain):
        return sum(map(least_tasks, entry.entries))
    if isinstance(entry, model.ForLoop):
        return _least_values(entry) * least_tasks(entry.body)
    if isinstance(entry, model.Conditional):
        return min(least_tasks(entry.then), least_tasks(entry.otherwise))
    if isinstance(entry, model.Repeat):
        return least_tasks(entry.body)
    return 1


def _least_values(loop: model.ForLoop) -> int:
    if not isinstance(loop.values, list):
        return 0
    if loop.kind == "values":
        return len(loop.values)
    count = loop.values[-1] if loop.values else 0
    return int(min(count, 1e9)) if isinstance(count, int | float) and count >= 0 else 0
