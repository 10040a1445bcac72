"""Cutting a graph into parts that are run as a whole. Pure.

A part is what has to happen in one process: an app with the data it writes, all who write the
same data, a container with what is in it, those who read data while it is written. Parts in a
row, of which each has one successor and each of those one predecessor, are one part as well: to
hand such data over would cost more than to run the app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dlg.graph.walk import cycles, rows_on_cycles, topological_order

Rows = Sequence[Sequence[int]]


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
) -> Cut:
    """Return the rows that are `inside` in parts.

    `streams` are pairs of data and the apps that read it while it is written; `alike` says of two
    rows whether their apps may be run one after the other in the same place.
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
    for part in topological_order(found.after, found.before):
        later = found.after[part]
        if len(later) == 1 and len(found.before[later[0]]) == 1:
            one, other = found.rows[part][0], found.rows[later[0]][0]
            if alike(one, other):
                groups.join(one, other)
                joined = True
    return joined
