"""Answering those above who follow sessions: as soon as there is more, or after a bounded wait.

A call waits in a thread, and threads are few. So whoever follows asks for all of his sessions in
one call, and has one call waiting at a time: the next releases the one before. How many may wait
at all is bounded, too. Nobody looks again and again: the bells of the sessions wake the call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dlg.exceptions import RunError
from dlg.states.journal import Bell
from dlg.support import clock

PAUSE_S = 0.05
"""How long a follower who was told changes just now waits for more; a step is told at once."""
LONGEST_S = 20.0
"""How long a call waits at most."""
MOST_WAITING = 16
"""How many calls may wait at once: each takes a thread."""
REMEMBERED = 256

Wanted = Mapping[str, Mapping[str, list[int]]]
"""For each session and node: how many changes, steps and failures the follower knows of, and the
number of its last rest."""
News = dict[str, dict[str, dict[str, Any]]]
"""For each session and node that has more: what there is."""


class TooManyFollowersError(RunError):
    """More managers follow sessions here than can be answered: try again later."""


class Source(Protocol):
    """A session that is followed."""

    @property
    def bell(self) -> Bell:
        """Return what rings when there is more."""

    def mark(self) -> tuple[int, int]:
        """Return how many changes and steps there have been."""


@dataclass(slots=True)
class _Follower:
    """One who follows, and his call that waits."""

    number: int = 0
    """That of his latest call."""
    told_s: float = 0.0
    """When he was last told something."""
    release: Callable[[], object] = field(default=lambda: None)


class Waiting:
    """The calls that wait."""

    def __init__(
        self,
        look: Callable[[Wanted], News],
        sources: Callable[[Iterable[str]], list[Source]],
    ) -> None:
        """`look` says what there is that a follower does not know, `sources` gives sessions."""
        self._look, self._sources = look, sources
        self._followers: dict[str, _Follower] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._closed = False

    def close(self) -> None:
        """Answer all who wait; nobody waits any more."""
        with self._lock:
            self._closed = True
            followers = list(self._followers.values())
        for follower in followers:
            follower.release()

    def changes(self, who: str, number: int, wanted: Wanted, wait_s: float) -> News:
        """Return what `who` does not know yet, or nothing if there is nothing new for so long.

        A call with a higher `number` releases the one that waits. Raises TooManyFollowersError.
        """
        turn = threading.Event()
        follower = self._enter(who, number, turn)
        if follower is None:
            return {}
        deadline = clock.monotonic() + min(wait_s, LONGEST_S)
        found = self._look(wanted)
        try:
            if found:
                rest_s = follower.told_s + PAUSE_S - clock.monotonic()
                if rest_s > 0 and not _has_step(found, wanted):
                    self._await(turn, wanted, rest_s, steps_only=True)
                    found = self._look(wanted)
            while not found and follower.number == number and not self._closed:
                left_s = deadline - clock.monotonic()
                if left_s <= 0:
                    break
                found = self._await(turn, wanted, left_s)
        finally:
            self._leave(follower, number)
        if found:
            follower.told_s = clock.monotonic()
        return found

    def _await(
        self, turn: threading.Event, wanted: Wanted, left_s: float, *, steps_only: bool = False
    ) -> News:
        """Wait for a change, or a step, or the end of the turn; return what there is then."""
        sources = self._sources(wanted)
        marks = [source.mark() for source in sources]
        found = {} if steps_only else self._look(wanted)
        if found:
            return found
        for source, mark in zip(sources, marks, strict=True):
            so = _past(source, mark, steps_only=steps_only)
            source.bell.when(turn.set, so, steps_only=steps_only)
        turn.wait(left_s)
        for source in sources:
            source.bell.forget(turn.set)
        turn.clear()
        return self._look(wanted)

    def _enter(self, who: str, number: int, turn: threading.Event) -> _Follower | None:
        with self._lock:
            follower = self._followers.pop(who, None) or _Follower()
            self._followers[who] = follower  # at the end: the oldest are forgotten first
            while len(self._followers) > REMEMBERED:
                del self._followers[next(iter(self._followers))]
            if number <= follower.number:
                return None  # he has asked again meanwhile
            if self._count >= MOST_WAITING:
                raise TooManyFollowersError(f"{self._count} managers follow sessions here")
            self._count += 1
            follower.number, release = number, follower.release
            follower.release = turn.set
        release()
        return follower

    def _leave(self, follower: _Follower, number: int) -> None:
        with self._lock:
            self._count -= 1
            if follower.number == number:
                follower.release = _nothing


def _past(source: Source, mark: tuple[int, int], *, steps_only: bool) -> Callable[[], bool]:
    if steps_only:
        return lambda: source.mark()[1] != mark[1]
    return lambda: source.mark() != mark


def _has_step(found: News, wanted: Wanted) -> bool:
    """Return whether a session has taken a step that the follower does not know."""
    return any(
        told["steps"] != wanted[one][node][1] for one, there in found.items()
        for node, told in there.items()
    )  # fmt: skip


def _nothing() -> None:
    """Release nobody."""
