"""The maximum flow through a small network, by Dinic's algorithm, without recursion."""

from __future__ import annotations

from collections import deque

UNLIMITED = 1 << 60


class Network:
    """Arcs with capacities between numbered places; flow goes from `source` to `sink`."""

    def __init__(self, size: int, source: int, sink: int) -> None:
        self.source, self.sink = source, sink
        self._arcs: list[list[int]] = [[] for _ in range(size)]
        self._head: list[int] = []
        self._left: list[int] = []
        """What arc k can still take; arc k ^ 1 is the same arc backwards."""

    def add(self, tail: int, head: int, capacity: int) -> None:
        """Add an arc."""
        self._arcs[tail].append(len(self._head))
        self._arcs[head].append(len(self._head) + 1)
        self._head += [head, tail]
        self._left += [capacity, 0]

    def maximum(self) -> int:
        """Send as much as possible and return how much that is."""
        total = 0
        while (depth := self._depths())[self.sink] >= 0:
            following = [0] * len(self._arcs)
            while sent := self._send_along(depth, following):
                total += sent
        return total

    def reachable(self) -> list[bool]:
        """Return which places can be reached by what is left: one side of a minimum cut."""
        return [depth >= 0 for depth in self._depths()]

    def _depths(self) -> list[int]:
        depth = [-1] * len(self._arcs)
        depth[self.source] = 0
        queue = deque([self.source])
        while queue:
            place = queue.popleft()
            for arc in self._arcs[place]:
                head = self._head[arc]
                if self._left[arc] and depth[head] < 0:
                    depth[head] = depth[place] + 1
                    queue.append(head)
        return depth

    def _send_along(self, depth: list[int], following: list[int]) -> int:
        """Send what one path of the layered network takes; 0 if there is no path left."""
        path: list[int] = []
        place = self.source
        while place != self.sink:
            arc = self._advance(place, depth, following)
            if arc >= 0:
                path.append(arc)
                place = self._head[arc]
            elif path:
                place = self._head[path.pop() ^ 1]
                following[place] += 1
            else:
                return 0
        amount = min(self._left[arc] for arc in path)
        for arc in path:
            self._left[arc] -= amount
            self._left[arc ^ 1] += amount
        return amount

    def _advance(self, place: int, depth: list[int], following: list[int]) -> int:
        arcs = self._arcs[place]
        while following[place] < len(arcs):
            arc = arcs[following[place]]
            if self._left[arc] and depth[self._head[arc]] == depth[place] + 1:
                return arc
            following[place] += 1
        return -1
