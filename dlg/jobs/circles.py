"""Whether the steps of a plan need each other in a circle."""

from __future__ import annotations

from collections import deque

from dlg.jobs.plan import Plan, Region


def find_circle(plan: Plan) -> list[int]:
    """Return the numbers of steps each of which needs the next, and the last the first.

    Empty if there is none. A region is one node that needs all its steps, so that many who wait
    for many cost no more than their sum.
    """
    needs = _needs(plan)
    count = len(needs)
    waiting = [len(one) for one in needs]
    followers: list[list[int]] = [[] for _ in range(count)]
    for node, before in enumerate(needs):
        for one in before:
            followers[one].append(node)
    ready = deque(node for node in range(count) if not waiting[node])
    left = count
    while ready:
        left -= 1
        for node in followers[ready.popleft()]:
            waiting[node] -= 1
            if not waiting[node]:
                ready.append(node)
    return _one_of(needs, waiting, len(plan.steps)) if left else []


def _needs(plan: Plan) -> list[list[int]]:
    steps = len(plan.steps)
    regions: dict[Region, int] = {}
    found: list[list[int]] = []
    for step in plan.steps:
        mine: list[int] = []
        for one in plan.needed(step):
            if isinstance(one, Region):
                mine.append(regions.setdefault(one, steps + len(regions)))
            else:
                mine.append(one)
        found.append(mine)
    return found + [list(range(region.start, region.end)) for region in regions]


def _one_of(needs: list[list[int]], waiting: list[int], steps: int) -> list[int]:
    """Return one circle among the nodes that still wait; only steps, not regions."""
    node = next(number for number, count in enumerate(waiting) if count)
    place: dict[int, int] = {}
    path: list[int] = []
    while node not in place:
        place[node] = len(path)
        path.append(node)
        node = next(one for one in needs[node] if waiting[one])
    return [one for one in path[place[node] :] if one < steps]
