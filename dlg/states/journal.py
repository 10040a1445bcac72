"""Every change of a status, in order: how a session becomes something that can be followed.

A change is two numbers in two columns: row, status and execution status in one, the time in the
other. So a session's *version* is how many changes there are, and what is new since a version is
a slice. Nobody looks again and again whether there is more: who waits leaves a callback with the
`Bell`, which the next change calls.

Pure: whoever makes a journal hands the clock in.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dlg.states.firing import FiringOptions
from dlg.states.flow import Flow
from dlg.states.steps import APP_STATUS, UNCHANGED, Steps

NO_EXEC = 0xFF
"""Stands where data has no execution status."""
ROW_BITS = 16


class Change(NamedTuple):
    """One change of a drop's status."""

    row: int
    status: int
    exec_status: int | None
    """None for data."""
    time_s: float


class Bell:
    """Calls those who wait, once each: for any change, or for a step of the session itself.

    Whoever makes a change calls back the waiting in his own thread, perhaps with a lock held: a
    callback does no more than wake somebody.
    """

    __slots__ = ("for_steps", "steps", "waiting")

    def __init__(self) -> None:
        self.steps = 0
        """How many steps the session has taken: created, deployed, over, ..."""
        self.waiting: deque[Callable[[], object]] = deque()
        self.for_steps: deque[Callable[[], object]] = deque()

    def when(
        self, call: Callable[[], object], so: Callable[[], bool], *, steps_only: bool = False
    ) -> None:
        """Call `call` at the next change or step; at once if `so` says that it has come already.

        `so` is asked after `call` is known to those who make changes: none is missed in between.
        """
        place = self.for_steps if steps_only else self.waiting
        place.append(call)
        if so():
            _call_all(place)

    def forget(self, call: Callable[[], object]) -> None:
        """Do not call `call`: nobody waits there any more."""
        for place in (self.waiting, self.for_steps):
            try:
                place.remove(call)
            except (ValueError, IndexError):  # called, or others come and go at this moment
                continue

    def ring(self) -> None:
        """There has been a change."""
        _call_all(self.waiting)

    def step(self) -> None:
        """The session itself has taken a step."""
        self.steps += 1
        _call_all(self.waiting)
        _call_all(self.for_steps)


def _call_all(waiting: deque[Callable[[], object]]) -> None:
    while True:
        try:
            call = waiting.popleft()  # atomic: several threads may ring
        except IndexError:
            return
        call()


class Journal:
    """The changes of a session. One thread at a time may add; any may read meanwhile."""

    __slots__ = ("bell", "packed", "times")

    def __init__(self, bell: Bell | None = None) -> None:
        self.bell = bell or Bell()
        self.packed = array("Q")
        """For each change its row, status and execution status: see `pack`."""
        self.times = array("d")
        """For each change its time; a change counts once its time is here."""

    @property
    def version(self) -> int:
        """How many changes there are."""
        return len(self.times)

    def extend(self, packed: Sequence[int], times: Sequence[float]) -> None:
        """Add changes that somebody else has noted."""
        self.packed.extend(packed)
        self.times.extend(times)
        self.bell.ring()

    def columns(self, since: int = 0, most: int | None = None) -> tuple[array[int], array[float]]:
        """Return the changes after version `since`, at most `most`, as the two columns.

        They are copies: a view would keep the journal from growing.
        """
        end = self.version if most is None else min(self.version, since + most)
        return self.packed[since:end], self.times[since:end]

    def since(self, version: int, most: int | None = None) -> list[Change]:
        """Return the changes after `version`, at most `most`."""
        packed, times = self.columns(version, most)
        return [unpack(one, at) for one, at in zip(packed, times, strict=True)]


def pack(row: int, status: int, exec_status: int = NO_EXEC) -> int:
    """Return a change as one number."""
    return row << ROW_BITS | status << 8 | exec_status


def unpack(packed: int, time_s: float) -> Change:
    """Return the change that `pack` made a number of."""
    exec_status = packed & 0xFF
    told = None if exec_status == NO_EXEC else exec_status
    return Change(packed >> ROW_BITS, packed >> 8 & 0xFF, told, time_s)


class RecordedFlow(Flow):
    """A flow that keeps a journal.

    `numbers` gives the number by which each row is known outside, negative for those that are
    nobody's business: they are not recorded. Without it a row is its own number.
    """

    __slots__ = ("_append", "_append_time", "_bell", "_now", "_waiting", "numbers")

    def __init__(
        self,
        traits: bytearray,
        after: list[Sequence[int]],
        before: list[Sequence[int]],
        options: Callable[[int], FiringOptions] | None = None,
        *,
        journal: Journal,
        now: Callable[[], float],
    ) -> None:
        super().__init__(traits, after, before, options)
        self.numbers: Sequence[int] | None = None
        self._append, self._append_time = journal.packed.append, journal.times.append
        self._bell, self._waiting, self._now = journal.bell, journal.bell.waiting, now

    def _set_data(self, row: int, steps: Steps) -> int:
        before = self.status[row]
        after = _set_data(self, row, steps)
        if after != before:
            if self.numbers is not None and (row := self.numbers[row]) < 0:
                return after
            self._append(row << 16 | after << 8 | 0xFF)
            self._append_time(self._now())
            if self._waiting:
                self._bell.ring()
        return after

    def _set_app(self, row: int, steps: Steps) -> int:
        after = _set_app(self, row, steps)
        if after != UNCHANGED:
            if self.numbers is not None and (row := self.numbers[row]) < 0:
                return after
            self._append(row << 16 | APP_STATUS[after] << 8 | after)
            self._append_time(self._now())
            if self._waiting:
                self._bell.ring()
        return after


_set_data, _set_app = Flow._set_data, Flow._set_app  # noqa: SLF001  of its own base
