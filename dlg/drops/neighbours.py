"""Going from drop to drop along the links, in the direction of the data and against it.

The walks are generators that show their caller what they are going to visit next, in a list that
may be changed to leave drops out. None of them is recursive, so a chain may have any length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from dlg.drops.app_base import AppDROP
from dlg.drops.contents import listify

Visit = tuple[Any, list[Any]]


class ListAsDict(list[Any]):
    """A list of drops that adds the uid of each to `my_set` as it is appended.

    So whoever holds the set can ask quickly whether a drop is in the list.
    """

    def __init__(self, my_set: set[str]) -> None:
        super().__init__()
        self.set = my_set

    def append(self, drop: Any) -> None:
        """Append `drop` and add its uid to the set."""
        super().append(drop)
        self.set.add(drop.uid)


def getDownstreamObjects(drop: Any) -> list[Any]:
    """Return the drops that cannot complete before `drop` has: an app's outputs, data's consumers.

    Streaming consumers come after the others.
    """
    if isinstance(drop, AppDROP):
        return list(drop.outputs)
    return [*drop.consumers, *drop.streamingConsumers]


def getUpstreamObjects(drop: Any) -> list[Any]:
    """Return the drops before which `drop` cannot complete: an app's inputs, data's producers.

    Streaming inputs come after the others.
    """
    if isinstance(drop, AppDROP):
        return [*drop.inputs, *drop.streamingInputs]
    return list(drop.producers)


def getLeafNodes(drops: Any) -> list[Any]:
    """Return the drops after which nothing comes, of all that can be reached from `drops`.

    `drops` is one drop or a list.
    """
    reached = breadFirstTraverse(drops)
    return [drop for drop, _ in reached if not getDownstreamObjects(drop)]


def breadFirstTraverse(toVisit: Any) -> Iterator[Visit]:
    """Yield each drop that can be reached from `toVisit`, nearest first, and what follows from it.

    `toVisit` is one drop or a list. What follows is a list of drops that will be visited later
    because of this one; those that the caller takes out of it are not.
    """
    queue = deque(dict.fromkeys(listify(toVisit)))
    found = set(queue)
    while queue:
        drop = queue.popleft()
        following = [other for other in getDownstreamObjects(drop) if other not in found]
        yield drop, following
        found.update(following)
        queue.extend(following)


def depthFirstTraverse(node: Any, visited: list[Any] | None = None) -> Iterator[Visit]:
    """Yield each drop that can be reached from `node`, each path to its end, and what follows.

    Drops in `visited` are left out; those that are visited are added to it. The list of what
    follows may be changed as in `breadFirstTraverse`.
    """
    visited = [] if visited is None else visited
    found = set(visited)
    stack = [node]
    while stack:
        drop = stack.pop()
        if drop in found:
            continue
        found.add(drop)
        visited.append(drop)
        following = [other for other in getDownstreamObjects(drop) if other not in found]
        yield drop, following
        stack.extend(reversed(following))
