"""Queues in the memory of one process."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from dlg_engine.tasks.queue_contract import LEASE_S, Delivery, TaskQueue


@dataclass
class MemoryQueues:
    """What the queue objects of a process share."""

    items: dict[str, deque[int]] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)


class TaskQueueMemory(TaskQueue):
    """Queues in memory; the objects made with the same `shared` see the same."""

    def __init__(self, shared: MemoryQueues | None = None) -> None:
        self._shared = MemoryQueues() if shared is None else shared
        self._held: list[Delivery] = []

    def close(self) -> None:
        """Give back what was not acknowledged."""
        for delivery in reversed(self._held.copy()):
            self.give_back(delivery)

    def queue_declare(self, queue_name: str) -> None:
        """Make a queue, if it is not there."""
        with self._shared.changed:
            self._shared.items.setdefault(queue_name, deque())

    def queue_publish(self, queue_name: str, item_id: int) -> None:
        """Put a number at the end of a queue."""
        with self._shared.changed:
            self._shared.items.setdefault(queue_name, deque()).append(item_id)
            self._shared.changed.notify_all()

    def queue_length(self, queue_name: str) -> int:
        """Return how many numbers wait in a queue."""
        return len(self.queue_fetch_list(queue_name))

    def queue_fetch_list(self, queue_name: str) -> list[int]:
        """Return the numbers that wait in a queue, which stay there."""
        with self._shared.changed:
            return list(self._shared.items.get(queue_name, ()))

    def claim(
        self, queue_names: Sequence[str], worker: str, lease_s: float = LEASE_S
    ) -> Delivery | None:
        """Take the next number; a lease has no meaning within one process."""
        del worker, lease_s
        with self._shared.changed:
            for name in queue_names:
                if found := self._shared.items.get(name):
                    delivery = Delivery(name, found.popleft(), object(), len(found) > 0)
                    self._held.append(delivery)
                    return delivery
        return None

    def acknowledge(self, delivery: Delivery) -> None:
        """Forget what was delivered."""
        self._held.remove(delivery)

    def give_back(self, delivery: Delivery) -> None:
        """Put what was delivered at the head of its queue."""
        self._held.remove(delivery)
        with self._shared.changed:
            self._shared.items[delivery.queue].appendleft(delivery.item_id)
            self._shared.changed.notify_all()

    def wait(self, queue_names: Sequence[str], timeout_s: float) -> None:
        """Return when one of the queues has something, or after so many seconds."""
        with self._shared.changed:
            self._shared.changed.wait_for(
                lambda: any(self._shared.items.get(name) for name in queue_names), timeout_s
            )
