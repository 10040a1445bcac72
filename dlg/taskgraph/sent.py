"""A task as it is sent to a node: with all that is needed to try it there."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dlg.exceptions import RunError
from dlg.taskgraph.attempts import SUCCESS, Order, Outcome, Place, Policy, carry_out


class TaskFailedThereError(RunError):
    """A task has failed on its node; its record has the details."""


class PlaceThere(Place, Protocol):
    """The app that tries a task on a node."""

    def received(self, place: int) -> Any:
        """Return the value of an input."""

    def deliver(self, outcome: Outcome, *, wanted: bool) -> None:
        """Store what came of the task, and its results for other tasks if they are wanted."""


@dataclass(slots=True, kw_only=True)
class SentWork:
    """A task on its way; input 0 of its app is the builder."""

    tid: str
    func: str
    inputs: Mapping[str, Any]
    use: Mapping[str, int]
    """For names of arguments: the inputs of the app that have their values."""
    policy: Policy
    timeout_s: float | None
    wanted: bool
    """Whether other tasks use its results."""
    key: str
    """Of the builder."""

    def carry_out(self, place: PlaceThere) -> None:
        """Run the task and store what came of it; raise if it did not succeed."""
        used = {name: place.received(n) for name, n in self.use.items()}
        order = Order(
            tid=self.tid, func=self.func, inputs={**self.inputs, **used}, policy=self.policy,
            timeout_s=self.timeout_s, packed=(self.key, base64.b64decode(place.received(0))),
        )  # fmt: skip
        outcome = carry_out(order, place)
        place.deliver(outcome, wanted=self.wanted)
        if outcome.state != SUCCESS:
            last = outcome.attempts[-1] if outcome.attempts else None
            raise TaskFailedThereError(f"task {self.tid!r}: {last.error if last else 'cancelled'}")
