"""Waiting in a program or test until drops have ended."""

from __future__ import annotations

import threading
from collections.abc import Collection
from types import TracebackType
from typing import Any

from dlg.ddap_protocol import DROPStates
from dlg.drops.contents import listify
from dlg.event import Event, EventHandler


class EvtConsumer(EventHandler):
    """Sets a `threading.Event` when a drop it consumes ends in one of `expected_states`.

    No expected states mean any end. It is no drop, so it never becomes part of the graph.
    """

    def __init__(self, evt: threading.Event, expected_states: Collection[DROPStates] = ()) -> None:
        self.evt = evt
        self.expected_states = frozenset(expected_states)

    def handleEvent(self, e: Event) -> None:
        """Take note of the end of a drop; other events mean nothing here."""
        if e.type == "dropCompleted":
            about: Any = e
            self.dropCompleted(about.uid, about.status)

    def dropCompleted(self, uid: str, drop_state: DROPStates) -> None:
        """Set the event if `drop_state`, in which drop `uid` has ended, is expected."""
        if not self.expected_states or drop_state in self.expected_states:
            self.evt.set()


class DROPWaiterCtx:
    """Waits, at the end of a `with` block, until `drops` have ended; fails if one does not.

    `test` is what fails, by its `fail` method, as a `unittest.TestCase` has it; with anything
    else, such as None, an `AssertionError` is raised. `timeout` is in seconds, for each drop.
    `expected_states` are the ends to wait for; none mean any. Drops that have ended before the
    block are not waited for::

        with DROPWaiterCtx(self, c, timeout=5):
            a.write(b"x")
            a.setCompleted()
    """

    def __init__(
        self,
        test: Any,
        drops: Any,
        timeout: float = 1,
        expected_states: Collection[DROPStates] = (),
    ) -> None:
        self._test, self._drops, self._timeout = test, listify(drops), timeout
        self._expected = frozenset(expected_states)
        self._consumers: list[EvtConsumer] = []

    def __enter__(self) -> DROPWaiterCtx:
        """Consume the drops."""
        for drop in self._drops:
            consumer = EvtConsumer(threading.Event(), self._expected)
            drop.addConsumer(consumer)
            self._consumers.append(consumer)
            # Only after it has been subscribed, so that no end falls between the two.
            if drop.status > DROPStates.WRITING:
                consumer.dropCompleted(drop.uid, drop.status)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait, unless the block raised, and let go of the drops."""
        try:
            if kind is None:
                for drop, consumer in zip(self._drops, self._consumers, strict=True):
                    self._await(drop, consumer.evt)
        finally:
            for drop, consumer in zip(self._drops, self._consumers, strict=True):
                drop.unsubscribe(consumer, "dropCompleted")
            self._consumers = []

    def _await(self, drop: Any, evt: threading.Event) -> None:
        if evt.wait(self._timeout):
            return
        wanted = " or ".join(sorted(state.name for state in self._expected)) or "over"
        text = f"drop {drop.uid} is {drop.status.name} after {self._timeout} s, not {wanted}"
        if callable(fail := getattr(self._test, "fail", None)):
            fail(text)
        raise AssertionError(text)
