"""The columns in which the state of every drop of a graph is kept, and how they grow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import count

from dlg.ddap_protocol import DROPStates as S
from dlg.states.firing import FiringOptions, Tally
from dlg.states.steps import APP_OPEN, EXPIRES, RUNNING, Effect


class Columns:
    """One row a drop: its states, its neighbours, what it waits for, what befell it."""

    __slots__ = (
        "after", "before", "effective", "effects", "exec_status", "failures", "options", "readers",
        "ready", "status", "stopped_by", "tallies", "traits", "users", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        traits: bytearray,
        after: list[Sequence[int]],
        before: list[Sequence[int]],
        options: Callable[[int], FiringOptions] | None = None,
    ) -> None:
        """Start with everything INITIALIZED; `options` is asked only when something goes wrong."""
        self.traits = traits
        self.after = after
        """What is told when a row ends: consumers, outputs, the parent container."""
        self.before = before
        """What a row waits for: inputs, producers, children."""
        self.options = options or (lambda _row: FiringOptions())
        self.status = bytearray(len(traits))
        self.exec_status = bytearray(len(traits))
        self.waiting = [len(rows) for rows in before]
        """How many of `before` have yet to end."""
        self.users: dict[int, int] = {}
        """For data that expires after use: how many of `after` have yet to end."""
        self.readers: dict[int, set[int]] = {}
        """For data that somebody waits to let go: the apps that were at work on it then."""
        self.effective: dict[int, int] = {}
        """`n_effective_inputs` where it is not simply all inputs."""
        self.tallies: dict[int, Tally] = {}
        self.failures: dict[int, BaseException] = {}
        """The exception of each row that failed by itself."""
        self.stopped_by: dict[int, int] = {}
        """For each row that ended badly because of another: the row that was at fault."""
        self.ready: deque[int] = deque()
        self.effects: list[tuple[Effect, int, int]] = []

    def expect(self, row: int, inputs: int) -> None:
        """Let app `row` fire once `inputs` of its inputs have ended, instead of all."""
        self.effective[row] = inputs
        self.waiting[row] += inputs - len(self.before[row])

    def roots(self) -> list[int]:
        """Return the rows that wait for nobody and have not ended."""
        status, waiting = self.status, self.waiting
        return [
            i
            for i, left in enumerate(waiting)
            if not left and not status[i] and not self.before[i]
        ]

    def release_after_use(self, row: int) -> None:
        """Ask for the data of `row` to be released once all its consumers have ended."""
        self.traits[row] |= EXPIRES
        self.users[row] = sum(self.exec_status[app] in APP_OPEN for app in self.after[row])

    def share(self, row: int, nodes: int) -> None:
        """Let the data of `row`, if it is released after use, wait for so many nodes as well."""
        if row in self.users:
            self.users[row] += nodes

    def fetched(self, row: int) -> None:
        """One of the nodes for which the data of `row` waited has it now."""
        if row in self.users:
            left = self.users[row] = self.users[row] - 1
            if not left:
                self.effects.append((Effect.RELEASE, row, row))

    def wait_for_readers(self, row: int) -> bool:
        """Return whether apps are at work on the data of `row`; if so, their end is told."""
        exec_status = self.exec_status
        working = {app for app in self.after[row] if exec_status[app] == RUNNING}
        if working:
            self.readers[row] = working
        return bool(working)

    def used(self, app: int) -> None:
        """App `app` has ended and needs its inputs no more."""
        users, readers = self.users, self.readers
        for row in self.before[app]:
            if row in readers:
                readers[row].discard(app)
                if not readers[row]:
                    del readers[row]
                    self.effects.append((Effect.LOOK_AFTER, row, app))
            if row in users:
                left = users[row] = users[row] - 1
                if not left:
                    self.effects.append((Effect.RELEASE, row, app))

    def blame(self, row: int, tally: Tally, state: S) -> None:
        """Note whose fault it is that `row` ends in `state`."""
        causes = {S.ERROR: tally.error_cause, S.SKIPPED: tally.skip_cause}
        cause = causes.get(state, tally.cancel_cause)
        if cause not in {-1, row}:
            self.stopped_by[row] = cause

    def link(self, src: int, dst: int, *, ended: bool = False) -> None:
        """Let `dst` wait for `src`; an end of `src` that has been told already counts at once."""
        _append(self.after, src, dst)
        _append(self.before, dst, src)
        if src in self.users:
            self.users[src] += 1
        if not ended and dst not in self.effective:
            self.waiting[dst] += 1

    def absorb(self, other: Columns) -> int:
        """Take the rows of `other` over and return how far their numbers were moved."""
        offset = len(self.traits)
        for mine, theirs in ((self.traits, other.traits), (self.status, other.status)):
            mine.extend(theirs)
        self.exec_status.extend(other.exec_status)
        self.waiting.extend(other.waiting)
        self.users.update({row + offset: n for row, n in other.users.items()})
        for links, new in ((self.after, other.after), (self.before, other.before)):
            links.extend(_moved(rows, offset) for rows in new)
        self.effective.update({row + offset: n for row, n in other.effective.items()})
        self.tallies.update({row + offset: t for row, t in other.tallies.items()})
        self.failures.update({row + offset: e for row, e in other.failures.items()})
        self.stopped_by.update({r + offset: c + offset for r, c in other.stopped_by.items()})
        self.ready.extend(_moved(other.ready, offset))
        return offset

    def numbered(self, there: Mapping[int, int], rows: int) -> list[int]:
        """Return what numbers rows would get by `take_up`."""
        new = count(len(self.traits))
        return [there[row] if row in there else next(new) for row in range(rows)]

    def take_up(self, other: Columns, there: Mapping[int, int]) -> list[int]:
        """Take over the rows of `other`, in which nothing has happened yet; return their numbers.

        Those in `there` are here already, and get what is after them there.
        """
        numbers = self.numbered(there, len(other.traits))
        for row, trait in enumerate(other.traits):
            after = [numbers[one] for one in other.after[row]]
            if row in there:
                for one in after:
                    _append(self.after, there[row], one)
                if there[row] in self.users:
                    self.users[there[row]] += len(after)
                continue
            self.traits.append(trait)
            self.status.append(other.status[row])
            self.exec_status.append(other.exec_status[row])
            self.waiting.append(other.waiting[row])
            self.after.append(after)
            self.before.append([numbers[one] for one in other.before[row]])
        self.users.update({numbers[row]: n for row, n in other.users.items()})
        self.effective.update({numbers[row]: n for row, n in other.effective.items()})
        return numbers


def _moved(rows: Sequence[int], offset: int) -> list[int]:
    return [row + offset for row in rows]


def _append(links: list[Sequence[int]], row: int, other: int) -> None:
    """Append to a row's links, which grow only in graphs that are made by hand."""
    rows = links[row]
    if not isinstance(rows, list):
        rows = links[row] = list(rows)
    rows.append(other)
