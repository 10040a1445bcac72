"""Cutting a graph into parts that are run as a whole. Pure.

A part is what has to happen in one process: an app with the data it writes, all who write the
same data, a container with what is in it, those who read data while it is written. Parts in a
row, of which each has one successor and each of those one predecessor, are one part as well: to
hand such data over would cost more than to run the app. Where there are far more parts than
anybody can run at a time, some that begin at the same moment are one part, for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from dlg.graph.walk import cycles, rows_on_cycles, topological_order

Rows = Sequence[Sequence[int]]

LONGEST = 100
"""How many parts in a row become one at most: all of it is lost with the worker that runs it."""
MOST = 16
"""How many parts that begin at the same moment become one at most."""

GRADES = 8
"""How finely it is told how long the way is that a part lies on."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A graph in parts."""

    rows: list[list[int]]
    """The rows of each part, in their order."""
    part_of: list[int]
    """The part of each row; -1 for one that is in none."""
    after: list[list[int]]
    """The parts that wait for each part."""
    before: list[list[int]]
    """The parts for which each part waits."""


class _Groups:
    """Rows that belong together: a forest in which each row points to one of its group."""

    def __init__(self, count: int) -> None:
        self._up = list(range(count))

    def of(self, row: int) -> int:
        """Return the row that stands for the group of `row`."""
        up = self._up
        while up[row] != row:
            up[row] = up[up[row]]
            row = up[row]
        return row

    def join(self, one: int, other: int) -> None:
        """Let two rows belong together; the group of `one` stands for both."""
        self._up[self.of(other)] = self.of(one)


def cut(
    before: Rows,
    is_app: Sequence[bool],
    inside: Sequence[bool],
    streams: Iterable[tuple[int, int]] = (),
    alike: Callable[[int, int], bool] = lambda _one, _other: True,
    enough: int = 0,
) -> Cut:
    """Return the rows that are `inside` in parts.

    `streams` are pairs of data and the apps that read it while it is written; `alike` says of two
    rows whether their apps may be run one after the other in the same place. Of parts that begin
    at the same moment there remain at least `enough`, without which none of them are joined.
    """
    groups = _Groups(len(before))
    _join_inseparable(groups, before, is_app, inside)
    for data, app in streams:
        if inside[data] and inside[app]:
            groups.join(data, app)
    found = _gathered(groups, before, inside)
    while stuck := rows_on_cycles(found.after, found.before):
        for circle in cycles(found.after, found.before) or [stuck]:
            for part in circle[1:]:
                groups.join(found.rows[circle[0]][0], found.rows[part][0])
        found = _gathered(groups, before, inside)
    if _fuse(groups, found, alike):
        found = _gathered(groups, before, inside)
    if enough and _bundle(groups, found, alike, enough):
        found = _gathered(groups, before, inside)
    return found


def _join_inseparable(
    groups: _Groups, before: Rows, is_app: Sequence[bool], inside: Sequence[bool]
) -> None:
    """Join data with all who write it, and containers with what is in them."""
    for row, earlier in enumerate(before):
        if inside[row] and not is_app[row]:
            for producer in earlier:
                if inside[producer]:
                    groups.join(producer, row)


def _gathered(groups: _Groups, before: Rows, inside: Sequence[bool]) -> Cut:
    part_of = [-1] * len(before)
    rows: list[list[int]] = []
    numbers: dict[int, int] = {}
    for row, wanted in enumerate(inside):
        if not wanted:
            continue
        number = numbers.setdefault(groups.of(row), len(rows))
        if number == len(rows):
            rows.append([row])
        else:
            rows[number].append(row)
        part_of[row] = number
    earlier: list[dict[int, None]] = [{} for _ in rows]
    later: list[list[int]] = [[] for _ in rows]
    for row, number in enumerate(part_of):
        if number < 0:
            continue
        for source in before[row]:
            other = part_of[source]
            if other not in {-1, number} and other not in earlier[number]:
                earlier[number][other] = None
                later[other].append(number)
    return Cut(rows, part_of, later, [list(parts) for parts in earlier])


def _fuse(groups: _Groups, found: Cut, alike: Callable[[int, int], bool]) -> bool:
    """Join parts in a row; return whether there were any."""
    joined = False
    lengths = [1] * len(found.rows)
    for part in topological_order(found.after, found.before):
        later = found.after[part]
        if len(later) == 1 and len(found.before[later[0]]) == 1 and lengths[part] < LONGEST:
            one, other = found.rows[part][0], found.rows[later[0]][0]
            if alike(one, other):
                groups.join(one, other)
                lengths[later[0]] = lengths[part] + 1
                joined = True
    return joined


def _bundle(groups: _Groups, found: Cut, alike: Callable[[int, int], bool], enough: int) -> bool:
    """Join parts that wait for the same ones; return whether there were any.

    No cycle can come of it: such parts are equally far from the beginning.
    """
    beside: dict[tuple[int, ...], list[int]] = {}
    for part, earlier in enumerate(found.before):
        beside.setdefault(tuple(sorted(earlier)), []).append(part)
    joined = False
    for parts in beside.values():
        size = max(1, min(MOST, len(parts) // enough))
        for begin in range(0, len(parts), size):
            one = found.rows[parts[begin]][0]
            for part in parts[begin + 1 : begin + size]:
                if alike(one, found.rows[part][0]):
                    groups.join(one, found.rows[part][0])
                    joined = True
    return joined


def in_depth(found: Cut, chosen: Collection[int]) -> list[int]:
    """Return the `chosen` parts so that each comes after those it waits for.

    What a part makes possible comes next, and not when all of its kind are done: so little has
    to be kept at a time.
    """
    left = dict.fromkeys(sorted(chosen), 0)
    for part in left:
        left[part] = sum(earlier in left for earlier in found.before[part])
    stack = [part for part in left if not left[part]][::-1]
    order: list[int] = []
    while stack:
        part = stack.pop()
        order.append(part)
        for later in reversed(found.after[part]):
            if later in left:
                left[later] -= 1
                if not left[later]:
                    stack.append(later)
    return order


def urgency(found: Cut, weights: Sequence[float]) -> list[int]:
    """Return how urgent each part is: highest on the critical path, lower on shorter ways.

    It is the length of the longest way through the part, by `weights` of parts, in `GRADES`: all
    parts of one way are as urgent as each other, so that one who runs them may go into depth.
    """
    order = topological_order(found.after, found.before)
    until, onward = list(weights), list(weights)
    for part in order:
        until[part] += max((until[one] for one in found.before[part]), default=0.0)
    for part in reversed(order):
        onward[part] += max((onward[one] for one in found.after[part]), default=0.0)
    longest = max(onward, default=0.0)
    if longest <= 0:
        return [0] * len(weights)
    return [
        int(GRADES * (a + b - weight) / longest * (1 + 1e-9))
        for a, b, weight in zip(until, onward, weights, strict=True)
    ]
