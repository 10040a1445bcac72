"""Which apps of a session need not run again, and for what reason the others must. Pure.

What an app has made counts as long as the app is what it was, everything before it counts, and
the data are there for those who still need them. What is behind an app that runs again runs again,
too: nobody can know whether it would make the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dlg.ddap_protocol import DROPStates
from dlg_engine.recovery.journal import Began, Done, Failed, Told


class Why(StrEnum):
    """Why an app is run, though the session has run before."""

    OPEN = "it had not begun"
    BEGUN = "it was under way when the run broke off"
    FAILED = "it had failed"
    CHANGED = "it has changed"
    READS_CHANGED = "what it reads has changed"
    LOST = "what it made is not there any more, or is another"
    BEHIND = "an app before it runs again"
    OLDER = "an app before it has run again since"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an app is run, and the row to look at: of the app itself, of data, or another app."""

    why: Why
    row: int


@dataclass(slots=True)
class Past:
    """What a journal tells, by rows."""

    done: dict[int, Done] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    """Apps of which the end is not known."""
    failed: dict[int, str] = field(default_factory=dict)
    absent: set[int] = field(default_factory=set)
    """Outputs outside of the session of which everything was made by it."""
    when: dict[int, int] = field(default_factory=dict)
    """The place in the journal of what is in `done`."""


def past_of(records: Iterable[Told]) -> Past:
    """Return what the records of a journal come to."""
    past = Past()
    for number, record in enumerate(records):
        if isinstance(record, Began | Done | Failed):
            row = record.row
            past.done.pop(row, None)
            past.failed.pop(row, None)
            past.begun.discard(row)
            if isinstance(record, Began):
                past.begun.add(row)
                past.absent.update(record.absent)
            elif isinstance(record, Done):
                past.done[row], past.when[row] = record, number
            else:
                past.failed[row] = record.reason
    return past


@dataclass(frozen=True)
class Shape:
    """What a plan has to know of the graph."""

    after: Sequence[Sequence[int]]
    before: Sequence[Sequence[int]]
    apps: Sequence[int]
    """The rows that are apps."""
    passing: Callable[[int], bool]
    """Whether data is let go when nobody needs it any more."""


IsLost = Callable[[int, bool], bool]
"""Says whether the data kept for a row cannot be had any more; if False is given, whether there is
nothing at all, as it need not be what it was: apps may have changed it in place since."""


@dataclass(frozen=True)
class Plan:
    """What a session does when it is run again."""

    again: Mapping[int, Reason]
    """The apps that are run, as far as the graph comes to them."""
    restored: frozenset[int]
    """The apps that are not run, as what they made is still there."""


def plan(shape: Shape, past: Past, changed: Iterable[int], is_lost: IsLost) -> Plan:
    """Return which apps are run again.

    `changed` are the rows that are not what they were; `is_lost` is asked only about data
    that somebody needs.
    """
    planner = _Planner(shape, past, is_lost)
    planner.begin(changed)
    planner.go_on()
    restored = frozenset(past.done.keys() - planner.again.keys())
    return Plan(planner.again, restored)


class _Planner:
    """Finds the apps that are run again, from those that must to those that therefore must."""

    def __init__(self, shape: Shape, past: Past, is_lost: IsLost) -> None:
        self.again: dict[int, Reason] = {}
        self._shape, self._past, self._is_lost = shape, past, is_lost
        self._waiting: deque[int] = deque()
        self._known: dict[tuple[int, bool], bool] = {}
        self._ends: dict[int, Mapping[int, int]] = {}
        self._apps = frozenset(shape.apps)
        self._made = frozenset(
            kept.row for record in past.done.values() for kept in record.outputs
        )

    def begin(self, changed: Iterable[int]) -> None:
        """Note the apps that are run for reasons of their own."""
        shape, past = self._shape, self._past
        for row in shape.apps:
            if row in past.begun:
                self._mark(row, Reason(Why.BEGUN, row))
            elif row in past.failed:
                self._mark(row, Reason(Why.FAILED, row))
            elif row not in past.done:
                self._mark(row, Reason(Why.OPEN, row))
            else:
                self._look_at(row)
        for row in changed:
            if row in self._apps:
                self._mark(row, Reason(Why.CHANGED, row))
                continue
            for app in (*shape.before[row], *self._readers(row)):
                self._mark(app, Reason(Why.READS_CHANGED, row))

    def _look_at(self, row: int) -> None:
        """Mark app `row`, which is done, if its results are gone or older than what it read."""
        shape, past = self._shape, self._past
        not_read = self._ends_of(row)
        for source in shape.before[row]:
            if source not in not_read:
                for app in shape.before[source]:
                    if past.when.get(app, -1) > past.when[row]:
                        self._mark(row, Reason(Why.OLDER, app))
        for target in shape.after[row]:
            is_result = not shape.after[target]
            if (is_result or not shape.passing(target)) and self._lost(target, whole=is_result):
                self._mark(row, Reason(Why.LOST, target))

    def go_on(self) -> None:
        """Follow what is marked to what must be marked because of it."""
        while self._waiting:
            app = self._waiting.popleft()
            may_be_skipped = self.again[app].why is Why.OPEN
            for target in self._shape.after[app]:
                if may_be_skipped and target in self._made:
                    continue  # by another app, when this one had been skipped
                for reader in self._readers(target):
                    if not (may_be_skipped and self._does_without(reader, target)):
                        self._mark(reader, Reason(Why.BEHIND, app))
            for source in self._shape.before[app]:
                # What is gone although it is kept for good is missed; what is let go after use
                # may be gone because the app had been skipped, as it will be once more.
                if may_be_skipped and self._shape.passing(source):
                    continue
                for maker in self._shape.before[source]:
                    if maker in self._past.done and maker not in self.again and self._lost(source):
                        self._mark(maker, Reason(Why.LOST, source))

    def _does_without(self, reader: int, row: int) -> bool:
        """Return whether app `reader` has not begun either, or ran without the data `row`."""
        if reader not in self._past.done:
            return True
        state = self._ends_of(reader).get(row)
        return state is not None and (state <= DROPStates.WRITING or state == DROPStates.SKIPPED)

    def _ends_of(self, app: int) -> Mapping[int, int]:
        """Return which inputs of a done app had not ended well, and how they stood."""
        if app not in self._ends:
            self._ends[app] = dict(self._past.done[app].ends)
        return self._ends[app]

    def _mark(self, row: int, reason: Reason) -> None:
        known = self.again.get(row)
        if known is None or (known.why is Why.OPEN and reason.why is not Why.OPEN):
            self.again[row] = reason
            self._waiting.append(row)

    def _readers(self, row: int) -> Iterable[int]:
        """Yield the apps that read data `row`, also those that read a container it is in."""
        apps: list[int] = []
        waiting = [row]
        while waiting:
            for later in self._shape.after[waiting.pop()]:
                (apps if later in self._apps else waiting).append(later)
        return apps

    def _lost(self, row: int, *, whole: bool = True) -> bool:
        if (row, whole) not in self._known:
            self._known[row, whole] = self._is_lost(row, whole)
        return self._known[row, whole]
