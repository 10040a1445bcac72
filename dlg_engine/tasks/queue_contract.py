"""What a queue of attempts is: it hands out numbers, each to one taker, and forgets none.

A number is given to one taker at a time; it stays in the queue until that one acknowledges it, and
another gets it if the first one dies. So it may be delivered more than once, and it is for the
database of tasks to see that it has its effect once.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from dlg_engine.tasks.patience import Patience

LEASE_S = 60.0
"""How long a delivery is its taker's without being acknowledged, where nothing tells his death."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A number that was given to somebody, who has to acknowledge it."""

    queue: str
    item_id: int
    tag: Any
    """By which the queue knows it."""
    more: bool = False
    """Whether it is known that others wait behind it."""


class TaskQueue(abc.ABC):
    """Queues by name, usually of the types of tasks. An object is for one thread."""

    patience = Patience()
    """How long one waits for a server that is being started again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abc.abstractmethod
    def close(self) -> None:
        """Give back what was not acknowledged, and let go of the queues."""

    @abc.abstractmethod
    def queue_declare(self, queue_name: str) -> None:
        """Make a queue, if it is not there."""

    @abc.abstractmethod
    def queue_publish(self, queue_name: str, item_id: int) -> None:
        """Put a number at the end of a queue; when this returns, it is kept."""

    def queue_publish_many(self, items: Sequence[tuple[str, int]]) -> None:
        """Put numbers into queues, in their order; when this returns, all are kept."""
        for queue_name, item_id in items:
            self.queue_publish(queue_name, item_id)

    @abc.abstractmethod
    def queue_length(self, queue_name: str) -> int:
        """Return how many numbers wait in a queue."""

    @abc.abstractmethod
    def queue_fetch_list(self, queue_name: str) -> list[int]:
        """Return the numbers that wait in a queue, which stay there."""

    @abc.abstractmethod
    def claim(
        self, queue_names: Sequence[str], worker: str, lease_s: float = LEASE_S
    ) -> Delivery | None:
        """Take the next number of the first queue that has one; None if all are empty."""

    def claim_many(
        self, queue_names: Sequence[str], worker: str, most: int, lease_s: float = LEASE_S
    ) -> list[Delivery]:
        """Take the next numbers, at most so many; none if all queues are empty."""
        found: list[Delivery] = []
        while len(found) < most:
            delivery = self.claim(queue_names, worker, lease_s)
            if delivery is None:
                break
            found.append(delivery)
        return found

    @abc.abstractmethod
    def acknowledge(self, delivery: Delivery) -> None:
        """Remove what was delivered from its queue."""

    @abc.abstractmethod
    def give_back(self, delivery: Delivery) -> None:
        """Let somebody else have what was delivered."""

    @abc.abstractmethod
    def wait(self, queue_names: Sequence[str], timeout_s: float) -> None:
        """Return when one of the queues may have something, or after so many seconds."""

    def queue_fetch_and_acknowledge(
        self, queue_name: str, acknowledge: bool = True, set_running: bool = True
    ) -> int | None:
        """Return the next number of a queue, which is removed unless `acknowledge` says no.

        None if the queue is empty. `set_running` has no meaning here: an attempt runs when a
        worker has started it in the database.
        """
        del set_running
        delivery = self.claim([queue_name], "")
        if delivery is None:
            return None
        if acknowledge:
            self.acknowledge(delivery)
        else:
            self.give_back(delivery)
        return delivery.item_id
