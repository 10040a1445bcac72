"""From a live graph to the parts that are sent to workers, and what each of them waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dlg.drops.lifetime import OVER
from dlg.drops.live import LiveGraph
from dlg.drops.parameters import to_bool, values_of
from dlg.graph.physical import PhysicalGraph
from dlg.states.steps import APP, DATA_OPEN
from dlg_engine.backends.parts import Cut, cut
from dlg_engine.backends.working import COMPLETED, End, Part

GETTERS_FROM = 2
"""From how many receivers on each gets only what it needs of what a part made."""


class Task(NamedTuple):
    """A part, and the parts of which it needs something: all of it, or one row."""

    part: Part
    needs: list[tuple[int, int]]
    """Number of the part, and the row; -1 for all."""


class Shipment:
    """A graph that is run elsewhere, in parts."""

    def __init__(self, graph: PhysicalGraph, live: LiveGraph) -> None:
        """Cut the rows of `live` that have not ended into parts."""
        self._graph, self._live, flow = graph, live, live.flow
        is_app = [bool(trait & APP) for trait in flow.traits]
        inside = [app or status in DATA_OPEN for app, status in zip(is_app, flow.status,
                                                                    strict=True)]  # fmt: skip
        streams = [(data, app) for data, apps in live.streams.items() for app in apps]
        self.cut: Cut = cut(flow.before, is_app, inside, streams, self._alike)
        self._volatile = [
            bool(getattr(cls, "volatile", False) and cls.holds_data) for cls in live.classes
        ]
        self._names = [f"{cls.__module__}.{cls.__qualname__}" for cls in live.classes]
        self._names = list(graph.class_names) or self._names

    def _alike(self, one: int, other: int) -> bool:
        return self.resources(one) == self.resources(other)

    def resources(self, row: int) -> Mapping[str, float]:
        """Return what the app of `row` asks for besides a thread: `gpu`."""
        spec = self._live.spec(row)
        if "applicationArgs" in spec or "fields" in spec:
            spec = values_of(spec)
        found = spec.get("num_gpus") or spec.get("gpus")
        return {} if not found else {"GPU": float(found)}

    @property
    def wanted(self) -> list[int]:
        """The rows of data that only workers have, and that is to be there after the run."""
        flow, live, part_of = self._live.flow, self._live, self.cut.part_of
        found = []
        for row, part in enumerate(part_of):
            if part < 0 or flow.traits[row] & APP or not self._volatile[live.class_ids[row]]:
                continue
            if not flow.after[row] or self._is_kept(live.spec(row)):
                found.append(row)
        return found

    def _is_kept(self, spec: Mapping[str, Any]) -> bool:
        if not spec:
            return False
        values = values_of(spec) if "applicationArgs" in spec or "fields" in spec else spec
        return to_bool(values.get("persist") or False) or (
            "expireAfterUse" in values and not to_bool(values["expireAfterUse"])
        )

    def tasks(self, numbers: Iterable[int], apart: frozenset[int], wanted: Sequence[int]
              ) -> list[Task]:  # fmt: skip
        """Return parts and what they need of each other; those `apart` run in their own process.

        What they need of other parts than `numbers` must have ended.
        """
        chosen = set(numbers)
        asked = set(wanted)
        receivers: dict[int, set[int]] = {}
        for number in chosen:
            for row in self._outside(number):
                receivers.setdefault(row, set()).add(number)
        sent: dict[int, list[int]] = {number: [] for number in chosen}
        for row in sorted({*receivers, *asked}):
            if self.cut.part_of[row] in chosen:
                sent[self.cut.part_of[row]].append(row)
        return [
            self._task(number, chosen, sent, apart=number in apart) for number in sorted(chosen)
        ]

    def _outside(self, number: int) -> dict[int, None]:
        """Return the rows before those of a part that are not its own."""
        before, part_of = self._live.flow.before, self.cut.part_of
        return {
            source: None for row in self.cut.rows[number] for source in before[row]
            if part_of[source] != number
        }  # fmt: skip

    def _task(
        self, number: int, chosen: set[int], sent: dict[int, list[int]], *, apart: bool
    ) -> Task:
        part_of = self.cut.part_of
        own, outside = self.cut.rows[number], self._outside(number)
        rows = (*own, *outside)
        needs: dict[tuple[int, int], None] = {}
        known: dict[int, End] = {}
        for row in outside:
            source = part_of[row]
            if source not in chosen:
                known[row] = self._end(row)
                continue
            many = self._spreads(source, sent[source])
            needs[source, row if many else -1] = None
        return Task(self._part(number, rows, known, sent[number], apart=apart), list(needs))

    def _spreads(self, source: int, rows: Sequence[int]) -> bool:
        """Return whether a part sends data to several others, none of which needs all of it."""
        if len(rows) < GETTERS_FROM or len(self.cut.after[source]) < GETTERS_FROM:
            return False
        return sum(self._volatile[self._live.class_ids[row]] for row in rows) >= GETTERS_FROM

    def _end(self, row: int) -> End:
        flow = self._live.flow
        drop = self._live.objects[row]
        place = None if drop is None or flow.traits[row] & APP else drop.pack_place()
        cargo = None if place is None else (True, place)
        return flow.status[row], flow.stopped_by.get(row, -1), cargo

    def _part(
        self, number: int, rows: tuple[int, ...], known: dict[int, End], sent: Sequence[int], *,
        apart: bool,
    ) -> Part:  # fmt: skip
        live, flow = self._live, self._live.flow
        own = len(self.cut.rows[number])
        place = {row: k for k, row in enumerate(rows)}
        kinds: dict[int, int] = {}
        ids = tuple(kinds.setdefault(live.class_ids[row], len(kinds)) for row in rows)
        oids = tuple(live.oids[row] for row in rows)
        uids = oids if live.uids is live.oids else tuple(live.uids[row] for row in rows)
        return Part(
            number=number, own=own, rows=rows, class_ids=ids,
            classes=tuple(self._names[kind] for kind in kinds),
            specs=tuple(live.spec(row) for row in rows), oids=oids, uids=uids,
            before=tuple(tuple(place[r] for r in flow.before[row]) for row in rows[:own]),
            known=known, sent=tuple(place[row] for row in sent),
            streams=tuple((place[d], place[a]) for d in rows if d in live.streams
                          for a in live.streams[d] if a in place),
            children=tuple((place[live.parents[c]], place[c]) for c in rows if c in live.parents
                           and live.parents[c] in place),
            effective=tuple((place[r], flow.effective[r]) for r in rows[:own]
                            if r in flow.effective),
            apart=apart,
        )  # fmt: skip

    def again(self, missing: Iterable[int]) -> set[int]:
        """Return `missing` parts with those that must run once more, as their data is gone."""
        flow, live, part_of = self._live.flow, self._live, self.cut.part_of
        found = set(missing)
        stack = list(found)
        while stack:
            for row in self._outside(stack.pop()):
                if part_of[row] < 0 or part_of[row] in found:
                    continue
                gone = self._volatile[live.class_ids[row]] and flow.status[row] == COMPLETED
                if gone or flow.status[row] in OVER:
                    found.add(part_of[row])
                    stack.append(part_of[row])
        return found
