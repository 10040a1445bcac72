"""When a session over several nodes has come to its end though some drops wait. Pure.

On one node that is plain: nothing runs there, so nothing more will happen. A node of several may
be woken by news of another, also by some that are on their way. So each node that comes to rest
tells how many news it has sent to and taken from each other node, in this session, until then.
**Nothing more comes if all nodes have told so, and for each pair as many were taken as sent.** The
nodes need not tell it at the same time, nor twice.

Why: let one be woken after it told, and let j be the first, by news of i. Had i sent them after it
told, it had been woken before j. So they were among those that i counted, and not among those j
counted; and what j counted as taken from i was sent before i told as well, or i had been woken
before. Then j counted less than i: not as many.

This is counting by channels, as in F. Mattern, "Algorithms for distributed termination detection",
Distributed Computing 2 (1987) 161-175; one round is enough there, too, where counts are kept for
each channel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rest:
    """What a node has counted until it came to rest."""

    number: int
    """Tells the rests of a node apart: it grows with the counts."""
    sent: Mapping[str, int]
    """How many news it sent to each node."""
    taken: Mapping[str, int]
    """How many news of each node it took."""


@dataclass(slots=True)
class Counts:
    """What a node counts; each of the two is changed with a lock held."""

    sent: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)

    def at_rest(self) -> Rest:
        """Return the counts as they are now."""
        number = 1 + self.sent.total() + self.taken.total()
        return Rest(number, dict(self.sent), dict(self.taken))


def nothing_comes(rests: Mapping[str, Rest | None]) -> bool:
    """Return whether no node will ever be woken; None stands for one that has told no rest."""
    known = {node: rest for node, rest in rests.items() if rest is not None}
    if len(known) < len(rests):
        return False
    sent = {(a, b): n for a, rest in known.items() for b, n in _counted(rest.sent)}
    taken = {(b, a): n for a, rest in known.items() for b, n in _counted(rest.taken)}
    return sent == taken


def _counted(counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    return ((node, count) for node, count in counts.items() if count)
