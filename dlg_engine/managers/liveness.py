"""Who is alive. Pure: when somebody was heard of last, and when he counts as lost.

Discovery does not tell: a node that died stays listed for many minutes. So managers ask those
below for a sign of life, again and again, and go by the time since the last one, on a clock that
nobody can set. A node that is lost is still asked, so that it is taken back when it returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field

INTERVAL_S = 1.0
"""How often a sign of life is asked for."""
LIMIT_S = 6.0
"""After so long without one a node is lost."""


@dataclass(slots=True)
class Liveness:
    """What is known of the life of some nodes."""

    limit_s: float = LIMIT_S
    last: dict[str, float] = field(default_factory=dict)
    """When each was heard of last."""
    lost: set[str] = field(default_factory=set)

    def watch(self, node: str, now: float) -> None:
        """Begin to watch a node, as if it had been heard of now."""
        self.last[node] = now
        self.lost.discard(node)

    def forget(self, node: str) -> None:
        """Watch a node no more."""
        self.last.pop(node, None)
        self.lost.discard(node)

    def heard(self, node: str, now: float) -> bool:
        """Take note of a sign of life; return whether the node was lost until now."""
        if node not in self.last:
            return False
        self.last[node] = max(now, self.last[node])
        was_lost = node in self.lost
        self.lost.discard(node)
        return was_lost

    def excuse(self, passed_s: float) -> None:
        """Do not count some time in which whoever watches could not listen himself."""
        for node in self.last:
            self.last[node] += passed_s

    def missing(self, now: float) -> list[str]:
        """Return the nodes that are lost since this was asked last."""
        found = [
            node
            for node, last in self.last.items()
            if now - last > self.limit_s and node not in self.lost
        ]
        self.lost.update(found)
        return found
