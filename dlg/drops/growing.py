"""A live graph takes up more drops while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from dlg.drops.building import live_graph
from dlg.drops.live import LiveGraph
from dlg.graph.growing import Growing, Specs
from dlg.graph.physical import PhysicalGraph
from dlg.graph.reading import read_physical_graph
from dlg.states.growing import grow

LINKS = ("inputs", "outputs", "streamingInputs", "consumers", "producers", "streamingConsumers")


class Growth:
    """Lets one live graph grow by what is decided in it, decision by decision."""

    def __init__(self, growing: Growing, resolve: Callable[[str], type]) -> None:
        self._growing, self._resolve = growing, resolve
        self._one_at_a_time = threading.Lock()
        self.live: LiveGraph | None = None

    def begin(self, source: str) -> PhysicalGraph:
        """Return the graph to begin with."""
        return read_physical_graph(self._growing.begin(), source)

    def decide(self, decision: str, taken: bool) -> None:
        """Append what follows from a decision, and start what of it can be started."""
        live = self.live
        assert live is not None  # noqa: S101  an app of it has decided
        with self._one_at_a_time:
            specs = self._growing.decide(decision, taken)
            if specs:
                append(live, specs, self._resolve)


def append(live: LiveGraph, specs: Specs, resolve: Callable[[str], type]) -> None:
    """Append drops to a graph that is running; they may link to data that is in it."""
    new = {str(spec["oid"]) for spec in specs}
    linked = {oid for spec in specs for key in LINKS for oid in _oids(spec.get(key))}
    stubs = []
    for oid in sorted(linked - new):
        known = live.spec(live.row_of(oid))
        stubs.append({key: value for key, value in known.items() if key not in LINKS})
    graph = read_physical_graph([*stubs, *specs], "what follows from a decision")
    more = live_graph(graph, resolve, surroundings=live.surroundings)
    live.apply(_append, live, more, {uid for uid in more.uids if uid not in new})


def _oids(links: Any) -> list[str]:
    return [oid for link in links or () for oid in (link if isinstance(link, Mapping) else [link])]


def _append(live: LiveGraph, more: LiveGraph, known: set[str]) -> None:
    """Take over the rows of `more` but those that are known; the lock is held."""
    there = {row: live.row_of(uid) for row, uid in enumerate(more.uids) if uid in known}
    new = [row for row in range(len(more.uids)) if row not in there]
    kinds = {cls: number for number, cls in enumerate(live.classes)}
    # Whoever reads these without the lock goes on with the old ones, which stay as they are.
    live.classes = [*live.classes, *(cls for cls in more.classes if cls not in kinds)]
    kinds = {cls: number for number, cls in enumerate(live.classes)}
    live.specs = [*live.specs, *(more.specs[row] for row in new)]
    ids = (kinds[more.classes[more.class_ids[row]]] for row in new)
    live.class_ids = [*live.class_ids, *ids]
    live.oids = [*live.oids, *(more.oids[row] for row in new)]
    live.uids = [*live.uids, *(more.uids[row] for row in new)]
    live.objects.extend(None for _ in new)
    numbers = live.flow.numbered(there, len(more.uids))
    live.manual += [numbers[row] for row in more.manual]
    for mine, theirs in ((live.streams, more.streams), (live.children, more.children)):
        mine.update({numbers[r]: [numbers[x] for x in rows] for r, rows in theirs.items()})
    live.parents.update({numbers[r]: numbers[p] for r, p in more.parents.items()})
    grow(live.flow, more.flow, there)
