"""Walking a graph given as lists of rows: orders, cycles, levels. Pure, and never recursive."""

from __future__ import annotations

from collections.abc import Container, Sequence

Rows = Sequence[Sequence[int]]


def rows_on_cycles(after: Rows, before: Rows) -> list[int]:
    """Return the rows that a walk from the roots never reaches; empty if there is no cycle.

    These are the rows on cycles and everything that follows from one.
    """
    waiting = [len(rows) for rows in before]
    stack = [row for row, left in enumerate(waiting) if not left]
    reached = 0
    while stack:
        row = stack.pop()
        reached += 1
        for target in after[row]:
            waiting[target] -= 1
            if not waiting[target]:
                stack.append(target)
    if reached == len(waiting):
        return []
    return [row for row, left in enumerate(waiting) if left]


def cycles(after: Rows, before: Rows, limit: int = 20) -> list[list[int]]:
    """Return up to `limit` cycles that share no row, each as its rows in order."""
    stuck = dict.fromkeys(rows_on_cycles(after, before), 0)
    for row in stuck:
        stuck[row] = sum(1 for p in before[row] if p in stuck)
    found: list[list[int]] = []
    while stuck and len(found) < limit:
        cycle = _walk_back(next(iter(stuck)), before, stuck)
        found.append(cycle)
        _take_out(cycle, after, stuck)
    return found


def _walk_back(row: int, before: Rows, inside: Container[int]) -> list[int]:
    """Return the cycle met by going back from `row` in `inside`, where each has a predecessor."""
    place: dict[int, int] = {}
    path: list[int] = []
    while row not in place:
        place[row] = len(path)
        path.append(row)
        row = next(p for p in before[row] if p in inside)
    return path[place[row] :][::-1]


def _take_out(rows: list[int], after: Rows, stuck: dict[int, int]) -> None:
    """Take `rows` out of `stuck`, and with them all that no row of it leads to any more."""
    for row in rows:
        del stuck[row]
    queue = list(rows)
    for row in queue:  # grows while it is walked
        for target in after[row]:
            if target in stuck:
                stuck[target] -= 1
                if not stuck[target]:
                    del stuck[target]
                    queue.append(target)


def topological_order(after: Rows, before: Rows) -> list[int]:
    """Return the rows so that each comes after all that lead to it, without those on cycles."""
    waiting = [len(rows) for rows in before]
    order = [row for row, left in enumerate(waiting) if not left]
    for row in order:  # grows while it is walked
        for target in after[row]:
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    return order


def levels(after: Rows, before: Rows) -> list[int]:
    """Return for each row the length of the longest path that leads to it; 0 for roots."""
    level = [0] * len(before)
    for row in topological_order(after, before):
        below = level[row] + 1
        for target in after[row]:
            level[target] = max(level[target], below)
    return level
