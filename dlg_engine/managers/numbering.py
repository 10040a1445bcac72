"""News on a link between two nodes: numbered, kept until acknowledged, taken once. Pure.

A link loses, repeats or cuts off what it carries. So the sending side numbers its news and keeps
them until the other side says that it has them; what is not acknowledged is sent again. The
receiving side takes news in the order of their numbers and each number once. When a side starts
anew it has another incarnation: the numbers begin again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from dlg_engine.managers.news import News

IN_FLIGHT = 8192
"""How many news may be on their way, unacknowledged, at a time."""
BATCH = 1024
"""How many news go in one message."""


@dataclass(slots=True)
class Batch:
    """News in a message: the first has number `first`, and none before `oldest` is waited for."""

    first: int
    oldest: int
    news: list[News]


@dataclass(slots=True)
class Outbox:
    """The sending side of a link."""

    kept: deque[News] = field(default_factory=deque)
    """Everything that has not been acknowledged, in the order of the numbers."""
    oldest: int = 0
    """The number of the first of them."""
    sent: int = 0
    """The number that will be sent next."""

    def put(self, news: News) -> None:
        """Add news."""
        self.kept.append(news)

    def batches(self) -> Iterator[Batch]:
        """Yield what may be sent now; it counts as sent."""
        while True:
            room = self.oldest + IN_FLIGHT - self.sent
            waiting = self.oldest + len(self.kept) - self.sent
            count = min(room, waiting, BATCH)
            if count <= 0:
                return
            start = self.sent - self.oldest
            news = [self.kept[i] for i in range(start, start + count)]
            batch = Batch(self.sent, self.oldest, news)
            self.sent += count
            yield batch

    def acknowledged(self, upto: int) -> None:
        """Forget the news before number `upto`, which have arrived."""
        for _ in range(min(upto - self.oldest, len(self.kept))):
            self.kept.popleft()
            self.oldest += 1
        self.sent = max(self.sent, self.oldest)

    def again(self) -> None:
        """Send everything that has not been acknowledged once more."""
        self.sent = self.oldest

    @property
    def unacknowledged(self) -> bool:
        """Return whether something was sent of which it is not known that it arrived."""
        return self.sent > self.oldest


@dataclass(slots=True)
class Inbox:
    """The receiving side of a link."""

    incarnation: str = ""
    """Which life of the other side the numbers are of."""
    expected: int = 0
    """The number that comes next."""

    def take(self, incarnation: str, batch: Batch) -> list[News]:
        """Return the news of a batch that are new; none if some before them are missing."""
        if incarnation != self.incarnation:
            self.incarnation, self.expected = incarnation, batch.oldest
        known = self.expected - batch.first
        if known < 0:
            return []
        fresh = batch.news[known:]
        self.expected += len(fresh)
        return fresh
